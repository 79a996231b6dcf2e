package monitor

import (
	"context"
	"errors"
	"reflect"
	"slices"
)

// A Monitor takes audit events and raises alerts. Make one with [New]. Its
// methods are safe for concurrent use.
type Monitor struct {
	config   Config
	pipeline pipeline
	queue    queue
	workers  []*worker // of the queue
	retrier  *worker   // of the quarantine
	running  running
	health   HealthTracker // of the store
}

// New returns a monitor. It reports every mistake in the configuration at once
// and starts nothing.
func New(c Config) (*Monitor, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Monitor{config: c}
	m.pipeline.init(&c, &m.health)
	m.queue.init(c.QueuePolicy, c.QueueCapacity, m.pipeline.metrics)
	m.running.init()
	for range c.Workers {
		m.workers = append(m.workers, m.newWorker())
	}
	m.retrier = m.newWorker()
	return m, nil
}

func (m *Monitor) newWorker() *worker {
	return &worker{queue: &m.queue, pipeline: &m.pipeline, logger: m.config.Logger}
}

// Process takes one event all the way: it is validated, verified, looked up
// among the known ones, judged by the detectors, and its findings are stored as
// alerts. The first occurrence of an alert is in the store when Process
// returns. It works with and without [Monitor.Run], in the caller's goroutine.
//
// [Result.State] says what is left to do. An event that fails verification is
// done: its alert is raised, and no detector sees it. The error is
//
//   - an [*InvalidEventError] for an event that is rejected;
//   - [ErrUndecided] for one that could not be verified now and is not kept;
//   - [ErrClosed] after the monitor was shut down;
//   - a [*PanicError] if a detector panicked: the event is done, the other
//     detectors were heard and their alerts are stored;
//   - anything else if a detector or the store failed. When the event is tried
//     again it goes on where it stopped, and none of its detectors sees it twice,
//     if it has an ID. Without an ID the event is new.
func (m *Monitor) Process(ctx context.Context, e *Event) (Result, error) {
	if m.queue.closed() {
		return closedResult, ErrClosed
	}
	b := m.pipeline.begin()
	b.add(Delivery{Event: e}, &m.pipeline.sequence)
	m.pipeline.run(orBackground(ctx), b, b.items)
	r := b.items[0].result
	m.pipeline.end(b)
	return r, r.Err
}

// ProcessBatch is [Monitor.Process] for several events at once, with what their
// queue knows of them: detectors that can take a batch and the store are called
// once. The results are in the order of the deliveries. The error joins those of
// the results.
func (m *Monitor) ProcessBatch(ctx context.Context, ds []Delivery) ([]Result, error) {
	results := make([]Result, len(ds))
	if len(ds) == 0 {
		return results, nil
	}
	if m.queue.closed() {
		for i := range results {
			results[i] = closedResult
		}
		return results, ErrClosed
	}
	b := m.pipeline.begin()
	for _, d := range ds {
		b.add(d, &m.pipeline.sequence)
	}
	m.pipeline.run(orBackground(ctx), b, b.items)
	var errs []error
	for i := range results {
		results[i] = b.items[i].result
		if err := results[i].Err; err != nil {
			errs = append(errs, err)
		}
	}
	m.pipeline.end(b)
	return results, errors.Join(errs...)
}

// closedResult is that of every event after the shutdown.
var closedResult = Result{State: StateRetry, Err: ErrClosed}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// Submit hands an event to the workers of [Monitor.Run] and returns. The event
// belongs to the monitor from then on. What could not be handled at once is
// tried again until it is, or until the shutdown ends and returns it. The values
// of the context go with the event, its deadline does not.
//
// The error is an [*InvalidEventError]; [ErrClosed] after the shutdown began;
// [ErrOverloaded] when the queue is full and the policy is [QueueReject]; or the
// context's when the policy is [QueueBlock]. With an error the event was not
// taken.
func (m *Monitor) Submit(ctx context.Context, e *Event) error {
	ctx = orBackground(ctx)
	if err := e.Validate(); err != nil {
		m.pipeline.metrics.count(ctx, Errors, "invalid")
		return err
	}
	return m.queue.submit(ctx, Delivery{Event: e, Context: ctx})
}

// Flush stores whatever the monitor and its ports have held back, for a queue
// that is about to acknowledge events: afterwards nothing that [Monitor.Process]
// has handled is in memory alone. An error means that some of it is; it is still
// held then.
func (m *Monitor) Flush(ctx context.Context) error {
	ctx = orBackground(ctx)
	err := m.pipeline.raising.flush(ctx)
	for _, p := range m.ports() {
		if f, ok := p.port.(Flusher); ok {
			err = errors.Join(err, f.Flush(ctx))
		}
	}
	return err
}

// A namedPort is a port and what it is to the monitor.
type namedPort struct {
	name string
	port any
}

// ports lists the ports that are set, each once, in the order in which they are
// started: those that others report to come first.
func (m *Monitor) ports() []namedPort {
	c := &m.config
	all := []namedPort{{"metrics", c.Metrics}, {"tracer", c.Tracer}, {"verifier", c.Verifier}}
	for _, d := range c.Detectors {
		all = append(all, namedPort{d.Name(), d})
	}
	all = append(all, namedPort{"alerts", c.Alerts})
	var ports []namedPort
	for _, p := range all {
		known := func(o namedPort) bool { return o.port == p.port }
		if p.port == nil || reflect.ValueOf(p.port).Comparable() && slices.ContainsFunc(ports, known) {
			continue
		}
		ports = append(ports, p)
	}
	return ports
}
