package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// raising is the third stage. It stores the findings as occurrences of alerts.
type raising struct {
	store  AlertStorer // nil: findings are only returned
	source string
	// The organization that no detector may name.
	operator string
	skew     time.Duration // negative: the clock does not matter
	keys     keyspace
	limit    rateLimit // of the findings about failed events
	evidence bool      // occurrences have the JSON of their events
	metrics  meter
	logger   *slog.Logger
	health   *HealthTracker // of the store

	flushing chan struct{} // holds a token during a flush
}

// occurrences is what a batch needs memory for while findings are stored.
type occurrences struct {
	values   []Occurrence
	pointers []*Occurrence
	owners   []owner
	stored   slab[Disposition]
}

// An owner is the finding that an occurrence was made of.
type owner struct {
	item    *item
	finding int
}

func (os *occurrences) clear() {
	clear(os.values)
	clear(os.pointers)
	clear(os.owners)
	os.values, os.pointers, os.owners = os.values[:0], os.pointers[:0], os.owners[:0]
}

// collect makes an occurrence of every finding that is to raise an alert, and
// reports whether there are any to store.
func (r *raising) collect(items []item, os *occurrences, now time.Time) bool {
	os.clear()
	for i := range items {
		it := &items[i]
		it.unstored = false
		for n := it.raised; n < len(it.reporter.findings); n++ {
			if r.store != nil && !it.reporter.findings[n].Shadow && !it.disposed(n) {
				r.add(os, it, n, now)
			}
		}
	}
	for i := range os.values {
		os.pointers = append(os.pointers, &os.values[i])
	}
	return len(os.pointers) > 0
}

// add adds the occurrence of a finding, or aggregates it.
func (r *raising) add(os *occurrences, it *item, finding int, now time.Time) {
	f, count := &it.reporter.findings[finding], int64(1)
	seen, first := r.seen(f.Event.Timestamp, now), time.Time{}
	if it.result.Verification.Decision == DecisionFail {
		count, first = r.limit.take(it.result.Verification.Verdict, now)
	}
	n := len(os.values)
	os.values = slices.Grow(os.values, 1)[:n+1] // it is cleared
	o := &os.values[n]
	o.Finding = *f
	o.Fingerprint = FingerprintOf(f.Rule, f.OrganizationID, f.Key)
	o.EventKey = r.eventKey(it, f)
	o.Source = r.source
	o.CorrelationID = it.Event.CorrelationID
	if r.evidence {
		o.Evidence = evidenceOf(it.Event)
	}
	o.Count = count
	o.FirstSeen, o.LastSeen = seen, seen
	if !first.IsZero() {
		o.FirstSeen = first
	}
	switch err := r.check(it, o); {
	case err != nil:
		r.giveUp(it, o, err)
		it.dispose(finding, Disposition{Stored: StoreRefused}, &os.stored)
	case count == 0:
		r.metrics.count(it.ctx, IntegrityAlertsAggregated, it.result.Verification.Verdict.String())
		r.limit.add(it.result.Verification.Verdict, o, 1)
	default:
		os.owners = append(os.owners, owner{it, finding})
		return
	}
	*o = Occurrence{}
	os.values = os.values[:n]
}

// evidenceOf returns the JSON of an event, empty if it has none.
func evidenceOf(e *Event) string {
	text, err := e.AppendJSON(nil)
	if err != nil {
		return ""
	}
	return string(text)
}

// check returns why no store could keep what a detector found, before it gets among
// what others found.
func (r *raising) check(it *item, o *Occurrence) error {
	switch {
	case it.result.Verification.Decision == DecisionFail:
		return nil // the finding is the monitor's own
	case o.Finding.OrganizationID == r.operator:
		return &InvalidOccurrenceError{"Finding.OrganizationID", fmt.Errorf("%q is reserved", r.operator)}
	}
	return o.Validate()
}

// seen is when an event of that timestamp was seen: no later than its clock may be
// ahead. What comes after it in its alert is not older for ever.
func (r *raising) seen(at, now time.Time) time.Time {
	if latest := now.Add(r.skew).UTC().Round(0); r.skew >= 0 && at.After(latest) {
		return latest
	}
	return at
}

