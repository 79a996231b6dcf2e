package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// detection is the second stage. It has every detector judge the events that
// were admitted.
type detection struct {
	detectors []Detector
	metrics   meter
	unmatched unmatched
}

// judging is what a batch needs memory for while a detector judges its events.
type judging struct {
	events    []*Event
	reporters []*Reporter
}

// detect hands the events to the detectors that have not judged them yet. An
// event that all of them have judged is through.
func (d *detection) detect(ctx context.Context, items []item, j *judging, shared *reporting) {
	for n, detector := range d.detectors {
		bit := uint64(1) << n
		if len(items) == 1 || !d.together(ctx, detector, bit, items, j, shared) {
			d.singly(detector, bit, items)
		}
		d.count(ctx, shared)
	}
	for i := range items {
		if it := &items[i]; it.stage == admitted && it.failed == nil {
			it.stage = judged
			d.matched(it)
		}
	}
}

// matched counts the event if no rule is about it.
func (d *detection) matched(it *item) {
	if n := len(d.detectors); n > 0 && it.reporter.unmatched >= n {
		it.reporter.unmatched = 0
		d.metrics.count(it.ctx, EventsUnmatched, "")
		d.unmatched.add(it.ctx, it.Event.Action)
	}
}

// awaits reports whether the detector with that bit is to judge the event.
func (it *item) awaits(bit uint64) bool { return it.stage == admitted && it.judged&bit == 0 }

// together hands the events over in one call, if the detector takes batches, and
// reports whether they are judged. If the call panics or fails for good, what it
// reported is dropped: handed over singly, that concerns nobody but the event that
// causes it.
func (d *detection) together(
	ctx context.Context, detector Detector, bit uint64, items []item, j *judging, shared *reporting,
) bool {
	batch, ok := detector.(BatchDetector)
	if !ok {
		return false
	}
	j.events, j.reporters = j.events[:0], j.reporters[:0]
	for i := range items {
		if it := &items[i]; it.awaits(bit) {
			it.reporter.before = it.reporter.reports
			j.events, j.reporters = append(j.events, it.Event), append(j.reporters, &it.reporter)
		}
	}
	if len(j.events) == 0 {
		return true
	}
	err, panicked := detectBatch(ctx, batch, j)
	again := panicked || errors.Is(err, ErrPermanent)
	clear(j.events)
	clear(j.reporters)
	var repeated []*item
	for i := range items {
		switch it := &items[i]; {
		case !it.awaits(bit):
		case again:
			it.reporter.reports, it.reporter.arrival.Repeated = it.reporter.before, true
			repeated = append(repeated, it)
		default:
			d.answered(it, detector, bit, err)
		}
	}
	if again {
		shared.counts = slices.DeleteFunc(shared.counts, func(c Measurement) bool { return c.Metric == Errors })
		d.singly(detector, bit, items)
		once(repeated)
	}
	return true
}

// once leaves out what was found several times about an event, because the detector
// knew all events of a call already when it was given them again one by one. What
// was found when it was given the event itself stays.
func once(items []*item) {
	type subject struct {
		rule, organization, key string
		event                   EventRef
	}
	of := func(f *Finding) subject { return subject{f.Rule, f.OrganizationID, f.Key, f.Event} }
	found := map[subject]bool{}
	itself := func(it *item, f *Finding) bool { return f.Event.Sequence == it.reporter.arrival.Sequence }
	for _, it := range items {
		for i := len(it.reporter.before.findings); i < len(it.reporter.findings); i++ {
			if f := &it.reporter.findings[i]; itself(it, f) {
				found[of(f)] = true
			}
		}
	}
	for _, it := range items {
		kept := it.reporter.findings[:len(it.reporter.before.findings)]
		for i := len(kept); i < len(it.reporter.findings); i++ {
			f := &it.reporter.findings[i]
			if itself(it, f) || !found[of(f)] {
				found[of(f)] = true
				kept = append(kept, *f)
			}
		}
		it.reporter.findings = kept
	}
}

// singly hands the events over one by one.
func (d *detection) singly(detector Detector, bit uint64, items []item) {
	for i := range items {
		it := &items[i]
		if !it.awaits(bit) {
			continue
		}
		it.reporter.before = it.reporter.reports
		err, panicked := detectOne(detector, it)
		if panicked {
			it.reporter.Fail(err)
			err = nil
		}
		d.answered(it, detector, bit, err)
	}
}

// answered notes how a detector's call ended for an event. What it reported with
// an error it will report again, unless the error is permanent.
func (d *detection) answered(it *item, detector Detector, bit uint64, err error) {
	if err == nil {
		it.judged |= bit
		return
	}
	d.metrics.count(it.ctx, Errors, "detector")
	err = fmt.Errorf("monitor: detector %s: %w", detector.Name(), err)
	if errors.Is(err, ErrPermanent) {
		it.judged |= bit
		it.reporter.failure = errors.Join(it.reporter.failure, err)
		return
	}
	it.reporter.reports, it.reporter.arrival.Repeated = it.reporter.before, true
	it.failed = errors.Join(it.failed, err)
}

// count records what a detector counted.
func (d *detection) count(ctx context.Context, shared *reporting) {
	for _, c := range shared.counts {
		d.metrics.record(ctx, c.Metric, c.Value, c.Attribute)
	}
	shared.counts = shared.counts[:0]
}

func detectOne(d Detector, it *item) (err error, panicked bool) { //nolint:revive // err alone tells most callers
	defer recoverDetector(d, &err, &panicked)
	return d.Detect(it.ctx, it.Event, &it.reporter), false
}

func detectBatch(ctx context.Context, d BatchDetector, j *judging) (err error, panicked bool) { //nolint:revive // as above
	defer recoverDetector(d, &err, &panicked)
	// Nothing that the detector appends gets among what the next call uses.
	return d.DetectBatch(ctx, slices.Clip(j.events), slices.Clip(j.reporters)), false
}

// recoverDetector turns the panic of a detector into an error.
func recoverDetector(d Detector, err *error, panicked *bool) { //nolint:gocritic // of named results
	if v := recover(); v != nil {
		*err, *panicked = recovered("detector "+d.Name(), v), true
	}
}
