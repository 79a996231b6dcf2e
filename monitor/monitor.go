package monitor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// A Monitor takes audit events and raises alerts. Make one with [New]. Its
// methods are safe for concurrent use.
type Monitor struct {
	config   Config
	store    AlertStorer // Config.Alerts
	sequence sequence
	keys     keyspace
	tide     tide
	seen     *memory    // nil when duplicates are not looked for
	folding  folding    // caps the alerts about failed events
	passes   sync.Pool  // of *pass
	health   selfHealth // what Process has met lately
	work     work       // everything behind Submit and Run
}

// A sequence numbers events. Every event writes it, so it has a cache line of its
// own: processors that read what is beside it do not wait.
type sequence struct {
	_ [64]byte
	atomic.Uint64
	_ [64]byte
}

// New returns a monitor. It reports every mistake in the configuration at once
// and starts nothing.
func New(c Config) (*Monitor, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Monitor{config: c, store: c.Alerts, keys: newKeyspace()}
	m.tide.init(c.Lateness, c.MaxSkew)
	m.folding.rate = int64(c.IntegrityAlertRate)
	if c.DuplicateCapacity > 0 {
		m.seen = newMemory(c.DuplicateCapacity, c.RedeliveryHorizon)
	}
	m.passes.New = func() any { return &pass{m: m} }
	m.work.init(c)
	return m, nil
}

// Process takes one event all the way: it is validated, verified, looked up
// among the known ones, judged by the detectors, and its findings are stored as
// alerts. The first occurrence of an alert is in the store when Process
// returns. It works with and without [Monitor.Run], in the caller's goroutine.
//
// An event that fails verification is a Result, not an error: its alert is
// raised, and no detector sees it. The error is
//
//   - an [*InvalidEventError]: the event is refused, now and next time;
//   - [ErrUndecided]: it could not be verified now and is not kept; try again;
//   - [ErrClosed]: the monitor was shut down;
//   - a [*PanicError]: a detector panicked; the other detectors were heard and
//     their alerts are stored; trying again does not help;
//   - anything else: a detector or the store failed; try again. An event with
//     an ID goes on where it stopped, and none of its detectors sees it twice.
//     Without an ID the event is new.
func (m *Monitor) Process(ctx context.Context, e *Event) (Result, error) {
	if m.work.closed() {
		return Result{Err: ErrClosed}, ErrClosed
	}
	p := m.begin(ctx)
	p.add(e)
	p.run()
	r := p.items[0].result
	m.end(p)
	return r, r.Err
}

// ProcessBatch is [Monitor.Process] for several events at once: detectors that
// can take a batch and the store are called once. The results are in the order
// of the events. The error joins those of the results.
func (m *Monitor) ProcessBatch(ctx context.Context, es []*Event) ([]Result, error) {
	if m.work.closed() {
		return nil, ErrClosed
	}
	p := m.begin(ctx)
	for _, e := range es {
		p.add(e)
	}
	p.run()
	results := make([]Result, len(p.items))
	var errs []error
	for i := range p.items {
		results[i] = p.items[i].result
		if err := results[i].Err; err != nil {
			errs = append(errs, err)
		}
	}
	m.end(p)
	return results, errors.Join(errs...)
}

// count adds one to a metric.
func (m *Monitor) count(ctx context.Context, metric Metric, attribute string) {
	m.record(ctx, Measurement{Metric: metric, Attribute: attribute, Value: 1})
}

func (m *Monitor) record(ctx context.Context, v Measurement) {
	if m.config.Metrics != nil {
		m.config.Metrics.Record(ctx, v)
	}
}
