package monitor

import (
	"context"
	"time"
)

// A Verifier decides whether an event is what its emitter signed.
//
//   - It must be safe for concurrent use.
//   - It must not change or keep the event.
//   - It must return [VerdictUndecided] only if it cannot decide now. An unknown
//     or revoked key is [VerdictForged].
type Verifier interface {
	Verify(ctx context.Context, e *Event) Verification
}

// VerifierFunc is a function that is a [Verifier].
type VerifierFunc func(ctx context.Context, e *Event) Verification

// Verify calls f.
func (f VerifierFunc) Verify(ctx context.Context, e *Event) Verification { return f(ctx, e) }

// A Detector judges accepted events one by one.
//
//   - It must be safe for concurrent use.
//   - It must not change or keep the event.
//   - It reports findings to the reporter during the call, not later.
//   - After an error it may be given the event again. A detector with state must
//     then not count the event twice.
type Detector interface {
	Name() string
	Detect(ctx context.Context, e *Event, r *Reporter) error
}

// A BatchDetector judges the events of a batch in one call, in their order. rs[i]
// is the reporter for es[i]. If the call panics, its reports are dropped and the
// detector is given the events again one by one, so that the panic affects only
// the event that causes it. A detector with state recognizes by
// [Arrival.Sequence] an event that it has already counted.
type BatchDetector interface {
	Detector
	DetectBatch(ctx context.Context, es []*Event, rs []*Reporter) error
}

// An AlertStorer stores occurrences as alerts and tells what became of each. It
// must be safe for concurrent use. alerting.Manager is one, and so is every
// [AlertHandlerFunc].
//
//   - The occurrences are valid during the call only; [Occurrence.Alert] makes an
//     alert to keep.
//   - The dispositions are in the order of the occurrences. With an error none of
//     the occurrences may be taken as stored, and [Monitor.Process] returns an
//     error so that the event is tried again. The call may be repeated: an
//     occurrence whose [EventKey] the alert already has is not counted again.
type AlertStorer interface {
	StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error)
}

// An AlertHandlerFunc is the simplest [AlertStorer]: a function that is handed
// every occurrence as a new alert of its own, which it may keep. An error means
// that the alert was not taken.
type AlertHandlerFunc func(ctx context.Context, a *Alert) error

// StoreOccurrences calls f with the alert of each occurrence, in their order, and
// stops at the first error.
func (f AlertHandlerFunc) StoreOccurrences(ctx context.Context, os []*Occurrence) ([]Disposition, error) {
	dispositions := make([]Disposition, len(os))
	for i, o := range os {
		a := o.Alert()
		if err := f(ctx, a); err != nil {
			return nil, err
		}
		dispositions[i] = Disposition{AlertID: a.ID, Stored: StoredNew, Notify: NotifyDue}
	}
	return dispositions, nil
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

// A Tracer is told of every call that processes events: when the call starts,
// before occurrences are stored, and when the call has ended and its results and
// the times of its stages are known. So a tracer can decide at the end which calls
// to keep, and create their spans then. If TraceProcessStart does nothing, an
// event that is not kept costs hardly more than without a tracer.
//
// It must be safe for concurrent use, and must not keep the data that it is given.
type Tracer interface {
	// TraceProcessStart returns the context with which the verifier, the
	// detectors and the store are called. It may return ctx.
	TraceProcessStart(ctx context.Context, data TraceProcessStart) context.Context
	// TraceStoreStart is called if there are occurrences to store. It may set
	// their TraceID and SpanID, and returns the context with which the store is
	// called.
	TraceStoreStart(ctx context.Context, data TraceStoreStart) context.Context
	// TraceProcessEnd is given the context that was returned last.
	TraceProcessEnd(ctx context.Context, data TraceProcessEnd)
}

// TraceProcessStart is what a [Tracer] is told at the start of a call.
type TraceProcessStart struct {
	// Deliveries are the events, one for [Monitor.Process]. Each may have a
	// context of its own, which a span for all of them links to.
	Deliveries []Delivery
	Time       time.Time
}

// TraceStoreStart is what a [Tracer] is told before occurrences are stored.
type TraceStoreStart struct {
	Occurrences []*Occurrence
	Time        time.Time
}

// TraceProcessEnd is what a [Tracer] is told at the end of a call.
type TraceProcessEnd struct {
	Deliveries []Delivery
	// Results are in the order of the deliveries.
	Results []*Result
	Stages  Stages
}

// A Runner is a port that has background work: flushing, expiring, delivering.
// [Monitor.Run] runs every port that is one and stops it by canceling ctx. Run
// returns when the work has ended, after a last flush, and returns the error of
// that flush. It must not return nil before ctx is canceled.
type Runner interface {
	Run(ctx context.Context) error
}

// A Flusher is a port that buffers. Flush stores what is buffered at the time of
// the call. What could not be stored stays buffered. [Monitor.Flush] flushes
// every port that is one.
type Flusher interface {
	Flush(ctx context.Context) error
}

// A HealthReporter is a port that reports its health, with one component for
// each thing that can fail by itself. [Monitor.Health] includes them.
type HealthReporter interface {
	Health(ctx context.Context) []ComponentHealth
}
