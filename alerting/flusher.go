package alerting

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// A call that flushes stores up to maxFlush places of repeats, and up to maxRetry
	// after a failure, within flushTimeout.
	maxFlush     = 200
	maxRetry     = 20
	flushTimeout = 5 * time.Second
	// A flush ends when the repeats of this number of organizations in a row could not
	// be stored, since the store does not work.
	maxFailures = 3
)

// A flusher stores the repeats that are buffered. What fails or takes long for one
// organization does not keep those of others from being stored.
type flusher struct {
	intake  *intake
	repeats *coalescer
	turn    chan struct{} // holds a token during a flush of all organizations
}

func newFlusher(in *intake) *flusher {
	return &flusher{intake: in, repeats: in.repeats, turn: make(chan struct{}, 1)}
}

// all stores the repeats of all organizations. Those whose repeats could not be stored
// before come last.
func (f *flusher) all(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return f.flush(ctx, f.repeats.begin)
}

// of stores the repeats of one organization. It does not wait for a flush of all:
// what that is storing is stored twice, which counts once.
func (f *flusher) of(ctx context.Context, organization string) error {
	return f.flush(ctx, func() (loads, failing []load) { return f.repeats.of(organization), nil })
}

func (f *flusher) flush(ctx context.Context, begin func() (loads, failing []load)) error {
	r := flush{flusher: f, began: f.repeats.now(), failed: map[*tenant]bool{}}
	loads, failing := begin()
	if len(loads)+len(failing) == 0 {
		return nil
	}
	for chunk := range chunks(loads, maxFlush) {
		r.store(ctx, chunk)
	}
	r.storeEach(ctx, failing)
	f.intake.reporter.note(ctx, &f.repeats.flushes, "repeats", r.err)
	return r.err
}

// A flush is under way.
type flush struct {
	*flusher
	began    epochs
	failed   map[*tenant]bool // whose repeats could not be stored
	failures int              // of them in a row
	err      error            // the first
}

// store stores loads in one call. If that fails it finds out for which organization or,
// if trying again would not help, for which repeat, and stores the others.
func (r *flush) store(ctx context.Context, loads []load) {
	loads = slices.DeleteFunc(loads, func(l load) bool { return r.failed[l.tenant] })
	if len(loads) == 0 || r.failures >= maxFailures {
		return
	}
	if err := ctx.Err(); err != nil {
		r.err = cmp.Or(r.err, err)
		return
	}
	var os []*monitor.Occurrence
	for _, l := range loads {
		os = append(os, l.repeats...)
	}
	ds, err := r.intake.store(ctx, flushTimeout, os, &r.began)
	r.count(ctx, os, ds)
	rest := r.settle(loads, ds)
	switch {
	case err == nil:
		r.failures = 0
	case len(rest) == 1 && len(rest[0].repeats) == 1 && errors.Is(err, monitor.ErrPermanent):
		r.refuse(ctx, rest[0], err)
	case len(rest) > 0 && errors.Is(err, monitor.ErrPermanent):
		first, second := halves(rest)
		r.store(ctx, first)
		r.store(ctx, second)
	case len(rest) > 1:
		r.storeEach(ctx, rest)
	default:
		r.fail(rest, err)
	}
}

// storeEach stores loads one by one.
func (r *flush) storeEach(ctx context.Context, loads []load) {
	for _, l := range loads {
		for chunk := range chunks([]load{l}, maxRetry) {
			r.store(ctx, chunk)
		}
	}
}

// settle removes the loads, as far as they are stored, from the buffer, and returns the
// rest.
func (r *flush) settle(loads []load, ds []monitor.Disposition) (rest []load) {
	for _, l := range loads {
		n := 0
		if len(ds) > 0 {
			own := ds[:len(l.repeats)]
			ds = ds[len(l.repeats):]
			for n < len(own) && own[n].Stored != monitor.StoredNothing {
				n++
			}
			r.repeats.done(l, n)
		}
		if n < len(l.repeats) {
			rest = append(rest, l.part(n, len(l.repeats)))
		}
	}
	return rest
}

// refuse drops a repeat that can never be stored.
func (r *flush) refuse(ctx context.Context, l load, err error) {
	f := &l.repeats[0].Finding
	r.intake.reporter.count(ctx, monitor.OccurrencesRefused, f.Rule, l.repeats[0].Count)
	r.intake.reporter.log(ctx, slog.LevelError, "occurrence can never be stored", slog.String("rule", f.Rule),
		slog.String("organization", f.OrganizationID), slog.String("event", f.Event.ID), slog.Any("error", err))
	r.repeats.done(l, 1)
	r.failures = 0
}

// fail leaves loads to the next flush.
func (r *flush) fail(loads []load, err error) {
	for _, l := range loads {
		r.repeats.fail(l)
		r.failed[l.tenant] = true
	}
	r.failures++
	r.err = cmp.Or(r.err, err)
}

// count records the metrics of buffered occurrences that the monitor could not know
// when they were buffered.
func (r *flush) count(ctx context.Context, os []*monitor.Occurrence, ds []monitor.Disposition) {
	for i, d := range ds {
		if d.Stored == monitor.StoredNew { // another instance had closed the alert
			r.intake.reporter.count(ctx, monitor.AlertsCreated, os[i].Finding.Rule, 1)
		}
		if d.Notify == monitor.NotifySuppressed {
			r.intake.reporter.count(ctx, monitor.AlertsSuppressed, os[i].Finding.Rule, 1)
		}
	}
}

// chunks divides loads into chunks of up to this number of places. A larger repeat is a
// chunk by itself.
func chunks(loads []load, places int) iter.Seq[[]load] {
	return func(yield func([]load) bool) {
		var chunk []load
		room := places
		for _, l := range loads {
			from := 0
			for i, o := range l.repeats {
				n := placesOf(o)
				if n > room && room < places {
					if !yield(append(chunk, l.part(from, i))) {
						return
					}
					chunk, room, from = nil, places, i
				}
				room -= n
			}
			chunk = append(chunk, l.part(from, len(l.repeats)))
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

// halves divides loads into two halves.
func halves(loads []load) (first, second []load) {
	left := 0
	for _, l := range loads {
		left += len(l.repeats)
	}
	left /= 2
	for _, l := range loads {
		n := min(left, len(l.repeats))
		left -= n
		if n > 0 {
			first = append(first, l.part(0, n))
		}
		if n < len(l.repeats) {
			second = append(second, l.part(n, len(l.repeats)))
		}
	}
	return first, second
}
