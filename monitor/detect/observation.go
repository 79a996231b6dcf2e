package detect

import (
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// identities tell what identifies events: the ID, or else the key, if any.
type identities interface {
	identify(sequence uint64) (id string, key monitor.EventKey)
}

// An observation is an event that a rule has to count in the window of its group.
type observation struct {
	hit
	window.Observation
	organization string
	event        monitor.EventRef
	key          monitor.EventKey // of an event whose ID is not known
	reporter     *monitor.Reporter
	others       identities
}

// count puts the event into its window in memory and reports the events that
// qualify because of it.
func (o *observation) count() {
	evicted, truncated := o.countIn(o.rule.table)
	if evicted > 0 {
		o.reporter.Count(monitor.StateEvictions, o.rule.Name, evicted)
	}
	if truncated > 0 {
		o.reporter.Count(monitor.StateTruncations, o.rule.Name, truncated)
	}
}

func (o *observation) countIn(t *window.Table) (evicted, truncated int) {
	s, place := t.Lock(o.organization, o.group.Value)
	defer s.Unlock()
	g, evicted, truncated := s.Observe(&o.rule.spec, place, o.organization, o.group.Value, &o.Observation)
	o.report(g, s.Hits)
	return evicted, truncated
}

// report reports the events of the group that qualify.
func (o *observation) report(g *window.Group, hits []window.Hit) {
	for _, h := range hits {
		o.reportOne(g, h)
	}
}

func (o *observation) reportOne(g *window.Group, h window.Hit) {
	r, at := o.rule, g.At(h.Index)
	limit := window.Before(at.Time, r.spec.Length)
	f := o.finding()
	f.OrganizationID = o.organization
	f.Event, f.EventKey = o.ref(at)
	if h.Completed {
		f.CompletedBy = o.event
	}
	f.Count = min(h.Count, r.spec.MaxEvents)
	f.AtLeast = g.Lost() > limit || h.Count > r.spec.MaxEvents || h.Completed && o.Hidden > 0
	if r.kind == window.Sequence {
		f.Steps = o.reporter.Steps(len(r.spec.Steps))
		g.CountSteps(&r.spec, h.Index, f.Steps)
	}
	held := 0
	for held < r.maxReferences && held <= h.Index && g.At(h.Index-held).Time > limit {
		held++
	}
	f.References = o.reporter.References(held)
	for j := range f.References {
		f.References[j], _ = o.ref(g.At(h.Index - held + 1 + j))
	}
	o.reporter.Report(f)
}

// ref returns the reference to an event of the group, and the key of another event
// that has no ID or one that was not kept.
func (o *observation) ref(st window.Stamp) (monitor.EventRef, monitor.EventKey) {
	if st == o.Stamp {
		return o.event, o.key
	}
	id, key := o.others.identify(st.Sequence)
	return monitor.EventRef{ID: id, Timestamp: timeOf(st.Time), Sequence: st.Sequence}, key
}

// horizon returns the time up to which nothing is needed any more when an event
// of that time arrives. An event that is on time may be as old as the watermark
// less the lateness.
func (r *rule) horizon(ts int64, a *monitor.Arrival) int64 {
	if !a.Watermark.IsZero() {
		ts = a.Watermark.UnixNano()
	}
	return window.Before(window.Before(ts, int64(a.Lateness)), r.spec.Length)
}

// timeOf is the inverse of UnixNano.
func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
