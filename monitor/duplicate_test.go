package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c, d := &store{}, &counters{}, &detector{name: "all"}
		m := newMonitor(t, func(c2 *monitor.Config) {
			c2.Detectors, c2.Alerts, c2.Metrics = []monitor.Detector{d}, s, c
			c2.RedeliveryHorizon = time.Minute
		})
		process(t, m, newEvent("e1", 0))
		advance(time.Minute) // exactly the horizon
		r := process(t, m, newEvent("e1", 0))
		check.Equal(t, "within the horizon", r.Duplicate, monitor.DuplicateRedelivered)
		check.Equal(t, "findings", len(r.Findings), 0)
		advance(1)
		r = process(t, m, newEvent("e1", 0))
		check.Equal(t, "beyond the horizon", r.Duplicate, monitor.DuplicateReplayed)
		check.Equal(t, "rule", r.Findings[0].Rule, monitor.RuleReplayed)
		check.Equal(t, "organization", r.Findings[0].OrganizationID, "org-1")
		check.Equal(t, "stored", r.Dispositions[0].Stored, monitor.StoredNew)
		r = process(t, m, newEvent("e1", 0))
		check.Equal(t, "replayed again", r.Dispositions[0].Stored, monitor.StoredRepeat)

		other := newEvent("e1", 0)
		other.OrganizationID = "org-2"
		check.Equal(t, "another organization", process(t, m, other).Duplicate, monitor.DuplicateNone)
		check.Equal(t, "without an ID", process(t, m, newEvent("", 0)).Duplicate, monitor.DuplicateNone)

		check.Equal(t, "events that the detector saw", len(d.events()), 3)
		check.Equal(t, "duplicates", c.get("events_duplicate"), 1)
		check.Equal(t, "replays", c.get("events_replayed"), 2)
	})
}

func TestConflict(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*monitor.Event){
		"timestamp":   func(e *monitor.Event) { e.Timestamp = e.Timestamp.Add(1) },
		"principal":   func(e *monitor.Event) { e.PrincipalID = "bob" },
		"recordCount": func(e *monitor.Event) { e.RecordCount = 7 },
		"address":     func(e *monitor.Event) { e.Session.IPAddress = "192.0.2.1" },
		"signature":   func(e *monitor.Event) { e.Signature = "00" },
		"details":     func(e *monitor.Event) { e.Details = map[string]any{"a": []any{map[string]any{"b": "2"}}} },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{}
			m := newMonitor(t, func(c *monitor.Config) { c.Alerts = s })
			e := newEvent("e1", 0)
			e.Details = map[string]any{"a": []any{map[string]any{"b": "1"}}}
			process(t, m, e)
			same := e.Clone()
			check.Equal(t, "the same", process(t, m, same).Duplicate, monitor.DuplicateRedelivered)
			change(same)
			r := process(t, m, same)
			check.Equal(t, "changed", r.Duplicate, monitor.DuplicateConflicting)
			check.Equal(t, "rule", r.Findings[0].Rule, monitor.RuleConflicting)
			check.Equal(t, "alerts", len(s.list()), 1)
		})
	}
}

func TestDuplicateMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := &counters{}
	m := newMonitor(t, func(c2 *monitor.Config) { c2.Metrics, c2.DuplicateCapacity = c, 160 })
	for i := range 1000 {
		process(t, m, newEvent(fmt.Sprint("e", i), 0))
	}
	check.Equal(t, "the newest", process(t, m, newEvent("e999", 0)).Duplicate, monitor.DuplicateRedelivered)
	check.Equal(t, "one of the oldest", process(t, m, newEvent("e100", 0)).Duplicate, monitor.DuplicateNone)
	if got := c.get("duplicates_forgotten"); got < 1000-160 || got > 1001-160+160 {
		t.Errorf("%d events forgotten", got)
	}
	off := newMonitor(t, func(c *monitor.Config) { c.DuplicateCapacity = -1 })
	process(t, off, newEvent("e1", 0))
	check.Equal(t, "switched off", process(t, off, newEvent("e1", 0)).Duplicate, monitor.DuplicateNone)
}

func TestEventInWorkIsAConflictForAnotherCall(t *testing.T) {
	t.Parallel()
	var m *monitor.Monitor
	var inner error
	d := &detector{name: "nested"}
	d.fail = func(e *monitor.Event) error {
		_, inner = m.Process(context.Background(), e)
		return nil
	}
	m = newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	process(t, m, newEvent("e1", 0))
	if !errors.Is(inner, monitor.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", inner)
	}
}

