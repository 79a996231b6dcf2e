package monitortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// DetectorHarness is what [RunDetector] needs to know of a detector.
type DetectorHarness struct {
	// New returns a detector that has seen nothing. It is called often; all that
	// it returns must find the same.
	New func(t *testing.T) monitor.Detector
	// Events returns new events, in order of time, in which the detector finds
	// something on arrival. Defaults to events with each of the five patterns of
	// package detect, in two organizations.
	Events func() []*monitor.Event
	// Skip names cases that do not apply, with the reason.
	Skip map[string]string
}

// RunDetector checks that a detector leaves events alone and keeps none, that
// its findings are complete and the same each time, that organizations do not
// concern each other, that it can be used concurrently and, if it is a
// [monitor.BatchDetector], that batches give the same findings as single events.
func RunDetector(t *testing.T, h DetectorHarness) {
	t.Helper()
	if h.Events == nil {
		h.Events = suspiciousEvents
	}
	for _, c := range detectorCases {
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := h.Skip[c.name]; ok {
				t.Skip(reason)
			}
			for _, err := range c.check(detectorCheck{h.Events, func() monitor.Detector { return h.New(t) }}) {
				t.Error(err)
			}
		})
	}
}

// detectorCheck is a detector at a test.
type detectorCheck struct {
	events func() []*monitor.Event
	new    func() monitor.Detector
}

var detectorCases = []struct {
	name string
	// check returns what is wrong with the detector.
	check func(d detectorCheck) []error
}{
	{"name", detectorCheck.name},
	{"findings_complete", detectorCheck.findingsComplete},
	{"same_again", detectorCheck.sameAgain},
	{"event_unchanged", detectorCheck.eventUnchanged},
	{"event_not_kept", detectorCheck.eventNotKept},
	{"organizations_apart", detectorCheck.organizationsApart},
	{"concurrent", detectorCheck.concurrent},
	{"batch", detectorCheck.batch},
	{"empty_batch", detectorCheck.emptyBatch},
}

// arrivals returns the arrivals of events in order of time.
func arrivals(es []*monitor.Event) []monitor.Arrival {
	var as []monitor.Arrival
	for i, e := range es {
		as = append(as, monitor.Arrival{
			OrganizationID: e.OrganizationID, Sequence: uint64(i + 1),
			Watermark: e.Timestamp, Lateness: time.Minute,
		})
	}
	return as
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
func detectEach(d monitor.Detector, es []*monitor.Event, after func(e *monitor.Event)) ([][]monitor.Finding, error) {
	found := make([][]monitor.Finding, len(es))
	for i, a := range arrivals(es) {
		r := monitor.NewReporter(a)
		if err := errors.Join(d.Detect(context.Background(), es[i], r), r.Failure()); err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		found[i] = r.Findings()
		after(es[i])
	}
	return found, nil
}

func nothing(*monitor.Event) {}

// differences compares findings event by event.
func differences(got, want [][]monitor.Finding) []error {
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			return []error{fmt.Errorf("event %d: findings\n%+v\nwant\n%+v", i, got[i], want[i])}
		}
	}
	return nil
}

func (d detectorCheck) name() []error {
	a, b := d.new(), d.new()
	if a.Name() == "" || a.Name() != b.Name() {
		return []error{fmt.Errorf("two detectors are named %q and %q", a.Name(), b.Name())}
	}
	return nil
}

