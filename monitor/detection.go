package monitor

import (
	"context"
	"errors"
	"fmt"
)

// detection is the second stage. It has every detector judge the events that
// were admitted.
type detection struct {
	detectors []Detector
	metrics   meter
}

// judging is what a batch needs memory for while a detector is at work.
type judging struct {
	events    []*Event
	reporters []*Reporter
	items     []*item
}

// detect hands the events to the detectors that have not judged them yet. An
// event that all of them have judged is through.
func (d *detection) detect(ctx context.Context, items []item, j *judging, shared *reporting) {
	for n, detector := range d.detectors {
		j.clear()
		for i := range items {
			if it := &items[i]; it.stage == admitted && it.judged&(1<<n) == 0 {
				j.add(it)
			}
		}
		d.judge(ctx, detector, j)
		d.count(ctx, shared)
		for _, it := range j.items {
			if it.reporter.err == nil {
				it.judged |= 1 << n
			} else {
				it.failed = errors.Join(it.failed, it.reporter.err)
			}
		}
	}
	j.clear()
	for i := range items {
		if it := &items[i]; it.stage == admitted && it.failed == nil {
			it.stage = judged
		}
	}
}

func (j *judging) add(it *item) {
	j.items = append(j.items, it)
	j.events = append(j.events, it.Event)
	j.reporters = append(j.reporters, &it.reporter)
}

func (j *judging) clear() {
	clear(j.items)
	clear(j.events)
	clear(j.reporters)
	j.items, j.events, j.reporters = j.items[:0], j.events[:0], j.reporters[:0]
}

// judge calls a detector. If a batch makes it panic, what it reported is dropped
// and the events are handed over again one by one, so that the panic concerns
// nobody but the event that causes it.
func (d *detection) judge(ctx context.Context, detector Detector, j *judging) {
	for _, r := range j.reporters {
		r.before = r.reports
	}
	if _, ok := detector.(BatchDetector); ok && len(j.events) > 1 {
		err, panicked := call(ctx, detector, j.events, j.reporters)
		if !panicked {
			for _, it := range j.items {
				d.answered(it, detector, err)
			}
			return
		}
		for _, r := range j.reporters {
			r.reports, r.arrival.Repeated = r.before, true
		}
	}
	for i, it := range j.items {
		err, panicked := call(it.ctx, detector, j.events[i:i+1], j.reporters[i:i+1])
		if panicked {
			it.reporter.Fail(err)
			err = nil
		}
		d.answered(it, detector, err)
	}
}

// count records what a detector counted.
func (d *detection) count(ctx context.Context, shared *reporting) {
	for _, c := range shared.counts {
		d.metrics.record(ctx, c.Metric, c.Value, c.Attribute)
	}
	shared.counts = shared.counts[:0]
}

// answered notes how a detector's call ended for an event. What it reported with
// an error it will report again.
func (d *detection) answered(it *item, detector Detector, err error) {
	it.reporter.err = nil
	if err != nil {
		d.metrics.count(it.ctx, Errors, "detector")
		it.reporter.reports, it.reporter.arrival.Repeated = it.reporter.before, true
		it.reporter.err = fmt.Errorf("monitor: detector %s: %w", detector.Name(), err)
	}
}

// call calls a detector and turns its panic into an error.
func call(ctx context.Context, d Detector, events []*Event, reporters []*Reporter) (err error, panicked bool) { //nolint:revive // err alone tells most callers
	defer func() {
		if v := recover(); v != nil {
			err, panicked = recovered("detector "+d.Name(), v), true
		}
	}()
	if len(events) == 1 {
		return d.Detect(ctx, events[0], reporters[0]), false
	}
	return d.(BatchDetector).DetectBatch(ctx, events, reporters), false //nolint:errcheck,forcetypeassert // only batch detectors get several
}
