package monitor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// A Monitor processes audit events and raises alerts. Use [New] to create one. It
// is safe for concurrent use.
type Monitor struct {
	config   Config
	pipeline pipeline
	queue    queue
	workers  []*worker // of the queue
	retriers []*worker // of the quarantine
	running  running
	health   HealthTracker // of the store
}

// New returns a monitor. The error lists everything that is wrong with the
// configuration. New starts no goroutine.
func New(c Config) (*Monitor, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Monitor{config: c}
	m.pipeline.init(&c, &m.health)
	m.queue.init(c.QueuePolicy, c.QueueCapacity, m.pipeline.tenants, m.pipeline.metrics)
	m.running.init()
	for range c.Workers {
		m.workers = append(m.workers, m.newWorker())
	}
	for range m.pipeline.quarantine.shelves() {
		m.retriers = append(m.retriers, m.newWorker())
	}
	return m, nil
}

func (m *Monitor) newWorker() *worker {
	return &worker{queue: &m.queue, pipeline: &m.pipeline, logger: m.config.Logger}
}

// Process takes an event through all stages: it validates and verifies the event,
// checks whether it is a duplicate, passes it to the detectors, and stores the
// findings as occurrences of alerts. When Process returns without an error, every
// alert that the event opened is in the store; further occurrences of an open
// alert may be buffered until [Monitor.Flush]. Process runs in the caller's
// goroutine, whether [Monitor.Run] is active or not.
//
// [Result.State] says what the caller must do next. An event that fails
// verification is done: it raises an alert, and no detector sees it. The error is
//
//   - an [*InvalidEventError] for an event that is rejected;
//   - [ErrUndecided] for one that could not be verified and was not quarantined;
//   - [ErrConflict] while another call is processing the same event;
//   - [ErrClosed] after the monitor was shut down;
//   - a [*PanicError] if a detector panicked: the event is done, and the findings
//     of the other detectors are stored;
//   - another error if a detector or the store failed. If the event has an ID, the
//     next call with it continues where this one stopped, and no detector counts
//     it twice. Without an ID it is a new event.
func (m *Monitor) Process(ctx context.Context, e *Event) (Result, error) {
	b := m.pipeline.begin()
	defer m.pipeline.end(b)
	if !m.pipeline.calls.begin(b.counted) {
		return closedResult, ErrClosed
	}
	defer m.pipeline.calls.end(b.counted)
	b.add(Delivery{Event: e}, &m.pipeline.sequence)
	m.pipeline.run(orBackground(ctx), b, b.items)
	r := b.items[0].result
	return r, r.Err
}

// ProcessBatch is like [Monitor.Process] for several events at once, and also uses
// what their queue knows about them. It calls the store, and every detector that
// is a [BatchDetector], once for all events. The results are in the order of the
// deliveries. The error joins the errors of the results.
func (m *Monitor) ProcessBatch(ctx context.Context, ds []Delivery) ([]Result, error) {
	results := make([]Result, len(ds))
	if len(ds) == 0 {
		return results, nil
	}
	b := m.pipeline.begin()
	defer m.pipeline.end(b)
	if !m.pipeline.calls.begin(b.counted) {
		for i := range results {
			results[i] = closedResult
		}
		return results, ErrClosed
	}
	defer m.pipeline.calls.end(b.counted)
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

// Submit puts an event into the queue that [Monitor.Run] processes, and returns.
// From then on the event belongs to the monitor. An event that fails is tried
// again until it is done, or until a shutdown returns it in an [UnhandledError].
// The event keeps the values of ctx, but not its cancellation.
//
// Organizations take turns in the queue, and the order is kept within each. What an
// event says of its organization is not verified here: whoever may submit events in
// a tenant's name uses that tenant's share.
//
// The error is an [*InvalidEventError]; [ErrClosed] once a shutdown has begun;
// [ErrOverloaded] if the queue is full for the organization and the policy is
// [QueueReject]; or the error of ctx if it ends while Submit waits for room under
// [QueueBlock]. After an error the event still belongs to the caller.
func (m *Monitor) Submit(ctx context.Context, e *Event) error {
	ctx = orBackground(ctx)
	if _, err := e.check(signable); err != nil {
		m.pipeline.metrics.count(ctx, Errors, "invalid")
		return err
	}
	if err := m.makeRoom(ctx, e); err != nil {
		return err
	}
	return m.queue.submit(ctx, Delivery{Event: e, Context: ctx})
}

// makeRoom waits, or refuses the event, or drops another, as the policy says, if
// there is no room for it in the quarantine.
func (m *Monitor) makeRoom(ctx context.Context, e *Event) error {
	q := &m.pipeline.quarantine
	for {
		released := q.full(e)
		if released == nil {
			return nil
		}
		switch m.config.QueuePolicy {
		case QueueReject:
			m.pipeline.metrics.count(ctx, EventsRejected, "")
			return fmt.Errorf("monitor: submit event: quarantine of %d: %w", q.capacity, ErrOverloaded)
		case QueueDropOldest:
			if dropped := q.dropOldest(e); dropped != nil {
				m.pipeline.admission.release(&dropped.item)
				m.pipeline.metrics.count(ctx, EventsDropped, QueueDropOldest.String())
			}
			return nil
		case QueueBlock:
		}
		select {
		case <-released:
		case <-m.queue.closing:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("monitor: submit event: %w", ctx.Err())
		}
	}
}

// Flush stores everything that the monitor and its ports have buffered. A consumer
// of a queue calls it before it acknowledges events, so that none of their results
// exist only in memory. After an error, the data that could not be stored stays
// buffered.
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

// Drain waits until every submitted event is settled or stands aside, and calls
// [Monitor.Flush]. It is for tests, and for times at which nobody submits: as long as
// somebody does, it may not end before ctx. [Monitor.Run] must be active.
func (m *Monitor) Drain(ctx context.Context) error {
	ctx = orBackground(ctx)
	if err := m.queue.drained(ctx); err != nil {
		return err
	}
	return m.Flush(ctx)
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
