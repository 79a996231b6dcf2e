package monitor

import (
	"context"
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
// [Monitor.ProcessBatch] hands them over. It selects the event that it reports
// on by [Reporter.At].
type BatchDetector interface {
	Detector
	DetectBatch(ctx context.Context, es []*Event, r *Reporter) error
}

// Timing says how an event's timestamp relates to the time that its
// organisation's events have reached.
type Timing uint8

const (
	// OnTime: not older than the newest accepted event by more than the allowed
	// lateness. Rules with windows count it in its place.
	OnTime Timing = iota
	// TooLate: older than the allowed lateness. Only stateless rules judge it.
	TooLate
	// Future: later than the clock by more than the allowed skew. Only
	// stateless rules judge it.
	Future
)

var timingNames = [...]string{"on_time", "too_late", "future"}

// String returns the timing in snake case.
func (t Timing) String() string { return name(timingNames[:], t) }

// An Arrival is what the monitor knows of an event beside its content.
type Arrival struct {
	// OrganizationID is the event's organisation, or the default one for an
	// event without.
	OrganizationID string
	// Sequence numbers the events in the order of arrival, from 1.
	Sequence uint64
	// Watermark is the newest accepted timestamp of the organisation, this
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
	arrivals []Arrival
	findings [][]Finding
	current  int
	metrics  func(Measurement)
	slab     []Finding
	refs     []EventRef
}

// NewReporter returns a reporter for as many events as there are arrivals, for
// calling a detector without a monitor.
func NewReporter(arrivals ...Arrival) *Reporter {
	return &Reporter{arrivals: arrivals, findings: make([][]Finding, len(arrivals))}
}

// At selects the event of a batch that the calls after it are about.
func (r *Reporter) At(i int) { r.current = i }

// Arrival returns the arrival of the current event.
func (r *Reporter) Arrival() *Arrival { return &r.arrivals[r.current] }

// Findings returns what was reported on the i-th event.
func (r *Reporter) Findings(i int) []Finding { return r.findings[i] }

// Report adds a finding about the current event. An empty organisation is
// filled in.
func (r *Reporter) Report(f Finding) {
	if f.OrganizationID == "" {
		f.OrganizationID = r.arrivals[r.current].OrganizationID
	}
	fs := r.findings[r.current]
	if len(fs) == cap(fs) {
		fs = r.grow(fs)
	}
	r.findings[r.current] = append(fs, f)
}

// Findings and references come out of slabs that are allocated for several
// events at once and never reused, so that a result can be kept and a firing
// rule costs far less than an allocation an event.
const (
	findingSlab   = 32
	referenceSlab = 256
)

// grow moves findings to the free part of the slab with room for one more.
func (r *Reporter) grow(fs []Finding) []Finding {
	n := max(1, 2*len(fs))
	if len(r.slab) < n {
		r.slab = make([]Finding, max(findingSlab, n))
	}
	moved := append(r.slab[:0:n], fs...)
	r.slab = r.slab[n:]
	return moved
}

// References returns room for n references, to be filled in and put into a
// finding.
func (r *Reporter) References(n int) []EventRef {
	if len(r.refs) < n {
		r.refs = make([]EventRef, max(referenceSlab, n))
	}
	refs := r.refs[:n:n]
	r.refs = r.refs[n:]
	return refs
}

// Count adds n to a counter of the library's own, such as [StateEvictions],
// under the attribute.
func (r *Reporter) Count(metric Metric, attribute string, n int) {
	if r.metrics != nil {
		r.metrics(Measurement{Metric: metric, Attribute: attribute, Value: int64(n)})
	}
}
