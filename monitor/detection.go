package monitor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// detect has one detector judge the events that it has not judged yet.
func (p *pass) detect(d Detector, bit uint64) {
	r := &p.reporter
	r.items, p.live = r.items[:0], p.live[:0]
	for i := range p.items {
		it := &p.items[i]
		if it.stage == admitted && it.done&bit == 0 {
			it.before = len(it.result.Findings)
			r.items, p.live = append(r.items, it), append(p.live, it.event)
		}
	}
	if batch, ok := d.(BatchDetector); ok && len(p.live) > 1 {
		p.detectBatch(batch, bit)
		return
	}
	for i, it := range r.items {
		r.At(i)
		err, panicked := p.call(it.ctx, d, p.live[i:i+1])
		p.judged(it, d, bit, err, panicked)
	}
}

// detectBatch calls the detector for all events at once. If it panics, it is
// called again for those behind the one that it had selected.
func (p *pass) detectBatch(d BatchDetector, bit uint64) {
	r := &p.reporter
	items, live := r.items, p.live
	for len(live) > 0 {
		r.items = items
		r.At(0)
		err, panicked := p.call(p.ctx, d, live)
		if !panicked {
			for _, it := range items {
				p.judged(it, d, bit, err, false)
			}
			return
		}
		blamed := r.current
		for _, it := range items[:blamed] {
			p.judged(it, d, bit, nil, false)
		}
		p.judged(items[blamed], d, bit, err, true)
		items, live = items[blamed+1:], live[blamed+1:]
	}
}

// call calls the detector and turns its panic into an error.
func (p *pass) call(ctx context.Context, d Detector, live []*Event) (err error, panicked bool) { //nolint:revive // err alone tells most callers
	defer func() {
		if v := recover(); v != nil {
			err, panicked = recovered("detector "+d.Name(), v), true
		}
	}()
	if len(live) == 1 {
		return d.Detect(ctx, live[0], &p.reporter), false
	}
	return d.(BatchDetector).DetectBatch(ctx, live, &p.reporter), false //nolint:errcheck,forcetypeassert // only batch detectors get several
}

// judged notes a detector's answer for one event. Findings that came with an
// error will come again.
func (p *pass) judged(it *item, d Detector, bit uint64, err error, panicked bool) {
	switch {
	case err == nil:
		it.done |= bit
	case panicked:
		p.m.count(it.ctx, Errors, "panic")
		it.done |= bit
		it.panics = errors.Join(it.panics, err)
	default:
		p.m.count(it.ctx, Errors, "detector")
		it.result.Findings = it.result.Findings[:it.before]
		it.failed = errors.Join(it.failed, fmt.Errorf("monitor: detector %s: %w", d.Name(), err))
	}
}

func recovered(where string, v any) error {
	return &PanicError{Where: where, Value: v, Stack: debug.Stack()}
}
