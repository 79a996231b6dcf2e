package monitor

import (
	"context"
	"errors"
	"time"
)

// A Verifier decides whether an event is what its emitter signed.
//
//   - It must be safe for concurrent use.
//   - It must not change or keep the event.
//   - It must return [VerdictUndecided] only if a later attempt may succeed. For
//     an unknown or revoked key it must return [VerdictForged].
type Verifier interface {
	Verify(ctx context.Context, e *Event) Verification
}

// VerifierFunc is an adapter that makes a function a [Verifier].
type VerifierFunc func(ctx context.Context, e *Event) Verification

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, e *Event) Verification { return f(ctx, e) }

// A Detector judges accepted events one by one.
//
//   - It must be safe for concurrent use.
//   - It must not change or keep the event.
//   - It reports findings to the reporter during the call, not later.
//   - After an error it may be given the event again. In that case a stateful
//     detector must not count the event twice.
type Detector interface {
	Name() string
	Detect(ctx context.Context, e *Event, r *Reporter) error
}

// A BatchDetector judges all events of a batch in one call, in their order. rs[i]
// is the reporter for es[i]. An error applies to all of these events. If the call
// panics, its reports are dropped and the detector is given the events again one
// by one, so that the panic affects only the event that causes it.
// [Arrival.Sequence] identifies events that a detector has already counted.
type BatchDetector interface {
	Detector
	DetectBatch(ctx context.Context, es []*Event, rs []*Reporter) error
}

// An AlertStorer stores occurrences as alerts and returns a disposition for each.
// It must be safe for concurrent use. alerting.Manager and [AlertHandlerFunc]
// implement it.
//
//   - It must not keep the occurrences after the call. The alerts that
//     [Occurrence.Alert] returns may be kept.
//   - It returns the dispositions in the order of the occurrences.
//   - With an error it may return dispositions, too: those whose Stored is not
//     [StoredNothing] belong to occurrences that are stored all the same. The monitor
//     may pass the others again. The storer must not count an occurrence again if the
//     alert already has its [EventKey].
//   - If an occurrence can never be stored, the error wraps [ErrPermanent]. The
//     monitor then passes the occurrences that are not stored in halves, and these
//     again, and gives up each that alone fails with such an error or with a panic.
type AlertStorer interface {
	StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error)
}

// An AlertHandlerFunc is an adapter that makes a function an [AlertStorer]. The
// function is called for every occurrence with a new alert, which it may keep. If it
// returns an error, it is called again for the same occurrence later, with another
// alert, unless the error wraps [ErrPermanent].
type AlertHandlerFunc func(ctx context.Context, a *Alert) error

// StoreOccurrences calls f with a new alert for each occurrence, in order. An error
// or a panic does not keep it from the other occurrences.
func (f AlertHandlerFunc) StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error) {
	dispositions := make([]Disposition, len(os))
	var errs []error
	for i, o := range os {
		a := o.Alert()
		if err := f.handle(ctx, a); err != nil {
			errs = append(errs, err)
			continue
		}
		dispositions[i] = Disposition{AlertID: a.ID, Stored: StoredNew, Notify: NotifyDue}
	}
	return dispositions, errors.Join(errs...)
}

func (f AlertHandlerFunc) handle(ctx context.Context, a *Alert) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = recovered("alert handler", v)
		}
	}()
	return f(ctx, a)
}

// A MetricsCollector collects measurements. Record must not block, must not
// panic, and must be safe for concurrent use.
type MetricsCollector interface {
	Record(ctx context.Context, m Measurement)
}

// A Snapshotter is a [MetricsCollector] that can return what it has collected.
type Snapshotter interface {
	Snapshot(ctx context.Context) (MetricsSnapshot, error)
}

// A Tracer traces every call that processes events: [Monitor.Process],
// [Monitor.ProcessBatch] and each batch of the queue. It is called at the start,
// before occurrences are stored, and at the end, when the results and the times of
// the stages are known. It can therefore decide at the end which calls to sample,
// and create their spans then. If TraceProcessStart does nothing, an unsampled
// event costs hardly more than without a tracer.
//
// A Tracer must be safe for concurrent use, and must not keep the data.
type Tracer interface {
	// TraceProcessStart returns the context that is passed to the verifier, the
	// detectors and the store. It may return ctx itself.
	TraceProcessStart(ctx context.Context, data TraceProcessStart) context.Context
	// TraceStoreStart is called only if there are occurrences to store. It may set
	// their TraceID and SpanID. It returns the context that is passed to the store.
	TraceStoreStart(ctx context.Context, data TraceStoreStart) context.Context
	// TraceProcessEnd gets the context that the last of the other methods returned.
	TraceProcessEnd(ctx context.Context, data TraceProcessEnd)
}

// TraceProcessStart is the data that a [Tracer] gets at the start of a call.
type TraceProcessStart struct {
	// Deliveries holds the events of the call, exactly one for [Monitor.Process].
	// Each delivery may have its own context; a span for the whole call can link to
	// the spans in these contexts.
	Deliveries []Delivery
	Time       time.Time
}

// TraceStoreStart is the data that a [Tracer] gets before occurrences are stored.
type TraceStoreStart struct {
	Occurrences []*Occurrence
	Time        time.Time
}

// TraceProcessEnd is the data that a [Tracer] gets at the end of a call.
type TraceProcessEnd struct {
	Deliveries []Delivery
	// Results are in the order of the deliveries.
	Results []*Result
	Stages  Stages
}

// A Runner is a port with background work, such as flushing, expiring or
// delivering. [Monitor.Run] calls Run for every such port and stops it by
// canceling ctx. Run then flushes a last time and returns the error of that flush.
// If Run returns before ctx is canceled, the monitor shuts down.
type Runner interface {
	Run(ctx context.Context) error
}

// A Flusher is a port that buffers data. Flush stores what is buffered at the time
// of the call. Data that cannot be stored stays buffered. [Monitor.Flush] calls
// Flush.
type Flusher interface {
	Flush(ctx context.Context) error
}

// A HealthReporter is a port that reports its health, as one component for each
// part that can fail independently. [Monitor.Health] includes these components.
type HealthReporter interface {
	Health(ctx context.Context) []ComponentHealth
}
