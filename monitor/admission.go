package monitor

import (
	"fmt"
	"time"
)

// admission is the first stage. It decides which events the detectors see: those
// that are valid, authentic and not known already.
type admission struct {
	verifier            Verifier // nil: events are accepted unverified
	defaultOrganization string
	operator            string // the organization that no event may name
	source              string
	watermarks          watermarks
	dedup               *dedupCache // nil: duplicates are not looked for
	slow                slowKeys
	metrics             meter
}

// admit validates and verifies the event and looks it up among the known ones.
func (a *admission) admit(it *item, batch []item, now time.Time) {
	if it.stage != arrived {
		return
	}
	faulty, err := it.Event.check(signable)
	if err != nil {
		a.reject(it, err)
		return
	}
	it.faulty = faulty
	a.clean(it, fieldSignature) // an edited signature is not out of sight because it is long
	if it.aside && a.slow.has(it.Event.KeyID) {
		it.failed = fmt.Errorf("monitor: verify event: %w: another event with its key took long", ErrUndecided)
		return
	}
	it.result.Verification = a.verify(it)
	switch v := &it.result.Verification; v.Decision {
	case DecisionAccept:
		a.accept(it, batch, now)
	case DecisionFail:
		a.metrics.count(it.ctx, IntegrityViolations, v.Verdict.String())
		a.clean(it, allFields)
		it.find(it.tampered(a.operator, a.source, now))
	default:
		a.metrics.count(it.ctx, EventsUndecided, "")
		it.failed = fmt.Errorf("monitor: verify event: %w: %w", ErrUndecided, v.Err)
	}
}

func (a *admission) reject(it *item, err error) {
	a.metrics.count(it.ctx, Errors, "invalid")
	it.reject(err)
}

// clean makes fields of the event valid, in a copy of it.
func (a *admission) clean(it *item, fields Fields) {
	fields &= it.faulty
	if fields == 0 {
		return
	}
	it.faulty &^= fields
	var names []string
	it.Event, names = it.Event.cleaned(fields)
	for _, name := range names {
		a.metrics.count(it.ctx, FieldsCleaned, snakeCase(name))
	}
}

// verify asks the verifier. An event that makes it panic is not trusted.
func (a *admission) verify(it *item) (v Verification) {
	if a.verifier == nil {
		return Verification{Decision: DecisionAccept, Verdict: VerdictUnverified, Covered: ^Fields(0)}
	}
	defer func() {
		if r := recover(); r != nil {
			a.metrics.count(it.ctx, Errors, "panic")
			v = Verification{Decision: DecisionFail, Verdict: VerdictUnverified, Err: recovered("verifier", r)}
		}
		a.metrics.count(it.ctx, Verifications, v.Verdict.String())
	}()
	if !it.submitted && !it.quarantined {
		return a.verifier.Verify(it.ctx, it.Event)
	}
	began := time.Now()
	v = a.verifier.Verify(it.ctx, it.Event)
	decided := v.Decision == DecisionAccept || v.Decision == DecisionFail
	a.slow.note(it.Event.KeyID, !decided && time.Since(began) >= slowVerification)
	return v
}

// accept admits an event whose content is authentic, unless it is known already.
func (a *admission) accept(it *item, batch []item, now time.Time) {
	if covered := it.result.Verification.Covered; a.verifier != nil && it.faulty&covered != 0 {
		_, err := it.Event.check(covered)
		a.reject(it, err) // what is signed stays as it is
		return
	}
	received := it.Event
	a.clean(it, allFields)
	arrival := &it.reporter.arrival
	arrival.OrganizationID = it.Event.OrganizationID
	if arrival.OrganizationID == "" {
		arrival.OrganizationID = a.unnamed(&it.result.Verification)
		if arrival.OrganizationID == "" {
			a.reject(it, invalid("organizationId", "missing, and neither Config.DefaultOrganization nor the key of the event says which"))
			return
		}
		if err := CheckOrganization(arrival.OrganizationID); err != nil {
			a.reject(it, &InvalidEventError{Field: "organizationId", Err: err})
			return
		}
	}
	if arrival.OrganizationID == a.operator {
		a.reject(it, invalid("organizationId", "%q is reserved", a.operator))
		return
	}
	if it.Event.ID == "" && it.ID != "" {
		arrival.DeliveryKey = deliveryKeyOf(a.source, it.ID)
	}
	arrival.Verified, arrival.Covered = a.verifier != nil, it.result.Verification.Covered
	t := a.watermarks.tenant(arrival.OrganizationID)
	if !a.isNew(it, received, t, batch, now) {
		return
	}
	a.watermarks.judge(arrival, t, it.Event.Timestamp, now)
	switch arrival.Timing {
	case TimingTooLate:
		a.metrics.count(it.ctx, EventsTooLate, "")
	case TimingFuture:
		a.metrics.count(it.ctx, EventsFuture, "")
	case TimingOnTime:
	}
	it.stage = admitted
}

// unnamed returns the organization of an event that names none. If the event is
// signed, that is the organization of the key, and none if the key has many: the
// event could be taken from one intake to another whose default is different.
func (a *admission) unnamed(v *Verification) string {
	if v.KeyID != "" {
		return v.OrganizationID
	}
	return a.defaultOrganization
}

// isNew looks the event up in the dedup cache. An event that is not new is
// admitted here if an earlier attempt left something to do, and ends otherwise. Events
// are compared as they were received.
func (a *admission) isNew(it *item, received *Event, t tenant, batch []item, now time.Time) bool {
	id := it.identity()
	if a.dedup == nil || id == (identity{}) {
		return true
	}
	event := arriving{
		key: a.dedup.key(t, id), digest: received.digest(a.dedup.seed),
		owner: it.reporter.arrival.Sequence, redelivered: id.event == "" || it.Attempt > 1,
	}
	if a.watermarks.find(t) != nil {
		event.tenant = t // else that of all newcomers
	}
	found := a.dedup.reserve(&event, now)
	a.forgotten(it, found.evicted)
	if contains(batch, found.owner) {
		found.owner, found.duplicate = 0, DuplicateRedelivered // twice in one batch
	}
	it.result.Duplicate = found.duplicate
	switch {
	case found.owner != 0:
		it.failed = fmt.Errorf("monitor: process event %.64q: another call is processing it: %w", it.Event.ID, ErrConflict)
	case found.unfinished != nil:
		it.reserved = found.reserved
		it.resume(found.unfinished)
	case found.duplicate == DuplicateRedelivered:
		a.metrics.count(it.ctx, EventsDuplicate, "")
		it.stage = judged
	case found.duplicate == DuplicateReplayed:
		a.metrics.count(it.ctx, EventsReplayed, "")
		it.find(it.replayed(a.dedup.horizon, now))
	case found.duplicate == DuplicateConflicting:
		a.metrics.count(it.ctx, EventsConflicting, "")
		it.find(it.conflicting(now))
	default:
		it.reserved = found.reserved
		return true
	}
	return false
}

// release ends the reservation of an event in the dedup cache. What was done of
// one that is not settled is kept there for the next attempt.
func (a *admission) release(it *item) {
	if it.reserved != (reservation{}) {
		a.forgotten(it, a.dedup.release(it.reserved, it.progress()))
		it.reserved = reservation{}
	}
}

func (a *admission) forgotten(it *item, events int) {
	if events > 0 {
		a.metrics.record(it.ctx, DuplicatesForgotten, int64(events), "")
	}
}
