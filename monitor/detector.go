package monitor

import (
	"context"
	"errors"
	"time"
)

// A Detector looks for something in the events that were accepted, one by one.
//
//   - It must be safe for concurrent use.
//   - It must not change or keep the event.
//   - It reports findings to the reporter during the call, not later.
//   - An error means that the event may be handed to it again; a detector with
//     state must then not count the event twice.
type Detector interface {
	Name() string
	Detect(ctx context.Context, e *Event, r *Reporter) error
}

// A BatchDetector handles several events in one call, in order, as
// [Monitor.ProcessBatch] hands them over. It selects each event by
// [Reporter.At] before it looks at it: if it panics, the event selected last is
// to blame, and the call is made again with the events behind that one.
type BatchDetector interface {
	Detector
	DetectBatch(ctx context.Context, es []*Event, r *Reporter) error
}

// Timing says how an event's timestamp relates to the time that its
// organization's events have reached.
type Timing uint8

const (
	// TimingOnTime: not older than the newest accepted event by more than the allowed
	// lateness. Rules with windows count it in its place.
	TimingOnTime Timing = iota
	// TimingTooLate: older than the allowed lateness. Only stateless rules judge it.
	TimingTooLate
	// TimingFuture: later than the clock by more than the allowed skew. Only
	// stateless rules judge it.
	TimingFuture
)

var timingNames = [...]string{"on_time", "too_late", "future"}

// String returns the timing in snake case.
func (t Timing) String() string { return name(timingNames[:], t) }

// An Arrival is what the monitor knows of an event beside its content.
type Arrival struct {
	// OrganizationID is the event's organization, or the default one for an
	// event without.
	OrganizationID string
	// Sequence numbers the events in the order of arrival, from 1.
	Sequence uint64
	// Watermark is the newest accepted timestamp of the organization, this
	// event included. A detector must keep what an event as old as
	// Watermark - Lateness still needs.
	Watermark time.Time
	Lateness  time.Duration
	Timing    Timing
	// Verified is set when a verifier accepted the event; Covered then are the
	// fields its emitter vouches for. Without a verifier the host vouches for
	// the event and every field counts as covered.
	Verified bool
	Covered  Fields
}

// A Reporter takes the findings of a detector. It is valid during the call that
// it was passed to, and for one goroutine.
type Reporter struct {
	items   []*item // the events of the call
	current int
	ctx     context.Context //nolint:containedctx // for Count
	metrics MetricsCollector

	// Findings and references come out of slabs that are allocated for several
	// events at once and never reused, so that a result can be kept and a
	// firing rule costs far less than an allocation an event.
	findings []Finding
	refs     []EventRef
}

const (
	findingSlab   = 32
	referenceSlab = 256
)

// NewReporter returns a reporter for as many events as there are arrivals, for
// calling a detector without a monitor.
func NewReporter(arrivals ...Arrival) *Reporter {
	r := &Reporter{}
	for _, a := range arrivals {
		r.items = append(r.items, &item{arrival: a})
	}
	return r
}

// At selects the event of a batch that the calls after it are about, the first
// one being 0. Without it that is the first.
func (r *Reporter) At(i int) { r.current = i }

// Arrival returns the arrival of the current event.
func (r *Reporter) Arrival() *Arrival { return &r.items[r.current].arrival }

// Findings returns what was reported on the i-th event.
func (r *Reporter) Findings(i int) []Finding { return r.items[i].result.Findings }

// Report adds a finding about the current event. An empty organization is
// filled in.
func (r *Reporter) Report(f Finding) {
	it := r.items[r.current]
	if f.OrganizationID == "" {
		f.OrganizationID = it.arrival.OrganizationID
	}
	if fs := it.result.Findings; len(fs) == cap(fs) {
		grown := carve(&r.findings, max(1, 2*len(fs)), findingSlab)
		it.result.Findings = grown[:copy(grown, fs)]
	}
	it.result.Findings = append(it.result.Findings, f)
}

// Fail reports that something about the current event could not be judged, now
// or later: a rule of the host's own panicked on it. The rest of the detector's
// work counts, and Process returns the error.
func (r *Reporter) Fail(err error) {
	it := r.items[r.current]
	it.panics = errors.Join(it.panics, err)
	r.Count(Errors, "panic", 1)
}

// Failure returns what was reported by Fail on the i-th event.
func (r *Reporter) Failure(i int) error { return r.items[i].panics }

// References returns room for n references, to be filled in and put into a
// finding.
func (r *Reporter) References(n int) []EventRef { return carve(&r.refs, n, referenceSlab) }

// carve cuts n elements off a slab, which is renewed when it is too small.
func carve[T any](slab *[]T, n, size int) []T {
	if len(*slab) < n {
		*slab = make([]T, max(size, n))
	}
	piece := (*slab)[:n:n]
	*slab = (*slab)[n:]
	return piece
}

// Count adds n to a counter of the library's own, such as [StateEvictions],
// under the attribute.
func (r *Reporter) Count(metric Metric, attribute string, n int) {
	if r.metrics != nil {
		r.metrics.Record(r.ctx, Measurement{Metric: metric, Attribute: attribute, Value: int64(n)})
	}
}
