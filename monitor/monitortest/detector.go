package monitortest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// DetectorHarness gives [RunDetector] access to a detector.
type DetectorHarness struct {
	// New returns a new detector without any state. The suite calls it often, and all
	// of the detectors must report the same findings for the same events.
	New func(t *testing.T) monitor.Detector
	// Events returns new events, sorted by timestamp, for which the detector reports
	// findings. Defaults to events with each of the five patterns of package detect,
	// in two organizations.
	Events func() []*monitor.Event
}

// RunDetector checks that a detector does not change or keep events, that its
// findings are complete and reproducible, that they are the same when timestamps
// are ahead of the watermark, that the events of one organization do not affect the
// findings of another, that it is safe for concurrent use and, if it is a
// [monitor.BatchDetector], that batches give the same findings as single events.
func RunDetector(t *testing.T, h DetectorHarness) {
	t.Helper()
	if h.Events == nil {
		h.Events = suspiciousEvents
	}
	for _, c := range detectorCases {
		t.Run(c.name, func(t *testing.T) {
			c.check(detectorCheck{t, h.Events, func() monitor.Detector { return h.New(t) }})
		})
	}
}

// detectorCheck is a detector at a test.
type detectorCheck struct {
	testing.TB
	events func() []*monitor.Event
	new    func() monitor.Detector
}

var detectorCases = []struct {
	name  string
	check func(d detectorCheck)
}{
	{"name", detectorCheck.name},
	{"findings_complete", detectorCheck.findingsComplete},
	{"same_again", detectorCheck.sameAgain},
	{"event_unchanged", detectorCheck.eventUnchanged},
	{"event_not_kept", detectorCheck.eventNotKept},
	{"ahead_of_watermark", detectorCheck.aheadOfWatermark},
	{"organizations_apart", detectorCheck.organizationsApart},
	{"concurrent", detectorCheck.concurrent},
	{"batch", detectorCheck.batch},
	{"empty_batch", detectorCheck.emptyBatch},
}

// arrivals returns the arrivals of events that may be late.
func arrivals(es []*monitor.Event, lateness time.Duration) []monitor.Arrival {
	var all []monitor.Arrival
	newest := map[string]time.Time{}
	for i, e := range es {
		if e.Timestamp.After(newest[e.OrganizationID]) {
			newest[e.OrganizationID] = e.Timestamp
		}
		a := monitor.Arrival{
			OrganizationID: e.OrganizationID, Sequence: uint64(i + 1),
			Watermark: newest[e.OrganizationID], Lateness: lateness,
		}
		if e.Timestamp.Before(a.Watermark.Add(-lateness)) {
			a.Timing = monitor.TimingTooLate
		}
		all = append(all, a)
	}
	return all
}

// reporters returns a reporter for each arrival.
func reporters(as []monitor.Arrival) []*monitor.Reporter {
	var rs []*monitor.Reporter
	for _, a := range as {
		rs = append(rs, monitor.NewReporter(a))
	}
	return rs
}

// detectEach hands over the events one by one, and calls after behind each.
func detectEach(ctx context.Context, d monitor.Detector, es []*monitor.Event, after func(e *monitor.Event)) ([][]monitor.Finding, error) {
	found := make([][]monitor.Finding, len(es))
	for i, r := range reporters(arrivals(es, time.Minute)) {
		if err := errors.Join(d.Detect(ctx, es[i], r), r.Failure()); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		found[i] = r.Findings()
		after(es[i])
	}
	return found, nil
}

func nothing(*monitor.Event) {}

// find returns what a new detector finds in each of the events, or ends the test.
func (d detectorCheck) find(es []*monitor.Event, after func(e *monitor.Event)) [][]monitor.Finding {
	d.Helper()
	found, err := detectEach(d.Context(), d.new(), es, after)
	check.NoError(d, "Detect", err)
	return found
}

func (d detectorCheck) name() {
	a, b := d.new(), d.new()
	if a.Name() == "" || a.Name() != b.Name() {
		d.Errorf("two detectors are named %q and %q", a.Name(), b.Name())
	}
}

// findingsComplete checks what a finding says of itself.
func (d detectorCheck) findingsComplete() {
	es := d.events()
	found := d.find(es, nothing)
	total := 0
	for i, a := range arrivals(es, time.Minute) {
		for _, f := range found[i] {
			total++
			if problem := incomplete(&f, es[i], a); problem != "" {
				d.Errorf("event %d: %s: %+v", i, problem, f)
			}
		}
	}
	if total == 0 {
		d.Errorf("the events hold nothing that the detector finds")
	}
}

// incomplete says what a finding lacks that was made when the event arrived, in
// order of time.
func incomplete(f *monitor.Finding, e *monitor.Event, a monitor.Arrival) string {
	switch n := len(f.References); {
	case f.Rule == "":
		return "no rule"
	case f.OrganizationID != a.OrganizationID:
		return "another organization"
	case f.Key == "" || f.KeyField == "":
		return "no key, or no name for it"
	case f.Severity > monitor.SeverityCritical:
		return "no severity"
	case f.Event.ID != e.ID || !f.Event.Timestamp.Equal(e.Timestamp) || f.Event.Sequence != a.Sequence:
		return "another event than the one that arrived"
	case !f.CompletedBy.IsZero():
		return "completed by a late event, and there was none"
	case f.Count < 1 || f.Count < f.Threshold:
		return "count below threshold"
	case n > 0 && f.References[n-1] != f.Event:
		return "the last reference is not the event"
	}
	for i, ref := range f.References {
		if !ref.Timestamp.After(f.WindowStart()) && f.Window > 0 {
			return "a reference from before the window"
		}
		if i > 0 && ref.Timestamp.Before(f.References[i-1].Timestamp) {
			return "references out of order"
		}
	}
	return ""
}