// eventKey identifies the event that a finding is about. Only an accepted event
// is taken at its word on its ID, and a replay is an event of its own; what the
// queue says of the delivery holds for every event.
func (r *raising) eventKey(it *item, f *Finding) EventKey {
	trusted := it.result.Verification.Decision == DecisionAccept && it.result.Duplicate == DuplicateNone
	switch {
	case trusted && f.EventKey != (EventKey{}):
		return f.EventKey
	case trusted && f.Event.ID != "":
		return EventKeyOf(f.OrganizationID, f.Event.ID)
	case it.ID != "" && f.Event.Sequence == it.reporter.arrival.Sequence:
		return deliveryKeyOf(r.source, it.ID)
	}
	return r.keys.of(f.Event.Sequence)
}

// raise stores the occurrences that were collected, and counts the findings that
// are dealt with. The first occurrence of an alert is in the store when it returns.
func (r *raising) raise(ctx context.Context, items []item, os *occurrences) {
	dispositions, errs := r.storeAll(ctx, os.pointers)
	for i, o := range os.owners {
		switch err := errs.of(i); {
		case err == nil:
			o.item.dispose(o.finding, dispositions[i], &os.stored)
		case errors.Is(err, ErrPermanent):
			r.giveUp(o.item, os.pointers[i], err)
			o.item.dispose(o.finding, Disposition{Stored: StoreRefused}, &os.stored)
		default:
			r.postpone(o.item, os.pointers[i], err)
		}
	}
	for i := range items {
		if it := &items[i]; !it.unstored {
			r.count(it)
		}
	}
}

// postpone leaves an occurrence that could not be stored to the next attempt.
func (r *raising) postpone(it *item, o *Occurrence, err error) {
	if !it.unstored {
		it.unstored = true
		it.failed = errors.Join(it.failed, err)
		r.metrics.count(it.ctx, Errors, "store")
	}
	if v := &it.result.Verification; v.Decision == DecisionFail {
		// The event brings its own occurrence again, but none of the others.
		r.limit.add(v.Verdict, o, o.Count-1)
	}
}

// giveUp ends the way of an occurrence that can never be stored.
func (r *raising) giveUp(it *item, o *Occurrence, err error) {
	r.metrics.count(it.ctx, Errors, "store")
	it.reporter.failure = errors.Join(it.reporter.failure, r.refused(it.ctx, o, err))
}

// refused counts and logs an occurrence that can never be stored, and returns an
// error that names it.
func (r *raising) refused(ctx context.Context, o *Occurrence, err error) error {
	r.metrics.record(ctx, OccurrencesRefused, o.Count, o.Finding.Rule)
	f := &o.Finding
	r.logger.LogAttrs(ctx, slog.LevelError, "alert can never be stored and is given up", slog.String("rule", f.Rule),
		slog.String("organization", f.OrganizationID), slog.String("eventId", f.Event.ID), slog.Any("error", err))
	return fmt.Errorf("alert of rule %.64q for event %.64q of organization %.64q is given up: %w",
		f.Rule, f.Event.ID, f.OrganizationID, err)
}

// flush stores what the rate limit has aggregated before the call.
func (r *raising) flush(ctx context.Context) error {
	if !r.limit.holds() {
		return nil
	}
	select {
	case r.flushing <- struct{}{}:
		defer func() { <-r.flushing }()
	case <-ctx.Done():
		return fmt.Errorf("monitor: store alerts: %w", ctx.Err())
	}
	var given []error
	for range 2 { // what an earlier flush could not store, and the rest
		err, refused := r.flushSome(ctx)
		given = append(given, refused)
		if err != nil {
			given = append(given, err)
			break
		}
	}
	return errors.Join(given...)
}

func (r *raising) flushSome(ctx context.Context) (err, refused error) {
	verdicts, os := r.limit.rest()
	_, errs := r.storeAll(ctx, os)
	for i, v := range verdicts {
		switch failed := errs.of(i); {
		case failed == nil:
			r.limit.done(v)
		case errors.Is(failed, ErrPermanent):
			refused = errors.Join(refused, r.refused(ctx, os[i], failed))
			r.limit.done(v)
		default:
			err = errors.Join(err, failed)
		}
	}
	return err, refused
}

// unstored says why occurrences were not stored, by their places, with nil for those
// that were. It is empty if all were stored.
type unstored []error

func (u unstored) of(place int) error {
	if len(u) == 0 {
		return nil
	}
	return u[place]
}