func TestTiming(t *testing.T) {
	t.Parallel()
	c := &counters{}
	arrivals := &arrivalRecorder{}
	m := newMonitor(t, func(c2 *monitor.Config) {
		c2.Metrics, c2.Detectors = c, []monitor.Detector{arrivals}
		c2.Lateness = time.Minute
	})
	before1970 := -noon.Sub(time.Unix(-3600, 0))
	steps := []struct {
		organization string
		at           time.Duration
		timing       monitor.Timing
		watermark    time.Duration
	}{
		{"a", 0, monitor.TimingOnTime, 0},
		{"a", time.Hour, monitor.TimingOnTime, time.Hour},
		{"a", time.Hour - time.Minute, monitor.TimingOnTime, time.Hour},
		{"a", time.Hour - time.Minute - 1, monitor.TimingTooLate, time.Hour},
		{"b", 0, monitor.TimingOnTime, 0},
		{"a", 2 * time.Hour, monitor.TimingOnTime, 2 * time.Hour},
		{"a", 2*time.Hour - 1, monitor.TimingOnTime, 2 * time.Hour},
		// A watermark moves in steps of a 64th of the lateness, 937.5 ms here.
		{"b", 1, monitor.TimingOnTime, 0},
		{"b", 937500*time.Microsecond - 1, monitor.TimingOnTime, 0},
		{"b", 2 * time.Second, monitor.TimingOnTime, 1875 * time.Millisecond},
		{"b", 1875*time.Millisecond - time.Minute, monitor.TimingOnTime, 1875 * time.Millisecond},
		{"b", 1875*time.Millisecond - time.Minute - 1, monitor.TimingTooLate, 1875 * time.Millisecond},
		// It is rounded down before 1970, too.
		{"c", before1970 + 1, monitor.TimingOnTime, before1970},
		{"c", before1970 + 937500*time.Microsecond - 1, monitor.TimingOnTime, before1970},
		{"c", before1970 - time.Minute - 1, monitor.TimingTooLate, before1970},
	}
	seen := map[uint64]bool{}
	for i, step := range steps {
		e := newEvent("", step.at)
		e.OrganizationID = step.organization
		r := process(t, m, e)
		check.Equal(t, fmt.Sprint("timing ", i), r.Timing, step.timing)
		a := arrivals.last
		check.Equal(t, fmt.Sprint("arrival ", i), a.Timing, step.timing)
		check.Equal(t, fmt.Sprint("watermark ", i), a.Watermark.UTC(), noon.Add(step.watermark))
		check.Equal(t, "lateness", a.Lateness, time.Minute)
		check.Equal(t, "sequence", r.Sequence, a.Sequence)
		if r.Sequence == 0 || seen[r.Sequence] {
			t.Errorf("sequence %d is not unique", r.Sequence)
		}
		seen[r.Sequence] = true
	}
	check.Equal(t, "too late", c.get("events_too_late"), 3)
}

func TestSkew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, arrivals := &counters{}, &arrivalRecorder{}
		m := newMonitor(t, func(c2 *monitor.Config) {
			c2.Metrics, c2.Detectors = c, []monitor.Detector{arrivals}
			c2.MaxSkew = time.Minute
		})
		now := time.Now()
		for _, step := range []struct {
			at        time.Duration
			timing    monitor.Timing
			watermark time.Duration
		}{
			{0, monitor.TimingOnTime, 0},
			{time.Minute + 1, monitor.TimingFuture, 0},
			{time.Minute, monitor.TimingOnTime, 0}, // it is never ahead of the clock
			{time.Hour, monitor.TimingFuture, 0},
			{-time.Minute, monitor.TimingOnTime, 0},
			{-time.Minute - 1, monitor.TimingTooLate, 0},
		} {
			e := newEvent("", 0)
			e.Timestamp = now.Add(step.at)
			check.Equal(t, fmt.Sprint("timing at ", step.at), process(t, m, e).Timing, step.timing)
			if !arrivals.last.Watermark.Equal(now.Add(step.watermark)) {
				t.Errorf("watermark at %v is %v", step.at, arrivals.last.Watermark.Sub(now))
			}
		}
		check.Equal(t, "future", c.get("events_future"), 2)
		check.Equal(t, "too late", c.get("events_too_late"), 1)
	})
}

func TestExtremeTimes(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, nil)
	for _, year := range []int{1, 1677, 2263, 9999} {
		e := newEvent("", 0)
		e.Timestamp = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err := m.Process(t.Context(), e)
		wantInvalid(t, err, "timestamp")
	}
	late := newEvent("", 0)
	late.Timestamp = time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)
	process(t, m, late)
	early := newEvent("", 0)
	early.Timestamp = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	check.Equal(t, "three centuries late", process(t, m, early).Timing, monitor.TimingTooLate)
}

type arrivalRecorder struct{ last monitor.Arrival }

func (*arrivalRecorder) Name() string { return "arrivals" }

func (a *arrivalRecorder) Detect(_ context.Context, _ *monitor.Event, r *monitor.Reporter) error {
	a.last = *r.Arrival()
	return nil
}