func (d detectorCheck) sameAgain() {
	want := d.find(d.events(), nothing)
	check.Equal(d, "findings", d.find(d.events(), nothing), want)
}

func (d detectorCheck) eventUnchanged() {
	es := d.events()
	d.find(es, nothing)
	check.Equal(d, "events", es, d.events())
}

// eventNotKept overwrites each event after its call.
func (d detectorCheck) eventNotKept() {
	want := d.find(d.events(), nothing)
	got := d.find(d.events(), func(e *monitor.Event) {
		clear(e.Details)
		clear(e.Session.Details)
		*e = monitor.Event{Action: "overwritten", OrganizationID: "overwritten", PrincipalID: "overwritten"}
	})
	check.Equal(d, "findings", got, want)
}

// aheadOfWatermark has the events stamped by a clock that is ahead, so that the
// watermark stays behind them.
func (d detectorCheck) aheadOfWatermark() {
	want, es, detector := d.find(d.events(), nothing), d.events(), d.new()
	as := arrivals(es, time.Minute)
	for i := range as {
		as[i].Watermark = as[i].Watermark.Add(-2 * time.Minute)
	}
	for i, r := range reporters(as) {
		check.NoError(d, "Detect", detector.Detect(d.Context(), es[i], r))
		check.Equal(d, fmt.Sprintf("findings in event %d", i), r.Findings(), want[i])
	}
}

// organizationsApart compares what is found in each organization with what is
// found when its events are all there are.
func (d detectorCheck) organizationsApart() {
	es := d.events()
	together := d.find(es, nothing)
	alone := map[string]monitor.Detector{}
	for i, r := range reporters(arrivals(es, time.Minute)) {
		organization := es[i].OrganizationID
		if alone[organization] == nil {
			alone[organization] = d.new()
		}
		check.NoError(d, "Detect", alone[organization].Detect(d.Context(), es[i], r))
		check.Equal(d, fmt.Sprintf("findings in event %d when %s is alone", i, organization), r.Findings(), together[i])
	}
}

// concurrent gives each of several goroutines an organization of its own.
func (d detectorCheck) concurrent() {
	shared := d.new()
	var group sync.WaitGroup
	defer group.Wait()
	for g := range 4 {
		own := func() []*monitor.Event {
			es := d.events()
			for _, e := range es {
				e.OrganizationID = fmt.Sprintf("%s-%d", e.OrganizationID, g)
			}
			return es
		}
		want := d.find(own(), nothing)
		group.Go(func() {
			got, err := detectEach(d.Context(), shared, own(), nothing)
			if err != nil {
				d.Errorf("Detect: %v", err)
				return
			}
			// References name the events of one's own organization only, but
			// the goroutines number theirs alike.
			check.Equal(d, "findings", withoutIDs(got), withoutIDs(want))
		})
	}
}

// withoutIDs leaves out what a detector may look up by an event's number.
func withoutIDs(found [][]monitor.Finding) [][]monitor.Finding {
	for _, fs := range found {
		for i := range fs {
			for j := range fs[i].References {
				fs[i].References[j].ID = ""
			}
		}
	}
	return found
}

func (d detectorCheck) batch() {
	batcher, ok := d.new().(monitor.BatchDetector)
	if !ok {
		return
	}
	want := d.find(d.events(), nothing)
	es := d.events()
	rs := reporters(arrivals(es, time.Minute))
	check.NoError(d, "DetectBatch", batcher.DetectBatch(d.Context(), es, rs))
	got := make([][]monitor.Finding, len(es))
	for i, r := range rs {
		got[i] = r.Findings()
	}
	check.Equal(d, "findings", got, want)
}

func (d detectorCheck) emptyBatch() {
	if batcher, ok := d.new().(monitor.BatchDetector); ok {
		check.NoError(d, "DetectBatch", batcher.DetectBatch(d.Context(), nil, nil))
	}
}

// suspiciousEvents are events of two organizations with each of the five
// patterns of package detect. Only the first one holds all of them.
func suspiciousEvents() []*monitor.Event {
	var es []*monitor.Event
	now := Time()
	add := func(n int, edit func(e *monitor.Event)) {
		for range n {
			now = now.Add(100 * time.Millisecond)
			for _, organization := range []string{"org-1", "org-2"} {
				if organization == "org-2" && len(es)%5 == 0 {
					continue
				}
				es = append(es, NewEvent(func(e *monitor.Event) {
					e.ID = fmt.Sprint("event-", len(es)+1)
					e.Timestamp = now
					e.OrganizationID = organization
					e.Details = map[string]any{"kept": true}
				}, edit))
			}
		}
	}
	add(7, func(e *monitor.Event) { e.Action, e.Status = "auth.login.failure", monitor.StatusFailure })
	add(4, func(e *monitor.Event) { e.Status, e.OutcomeDescription = monitor.StatusFailure, "access denied" })
	add(60, func(*monitor.Event) {})
	add(130, func(e *monitor.Event) { e.Action = "data.export" })
	now = now.Add(13 * time.Hour)
	add(2, func(*monitor.Event) {})
	return es
}