// storeAll stores occurrences and returns a disposition for each. If one can never be
// stored, they are passed in halves, and these again, down to the one that is at fault,
// so that it keeps no other from the store.
func (r *raising) storeAll(ctx context.Context, os []*Occurrence) ([]Disposition, unstored) {
	if len(os) == 0 {
		return nil, nil
	}
	stored, err := r.call(ctx, os)
	if err == nil {
		return stored, nil
	}
	p := partial{os, make([]Disposition, len(os)), make(unstored, len(os))}
	all := make([]int, len(os))
	for i := range all {
		all[i] = i
	}
	_ = r.storeRest(ctx, &p, p.note(all, stored), err) // it is among them
	return p.stored, p.errs
}

// partial is what became of occurrences of which not all could be stored in one call.
type partial struct {
	occurrences []*Occurrence
	stored      []Disposition
	errs        unstored
}

// note notes what a failed call has stored all the same of the occurrences at these
// places, and returns the places of the others.
func (p *partial) note(places []int, stored []Disposition) (rest []int) {
	for n, place := range places {
		if n < len(stored) && stored[n].Stored != StoredNothing {
			p.stored[place] = stored[n]
		} else {
			rest = append(rest, place)
		}
	}
	return rest
}

// storeRest stores, in halves, what a call that failed has not stored. If the store
// does not work at all, it returns its error, which is also that of all that it was
// not given again.
func (r *raising) storeRest(ctx context.Context, p *partial, rest []int, err error) (down error) {
	permanent := errors.Is(err, ErrPermanent)
	if !permanent || len(rest) < 2 {
		for _, place := range rest {
			p.errs[place] = err
		}
		if !permanent {
			down = err
		}
		return down
	}
	for _, half := range [][]int{rest[:len(rest)/2], rest[len(rest)/2:]} {
		if down != nil {
			down = r.storeRest(ctx, p, half, down)
			continue
		}
		os := make([]*Occurrence, len(half))
		for n, place := range half {
			os[n] = p.occurrences[place]
		}
		stored, err := r.call(ctx, os)
		if left := p.note(half, stored); err != nil {
			down = r.storeRest(ctx, p, left, err)
		}
	}
	return down
}

// call passes occurrences to the store, in one call.
func (r *raising) call(ctx context.Context, os []*Occurrence) (dispositions []Disposition, err error) {
	defer func() {
		switch v := recover(); {
		case v != nil:
			dispositions, err = nil, recovered("alert store", v)
			r.health.Note(ctx, err)
		case errors.Is(err, ErrPermanent):
			r.health.Note(ctx, nil) // the store works
		default:
			r.health.Note(ctx, err)
		}
		if err != nil {
			err = fmt.Errorf("monitor: store alerts: %w", err)
		}
	}()
	dispositions, err = r.store.StoreOccurrences(ctx, os)
	if len(dispositions) == len(os) {
		return dispositions, err
	}
	if err == nil {
		err = fmt.Errorf("%d dispositions for %d occurrences", len(dispositions), len(os))
	}
	return nil, err
}

// disposed reports whether a finding is stored already, among others that are not.
func (it *item) disposed(finding int) bool {
	ds := it.result.Dispositions
	return finding < len(ds) && ds[finding].Stored != StoredNothing
}

// dispose notes what became of a finding.
func (it *item) dispose(finding int, d Disposition, stored *slab[Disposition]) {
	r := &it.result
	if findings := len(it.reporter.findings); len(r.Dispositions) < findings {
		all := carve(stored, findings, findingSlab)
		copy(all, r.Dispositions)
		r.Dispositions = all
	}
	r.Dispositions[finding] = d
}

// count counts the findings that are dealt with now.
func (r *raising) count(it *item) {
	findings, dispositions := it.reporter.findings, it.result.Dispositions
	for ; it.raised < len(findings); it.raised++ {
		f := &findings[it.raised]
		if f.Shadow {
			r.metrics.count(it.ctx, ShadowFindings, f.Rule)
			continue
		}
		r.metrics.count(it.ctx, SuspiciousPatterns, f.Rule)
		if it.raised >= len(dispositions) {
			continue // there is no store
		}
		d := dispositions[it.raised]
		switch d.Stored {
		case StoredNew:
			r.metrics.count(it.ctx, AlertsCreated, f.Rule)
		case StoredRepeat:
			r.metrics.count(it.ctx, AlertsRepeated, f.Rule)
		case StoredNothing, StoredBefore, StoreRefused:
		}
		if d.Notify == NotifySuppressed {
			r.metrics.count(it.ctx, AlertsSuppressed, f.Rule)
		}
	}
}
