package monitor

import (
	"context"
	"fmt"
	"runtime/debug"
)

// detect hands the events to a detector. Each has its reporter, whose err is
// then nil unless the detector has to see the event again.
func detect(ctx context.Context, d Detector, es []*Event, rs []*Reporter) {
	for _, r := range rs {
		r.before = r.reports
	}
	if _, ok := d.(BatchDetector); ok && len(es) > 1 {
		err, panicked := call(ctx, d, es, rs)
		if !panicked {
			for _, r := range rs {
				r.judged(d, err)
			}
			return
		}
		for _, r := range rs {
			r.reports = r.before
		}
	}
	for i, r := range rs {
		err, panicked := call(r.ctx, d, es[i:i+1], rs[i:i+1])
		if panicked {
			r.Fail(err)
			err = nil
		}
		r.judged(d, err)
	}
}

// call calls the detector and turns its panic into an error.
func call(ctx context.Context, d Detector, es []*Event, rs []*Reporter) (err error, panicked bool) { //nolint:revive // err alone tells most callers
	defer func() {
		if v := recover(); v != nil {
			err, panicked = recovered("detector "+d.Name(), v), true
		}
	}()
	if len(es) == 1 {
		return d.Detect(ctx, es[0], rs[0]), false
	}
	return d.(BatchDetector).DetectBatch(ctx, es, rs), false //nolint:errcheck,forcetypeassert // only batch detectors get several
}

// judged notes how the detector's call ended. What it reported with an error it
// will report again.
func (r *Reporter) judged(d Detector, err error) {
	r.err = nil
	if err != nil {
		r.reports = r.before
		r.err = fmt.Errorf("monitor: detector %s: %w", d.Name(), err)
		r.Count(Errors, "detector", 1)
	}
}

func recovered(where string, v any) error {
	return &PanicError{Where: where, Value: v, Stack: debug.Stack()}
}
