package monitortest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// finder is a detector of events that were denied, with one flaw.
type finder struct {
	name func() string
	flaw func(e *monitor.Event, f *monitor.Finding)
	err  error
	mute bool
	// punctual finds nothing ahead of the watermark.
	punctual bool
	batch    func(n int) error

	mu     sync.Mutex
	denied map[string]int
}

func newFinder(edit func(f *finder)) *finder {
	f := &finder{
		name:   func() string { return "finder" },
		flaw:   func(*monitor.Event, *monitor.Finding) {},
		batch:  func(int) error { return nil },
		denied: map[string]int{},
	}
	edit(f)
	return f
}

func (d *finder) Name() string { return d.name() }

func (d *finder) Detect(_ context.Context, e *monitor.Event, r *monitor.Reporter) error {
	if d.err != nil || d.mute || e.OutcomeDescription != "access denied" {
		return d.err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a := r.Arrival()
	d.denied[a.OrganizationID]++
	ref := monitor.EventRef{ID: e.ID, Timestamp: e.Timestamp, Sequence: a.Sequence}
	f := monitor.Finding{
		Rule: "denied", OrganizationID: a.OrganizationID, Key: e.PrincipalID, KeyField: "principalId",
		Event: ref, Count: d.denied[a.OrganizationID], References: []monitor.EventRef{ref},
	}
	d.flaw(e, &f)
	if d.punctual && e.Timestamp.After(a.Watermark) {
		return nil
	}
	r.Report(f)
	return nil
}

func (d *finder) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	if err := d.batch(len(es)); err != nil {
		return err
	}
	for i, e := range es {
		if err := d.Detect(ctx, e, rs[i]); err != nil {
			return err
		}
	}
	return nil
}

// A detector with one flaw fails those cases of the suite, and no others.
func TestRunDetectorFindsFlaws(t *testing.T) {
	t.Parallel()
	flaw := func(flaw func(e *monitor.Event, f *monitor.Finding)) func(*finder) {
		return func(d *finder) { d.flaw = flaw }
	}
	incomplete := []string{"findings_complete"}
	tests := map[string]struct {
		edit func(d *finder)
		want []string
	}{
		"none":      {func(*finder) {}, nil},
		"no name":   {func(d *finder) { d.name = func() string { return "" } }, []string{"name"}},
		"mute":      {func(d *finder) { d.mute = true }, incomplete},
		"no rule":   {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Rule = "" }), incomplete},
		"no key":    {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Key = "" }), incomplete},
		"no field":  {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.KeyField = "" }), incomplete},
		"no event":  {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Event = monitor.EventRef{} }), incomplete},
		"severity":  {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Severity = 9 }), incomplete},
		"threshold": {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Threshold = f.Count + 1 }), incomplete},
		"no count":  {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Count = 0 }), incomplete},
		"completed": {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.CompletedBy = f.Event }), incomplete},
		"tenant":    {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.OrganizationID = "org-3" }), incomplete},
		"reference": {flaw(func(_ *monitor.Event, f *monitor.Finding) { f.References[0].ID = "other" }), incomplete},
		"old reference": {flaw(func(_ *monitor.Event, f *monitor.Finding) {
			old := f.Event
			old.Timestamp = f.Event.Timestamp.Add(-f.Window - 1)
			f.Window = 1
			f.References = []monitor.EventRef{old, f.Event}
		}), incomplete},
		"unordered references": {flaw(func(_ *monitor.Event, f *monitor.Finding) {
			future := f.Event
			future.Timestamp = f.Event.Timestamp.Add(1)
			f.References = []monitor.EventRef{future, f.Event}
		}), incomplete},
		"changes the event": {flaw(func(e *monitor.Event, _ *monitor.Finding) { e.Details["kept"] = false }), []string{"event_unchanged"}},
		"mixes tenants": {func(d *finder) {
			d.flaw = func(_ *monitor.Event, f *monitor.Finding) {
				f.Count = 0
				for _, n := range d.denied {
					f.Count += n
				}
			}
		}, []string{"organizations_apart", "concurrent"}},
		"keeps the event": {func(d *finder) {
			var first *monitor.Event
			d.flaw = func(e *monitor.Event, f *monitor.Finding) {
				if first == nil {
					first = e
				}
				f.Detail = first.Action
			}
		}, []string{"event_not_kept"}},
		"fails": {func(d *finder) { d.err = errors.New("no") }, []string{
			"findings_complete", "same_again", "event_unchanged", "event_not_kept",
			"ahead_of_watermark", "organizations_apart", "concurrent", "batch",
		}},
		"ahead": {func(d *finder) { d.punctual = true }, []string{"ahead_of_watermark"}},
		"batch fails": {func(d *finder) {
			d.batch = func(int) error { return errors.New("no") }
		}, []string{"batch", "empty_batch"}},
		"batch differs": {func(d *finder) {
			d.batch = func(n int) error { d.mute = n > 0; return nil }
		}, []string{"batch"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := monitortest.FailedDetectorCases(t, func() monitor.Detector { return newFinder(tt.edit) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("failed cases %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		t.Parallel()
		n := 0
		got := monitortest.FailedDetectorCases(t, func() monitor.Detector {
			n++
			own := n
			return newFinder(flaw(func(_ *monitor.Event, f *monitor.Finding) { f.Count += own }))
		})
		if want := []string{
			"same_again", "event_not_kept", "ahead_of_watermark", "organizations_apart", "concurrent", "batch",
		}; !slices.Equal(got, want) {
			t.Errorf("failed cases %q, want %q", got, want)
		}
	})
	t.Run("two names", func(t *testing.T) {
		t.Parallel()
		n := 0
		got := monitortest.FailedDetectorCases(t, func() monitor.Detector {
			n++
			name := "finder" + string(rune('0'+n%10))
			return newFinder(func(d *finder) { d.name = func() string { return name } })
		})
		if !slices.Equal(got, []string{"name"}) {
			t.Errorf("failed cases %q", got)
		}
	})
}

// The suite takes a detector without batches.
func TestRunDetector(t *testing.T) {
	t.Parallel()
	type single struct{ monitor.Detector }
	monitortest.RunDetector(t, monitortest.DetectorHarness{
		New: func(*testing.T) monitor.Detector { return single{newFinder(func(*finder) {})} },
	})
}
