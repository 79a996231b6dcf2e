package detect_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // a Monday

// A trail hands events to an engine as a monitor does: it numbers them and keeps
// each organization's watermark.
type trail struct {
	engine     *detect.Engine
	lateness   time.Duration
	step       time.Duration // watermarks are rounded down to a multiple of it
	sequence   uint64
	watermarks map[string]time.Time
}

func newTrail(t testing.TB, o *detect.Options) *trail {
	t.Helper()
	engine, err := detect.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &trail{engine: engine, lateness: time.Minute, watermarks: map[string]time.Time{}}
}

func (tr *trail) arrival(e *monitor.Event) monitor.Arrival {
	tr.sequence++
	a := monitor.Arrival{
		OrganizationID: e.OrganizationID, Sequence: tr.sequence,
		Watermark: tr.watermarks[e.OrganizationID], Lateness: tr.lateness,
	}
	reached := e.Timestamp
	if tr.step > 0 {
		reached = noon.Add(e.Timestamp.Sub(noon).Truncate(tr.step))
	}
	if reached.After(a.Watermark) {
		a.Watermark = reached
		tr.watermarks[e.OrganizationID] = reached
	}
	if e.Timestamp.Before(a.Watermark.Add(-tr.lateness)) {
		a.Timing = monitor.TimingTooLate
	}
	return a
}

// add hands over the events one by one and returns what was found.
func (tr *trail) add(es ...*monitor.Event) []monitor.Finding {
	var found []monitor.Finding
	for _, e := range es {
		found = append(found, detectOne(tr.engine, e, tr.arrival(e))...)
	}
	return found
}

func detectOne(en *detect.Engine, e *monitor.Event, a monitor.Arrival) []monitor.Finding {
	r := monitor.NewReporter(a)
	if err := en.Detect(context.Background(), e, r); err != nil {
		panic(err)
	}
	return r.Findings()
}

// reporters returns a reporter for each arrival.
func reporters(arrivals []monitor.Arrival) []*monitor.Reporter {
	var rs []*monitor.Reporter
	for _, a := range arrivals {
		rs = append(rs, monitor.NewReporter(a))
	}
	return rs
}

// at returns an event at noon and some time.
func at(after time.Duration, action, principal string) *monitor.Event {
	return &monitor.Event{
		Timestamp: noon.Add(after), Action: action, Status: monitor.StatusSuccess,
		PrincipalID: principal, OrganizationID: "org-1",
	}
}

// loginFailure returns a failed login at noon and some time.
func loginFailure(after time.Duration, principal string) *monitor.Event {
	e := at(after, "auth.login.failure", principal)
	e.Status = monitor.StatusFailure
	return e
}

// lines puts findings into short lines: when, what, whose, how many.
func lines(found []monitor.Finding) []string {
	all := []string{}
	for _, f := range found {
		line := fmt.Sprintf("%s %s/%s %s +%s", f.Rule, f.OrganizationID, f.Key, count(f), f.Event.Timestamp.Sub(noon))
		if !f.CompletedBy.IsZero() {
			line += fmt.Sprintf(" by +%s", f.CompletedBy.Timestamp.Sub(noon))
		}
		all = append(all, line)
	}
	return all
}

func count(f monitor.Finding) string {
	if f.AtLeast {
		return fmt.Sprintf(">=%d", f.Count)
	}
	return fmt.Sprint(f.Count)
}

func wantLines(t *testing.T, found []monitor.Finding, want ...string) {
	t.Helper()
	if got := lines(found); !slices.Equal(got, want) {
		t.Errorf("findings:\n got %q\nwant %q", got, want)
	}
}

// any1 matches every event.
func any1(*monitor.Event) bool { return true }

// action returns a predicate for events with that action.
func action(name string) func(*monitor.Event) bool {
	return func(e *monitor.Event) bool { return e.Action == name }
}

// target returns the event's resource.
func target(e *monitor.Event) string { return e.TargetResourceID }

// sorted returns the qualifying events of the findings without what depends on
// the order of arrival.
func sorted(found []monitor.Finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, fmt.Sprintf("%s %s/%s %d", f.Rule, f.OrganizationID, f.Key, f.Event.Timestamp.UnixNano()))
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}

// A collector keeps what is counted.
type collector struct {
	mu  sync.Mutex
	all []monitor.Measurement
}

func (c *collector) Record(_ context.Context, m monitor.Measurement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, m)
}

func (c *collector) sum(metric monitor.Metric, attribute string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum int64
	for _, m := range c.all {
		if m.Metric == metric && m.Attribute == attribute {
			sum += m.Value
		}
	}
	return sum
}