// TestEveryFieldTellsAConflict changes the fields of an event one by one: each is
// part of what tells a second delivery from another event with the same ID.
func TestEveryFieldTellsAConflict(t *testing.T) {
	t.Parallel()
	// What the duplicate is looked up by.
	identity := map[string]bool{"ID": true, "OrganizationID": true}
	var walk func(at string, v reflect.Value, visit func(field string, v reflect.Value))
	walk = func(at string, v reflect.Value, visit func(field string, v reflect.Value)) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported() || identity[at+f.Name]:
			case f.Type == reflect.TypeFor[monitor.Session]():
				walk(f.Name+".", v.Field(i), visit)
			default:
				visit(at+f.Name, v.Field(i))
			}
		}
	}
	fields := 0
	walk("", reflect.ValueOf(newEvent("e", 0)).Elem(), func(field string, _ reflect.Value) {
		fields++
		m := newMonitor(t, nil)
		process(t, m, newEvent("e", 0))
		changed := newEvent("e", 0)
		walk("", reflect.ValueOf(changed).Elem(), func(name string, v reflect.Value) {
			if name == field {
				change(t, v)
			}
		})
		check.Equal(t, field, process(t, m, changed).Duplicate, monitor.DuplicateConflicting)
	})
	if fields < 20 {
		t.Errorf("only %d fields were found", fields)
	}
}

// change gives a field of an event another value that is valid.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch old := v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(old.Add(time.Nanosecond)))
	case monitor.EventStatus:
		v.Set(reflect.ValueOf(monitor.StatusAttempt))
	case int64:
		v.SetInt(old + 1)
	case map[string]any:
		v.Set(reflect.ValueOf(map[string]any{"more": true}))
	default:
		v.SetString(v.String() + "x")
	}
}

func TestDetailsTellAConflict(t *testing.T) {
	t.Parallel()
	details := []map[string]any{
		{"a": map[string]any{}}, {"a": []any{}}, {"a": nil}, {"a": ""}, {"a": "1"}, {"a": json.Number("1")},
		{"a": []any{"1"}}, {"a": []any{[]any{"1"}}}, {"a": true}, {"a": "true"}, {"a": map[string]any{"b": "c"}},
		{"b": map[string]any{"a": "c"}}, {"a": []any{"b", "c"}}, {"a": []any{"c", "b"}}, {"a": map[string]any{"b": nil}},
		{"a": []any{nil}}, {"a": []any{map[string]any{}}}, {"a": false}, {"a": "null"}, {"a": nil, "b": nil}, {"": nil},
	}
	events := []*monitor.Event{newEvent("e", 0)} // without any
	for _, d := range details {
		here, there := newEvent("e", 0), newEvent("e", 0)
		here.Details, there.Session.Details = d, d
		events = append(events, here, there)
	}
	for i, first := range events {
		for j, second := range events {
			m := newMonitor(t, nil)
			process(t, m, first)
			want := monitor.DuplicateConflicting
			if i == j {
				want = monitor.DuplicateRedelivered
			}
			check.Equal(t, list(first.Details, first.Session.Details, second.Details, second.Session.Details),
				process(t, m, second).Duplicate, want)
		}
	}
}

func TestManyOrganizationsKeepTheirWatermarks(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, nil)
	timing := func(organization int, at time.Duration) monitor.Timing {
		t.Helper()
		e := newEvent("", at)
		e.OrganizationID = list("org-", organization)
		return process(t, m, e).Timing
	}
	const organizations = 300
	for i := range organizations {
		check.Equal(t, "first", timing(i, time.Duration(i)*time.Hour), monitor.TimingOnTime)
	}
	for i := range organizations {
		check.Equal(t, "late", timing(i, time.Duration(i)*time.Hour-time.Minute), monitor.TimingOnTime)
		check.Equal(t, "too late", timing(i, time.Duration(i)*time.Hour-time.Minute-time.Second), monitor.TimingTooLate)
	}
}

func TestNewestEventsAreKnown(t *testing.T) {
	t.Parallel()
	const capacity, newest = 1024, 256
	m := newMonitor(t, func(c *monitor.Config) { c.DuplicateCapacity = capacity })
	duplicate := func(id int) monitor.Duplicate {
		t.Helper()
		return process(t, m, newEvent(list(id), time.Duration(id))).Duplicate
	}
	for id := range 4 * capacity {
		check.Equal(t, "new", duplicate(id), monitor.DuplicateNone)
	}
	for id := 4*capacity - newest; id < 4*capacity; id++ {
		check.Equal(t, "known", duplicate(id), monitor.DuplicateRedelivered)
	}
}

// TestEvictedEventStartsAnew has the cache evict an event whose processing failed.
func TestEvictedEventStartsAnew(t *testing.T) {
	t.Parallel()
	s := &store{}
	m := newMonitor(t, func(c *monitor.Config) {
		c.DuplicateCapacity, c.Alerts = 1, s
		c.Detectors = []monitor.Detector{&detector{name: "read", trigger: "data.read"}}
	})
	s.setFail(errDown)
	if _, err := m.Process(t.Context(), newEvent("e", 0)); err == nil {
		t.Fatal("no error")
	}
	s.setFail(nil)
	for id := range 1000 {
		other := newEvent(list(id), 0)
		other.Action = "data.list"
		process(t, m, other)
	}
	check.Equal(t, "first", process(t, m, newEvent("e", 0)).Duplicate, monitor.DuplicateNone)
	again := process(t, m, newEvent("e", 0))
	check.Equal(t, "again", again.Duplicate, monitor.DuplicateRedelivered)
	check.Equal(t, "findings", len(again.Findings), 0)
}
