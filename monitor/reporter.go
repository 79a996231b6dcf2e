package monitor

import "errors"

// A Reporter receives what a detector reports about one event. It is valid only
// during the call that it was passed to. Only one goroutine at a time may use the
// reporters of a call.
type Reporter struct {
	arrival Arrival
	reports
	before reports // of the detectors that were called earlier
	shared *reporting
}

// reports are what was reported about an event.
type reports struct {
	findings  []Finding
	failure   error
	unmatched int // the detectors that have no rule about it
}

// reporting is what the reporters of one call share. Findings and references
// come out of slabs that are allocated for several events at once and never
// reused, so that a result can be kept and a firing rule costs far less than an
// allocation an event.
type reporting struct {
	counts     []Measurement // to be recorded
	findings   slab[Finding]
	references slab[EventRef]
	steps      slab[int]
}

const (
	findingSlab   = 32
	referenceSlab = 256
	stepSlab      = 256
)

// NewReporter returns a reporter for calling a detector without a monitor.
func NewReporter(a Arrival) *Reporter {
	return &Reporter{arrival: a, shared: &reporting{}}
}

// Arrival returns what the monitor knows about the event besides its content.
// Detectors must not change it.
func (r *Reporter) Arrival() *Arrival { return &r.arrival }

// Report adds a finding. If its organization is empty, Report sets it to
// [Arrival.OrganizationID].
func (r *Reporter) Report(f Finding) {
	if f.OrganizationID == "" {
		f.OrganizationID = r.arrival.OrganizationID
	}
	if fs := r.findings; len(fs) == cap(fs) {
		grown := carve(&r.shared.findings, max(1, 2*len(fs)), findingSlab)
		r.findings = grown[:copy(grown, fs)]
	}
	r.findings = append(r.findings, f)
}

// Fail reports that a part of the detector could not judge the event and never
// will, for example because one rule panicked. The event is not tried again, its
// findings are kept, and [Monitor.Process] returns the error. Fail adds 1 to
// [Errors] as a "panic". For an error that may be temporary, return it from Detect
// instead.
func (r *Reporter) Fail(err error) {
	r.failure = errors.Join(r.failure, err)
	r.Count(Errors, "panic", 1)
}

// NoMatch reports that none of the detector's rules is about the event. If every
// detector does so, the event is counted in [EventsUnmatched] and in [Stats]. A
// detector calls it once for an event, or never if it has no rules.
func (r *Reporter) NoMatch() { r.unmatched++ }

// References returns a slice of n zero references for [Finding.References]. It
// allocates less often than make.
func (r *Reporter) References(n int) []EventRef {
	return carve(&r.shared.references, n, referenceSlab)
}

// Steps returns a slice of n zeros for [Finding.Steps]. It allocates less often than
// make.
func (r *Reporter) Steps(n int) []int { return carve(&r.shared.steps, n, stepSlab) }

// Count adds n to one of the library's counters, such as [StateEvictions], for
// that value of its attribute.
func (r *Reporter) Count(metric Metric, attribute string, n int) {
	for i := range r.shared.counts {
		if c := &r.shared.counts[i]; c.Metric == metric && c.Attribute == attribute {
			c.Value += int64(n)
			return
		}
	}
	r.shared.counts = append(r.shared.counts, Measurement{Metric: metric, Attribute: attribute, Value: int64(n)})
}

// Findings returns the findings of all detectors for the event so far.
func (r *Reporter) Findings() []Finding { return r.findings }

// Failure returns the joined errors that were passed to Fail, or nil.
func (r *Reporter) Failure() error { return r.failure }

// A slab is room for values that are handed out a few at a time. It is renewed
// when it is used up, each time twice as large.
type slab[T any] struct {
	free []T
	made int
}

// carve cuts n elements off a slab, which is made for no more than most unless n
// is.
func carve[T any](s *slab[T], n, most int) []T {
	if len(s.free) < n {
		s.made = min(max(1, 2*s.made), most)
		s.free = make([]T, max(s.made, n))
	}
	piece := s.free[:n:n]
	s.free = s.free[n:]
	return piece
}