// findingsComplete checks what a finding says of itself.
func (d detectorCheck) findingsComplete() []error {
	es := d.events()
	found, err := detectEach(d.new(), es, nothing)
	if err != nil {
		return []error{err}
	}
	var errs []error
	total := 0
	for i, a := range arrivals(es) {
		for _, f := range found[i] {
			total++
			if problem := incomplete(&f, es[i], a); problem != "" {
				errs = append(errs, fmt.Errorf("event %d: %s: %+v", i, problem, f))
			}
		}
	}
	if total == 0 {
		errs = append(errs, errors.New("the events hold nothing that the detector finds"))
	}
	return errs
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

func (d detectorCheck) sameAgain() []error {
	want, err := detectEach(d.new(), d.events(), nothing)
	if err != nil {
		return []error{err}
	}
	got, err := detectEach(d.new(), d.events(), nothing)
	if err != nil {
		return []error{err}
	}
	return differences(got, want)
}

func (d detectorCheck) eventUnchanged() []error {
	es, same := d.events(), d.events()
	if _, err := detectEach(d.new(), es, nothing); err != nil {
		return []error{err}
	}
	var errs []error
	for i := range es {
		if !reflect.DeepEqual(es[i], same[i]) {
			errs = append(errs, fmt.Errorf("event %d was changed to %+v", i, es[i]))
		}
	}
	return errs
}

// eventNotKept overwrites each event after its call.
func (d detectorCheck) eventNotKept() []error {
	want, err := detectEach(d.new(), d.events(), nothing)
	if err != nil {
		return []error{err}
	}
	got, err := detectEach(d.new(), d.events(), func(e *monitor.Event) {
		clear(e.Details)
		clear(e.Session.Details)
		*e = monitor.Event{Action: "overwritten", OrganizationID: "overwritten", PrincipalID: "overwritten"}
	})
	if err != nil {
		return []error{err}
	}
	return differences(got, want)
}

// organizationsApart compares what is found in each organization with what is
// found when its events are all there are.
func (d detectorCheck) organizationsApart() []error {
	es := d.events()
	together, err := detectEach(d.new(), es, nothing)
	if err != nil {
		return []error{err}
	}
	alone := map[string][]int{}
	for i, e := range es {
		alone[e.OrganizationID] = append(alone[e.OrganizationID], i)
	}
	var errs []error
	for organization, indexes := range alone {
		detector := d.new()
		all := arrivals(es)
		for _, i := range indexes {
			r := monitor.NewReporter(all[i])
			if err := detector.Detect(context.Background(), es[i], r); err != nil {
				return []error{err}
			}
			if !reflect.DeepEqual(r.Findings(), together[i]) {
				errs = append(errs, fmt.Errorf("%s, event %d: findings\n%+v\nwhen alone, and with others\n%+v",
					organization, i, r.Findings(), together[i]))
			}
		}
	}
	return errs
}

// concurrent gives each of several goroutines an organization of its own.
func (d detectorCheck) concurrent() []error {
	const goroutines = 4
	shared := d.new()
	var (
		group sync.WaitGroup
		errs  [goroutines][]error
	)
	for g := range goroutines {
		own := func() []*monitor.Event {
			es := d.events()
			for _, e := range es {
				e.OrganizationID = fmt.Sprintf("%s-%d", e.OrganizationID, g)
			}
			return es
		}
		want, err := detectEach(d.new(), own(), nothing)
		if err != nil {
			return []error{err}
		}
		group.Go(func() {
			got, err := detectEach(shared, own(), nothing)
			if err != nil {
				errs[g] = []error{err}
				return
			}
			// References name the events of one's own organization only, but
			// the goroutines number theirs alike.
			errs[g] = differences(withoutIDs(got), withoutIDs(want))
		})
	}
	group.Wait()
	var all []error
	for _, e := range errs {
		all = append(all, e...)
	}
	return all
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

func (d detectorCheck) batch() []error {
	batcher, ok := d.new().(monitor.BatchDetector)
	if !ok {
		return nil
	}
	want, err := detectEach(d.new(), d.events(), nothing)
	if err != nil {
		return []error{err}
	}
	es := d.events()
	rs := reporters(arrivals(es))
	if err := batcher.DetectBatch(context.Background(), es, rs); err != nil {
		return []error{err}
	}
	got := make([][]monitor.Finding, len(es))
	for i, r := range rs {
		got[i] = r.Findings()
	}
	return differences(got, want)
}

func (d detectorCheck) emptyBatch() []error {
	if batcher, ok := d.new().(monitor.BatchDetector); ok {
		if err := batcher.DetectBatch(context.Background(), nil, nil); err != nil {
			return []error{err}
		}
	}
	return nil
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
					e.Details = maps.Clone(map[string]any{"kept": true})
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
