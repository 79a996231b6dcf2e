package monitor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

var errFull = errors.New("disk full")

// TestRefused has a store that can never keep one alert, in several ways. Its event
// is settled with an error that names it, and everything else is stored.
func TestRefused(t *testing.T) {
	t.Parallel()
	refuse := func(err error) monitor.AlertStorer {
		return storerFunc(func(os []*monitor.Occurrence) ([]monitor.Disposition, error) {
			for _, o := range os {
				switch {
				case o.Finding.Event.ID != "bad":
				case err == nil:
					panic("boom")
				default:
					return nil, err
				}
			}
			return stored(os), nil
		})
	}
	for name, alerts := range map[string]monitor.AlertStorer{
		"error": refuse(errors.Join(errFull, monitor.ErrPermanent)),
		"panic": refuse(nil),
		"handler": monitor.AlertHandlerFunc(func(_ context.Context, a *monitor.Alert) error {
			if a.Finding.Event.ID == "bad" {
				panic("boom")
			}
			return nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counts := &counters{}
			m := newMonitor(t, func(c *monitor.Config) {
				c.Detectors, c.Metrics, c.Alerts = []monitor.Detector{&detector{name: "all"}}, counts, alerts
			})
			es := []*monitor.Event{newEvent("a", 0), newEvent("bad", 0), newEvent("b", 0)}
			results, err := m.ProcessBatch(t.Context(), deliveries(es...))
			if err == nil || !strings.Contains(err.Error(), `"bad"`) {
				t.Errorf("the error does not name the event: %v", err)
			}
			for i, r := range results {
				want := monitor.StoredNew
				if es[i].ID == "bad" {
					want = monitor.StoreRefused
				}
				check.Equal(t, es[i].ID+": state", r.State, monitor.StateDone)
				check.Equal(t, es[i].ID+": stored", r.Dispositions[0].Stored, want)
				check.Equal(t, es[i].ID+": failed", r.Err != nil, es[i].ID == "bad")
			}
			check.Equal(t, "refused", counts.get("occurrences_refused/all"), 1)
			check.Equal(t, "created", counts.get("alerts_created/all"), 2)
			again, err := m.Process(t.Context(), es[1])
			check.NoError(t, "again", err)
			check.Equal(t, "again", again.Duplicate, monitor.DuplicateRedelivered)
		})
	}
}

// TestHandledOnce has a handler fail for one alert of several. It is not given the
// others again.
func TestHandledOnce(t *testing.T) {
	t.Parallel()
	handled, failing := map[string]int{}, true
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "first"}, &detector{name: "second"}, &detector{name: "third"}}
		c.Alerts = monitor.AlertHandlerFunc(func(_ context.Context, a *monitor.Alert) error {
			handled[a.Finding.Event.ID+" "+a.Finding.Rule]++
			if failing && a.Finding.Event.ID == "b" && a.Finding.Rule == "second" {
				return errFull
			}
			return nil
		})
	})
	es := []*monitor.Event{newEvent("a", 0), newEvent("b", 0), newEvent("c", 0)}
	results, err := m.ProcessBatch(t.Context(), deliveries(es...))
	check.Equal(t, "full", errors.Is(err, errFull), true)
	check.Equal(t, "a", results[0].State, monitor.StateDone)
	check.Equal(t, "b", results[1].State, monitor.StateRetry)
	check.Equal(t, "c", results[2].State, monitor.StateDone)
	failing = false
	r, err := m.Process(t.Context(), es[1])
	check.NoError(t, "retry", err)
	check.Equal(t, "dispositions", len(r.Dispositions), 3)
	check.Equal(t, "handled", handled, map[string]int{
		"a first": 1, "a second": 1, "a third": 1, "b first": 1, "b second": 2, "b third": 1, "c first": 1, "c second": 1, "c third": 1,
	})
}

// TestPassingErrorIsNotPassedOn has a store that is down asked once, not once an
// event.
func TestPassingErrorIsNotPassedOn(t *testing.T) {
	t.Parallel()
	calls := 0
	m := newMonitor(t, func(c *monitor.Config) {
		c.Detectors = []monitor.Detector{&detector{name: "all"}}
		c.Alerts = storerFunc(func([]*monitor.Occurrence) ([]monitor.Disposition, error) {
			if calls++; calls == 1 {
				return nil, monitor.ErrPermanent
			}
			return nil, errFull
		})
	})
	results, err := m.ProcessBatch(t.Context(), deliveries(newEvent("a", 0), newEvent("b", 0), newEvent("c", 0)))
	check.Equal(t, "full", errors.Is(err, errFull), true)
	check.Equal(t, "calls", calls, 2)
	for _, r := range results {
		check.Equal(t, "state", r.State, monitor.StateRetry)
	}
}

// TestValidateOccurrence spoils an occurrence in each field.
func TestValidateOccurrence(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)
	occurrence := func() *monitor.Occurrence {
		return &monitor.Occurrence{
			Finding: monitor.Finding{
				Rule: strings.Repeat("r", 255), OrganizationID: strings.Repeat("o", 1000), Key: strings.Repeat("k", 64<<10),
				Event: monitor.EventRef{Timestamp: at}, References: []monitor.EventRef{{}, {Timestamp: at}},
			},
			Fingerprint: monitor.Fingerprint{1}, EventKey: monitor.EventKey{1}, Count: 1, FirstSeen: at, LastSeen: at,
		}
	}
	check.NoError(t, "valid", occurrence().Validate())
	far := time.Date(10_001, 1, 1, 0, 0, 0, 0, time.UTC)
	for field, spoil := range map[string]func(o *monitor.Occurrence){
		"Fingerprint":                   func(o *monitor.Occurrence) { o.Fingerprint = monitor.Fingerprint{} },
		"EventKey":                      func(o *monitor.Occurrence) { o.EventKey = monitor.EventKey{} },
		"Count":                         func(o *monitor.Occurrence) { o.Count = 0 },
		"FirstSeen":                     func(o *monitor.Occurrence) { o.FirstSeen = time.Time{} },
		"LastSeen":                      func(o *monitor.Occurrence) { o.LastSeen = far },
		"CorrelationID":                 func(o *monitor.Occurrence) { o.CorrelationID = strings.Repeat("c", 8<<10+1) },
		"Finding.OrganizationID":        func(o *monitor.Occurrence) { o.Finding.OrganizationID += "o" },
		"Finding.Rule":                  func(o *monitor.Occurrence) { o.Finding.Rule += "r" },
		"Finding.Key":                   func(o *monitor.Occurrence) { o.Finding.Key += "k" },
		"Finding.Severity":              func(o *monitor.Occurrence) { o.Finding.Severity = 99 },
		"Finding.Event.Timestamp":       func(o *monitor.Occurrence) { o.Finding.Event.Timestamp = time.Time{} },
		"Finding.CompletedBy.Timestamp": func(o *monitor.Occurrence) { o.Finding.CompletedBy.Timestamp = far },
		"Finding.References.Timestamp":  func(o *monitor.Occurrence) { o.Finding.References[1].Timestamp = far },
		"Finding.References.ID":         func(o *monitor.Occurrence) { o.Finding.References[0].ID = strings.Repeat("i", 8<<10+1) },
	} {
		o := occurrence()
		spoil(o)
		err := o.Validate()
		wrong, ok := errors.AsType[*monitor.InvalidOccurrenceError](err)
		if !ok || wrong.Field != field || !errors.Is(err, monitor.ErrPermanent) {
			t.Errorf("%s: error %v", field, err)
		}
	}
	var none *monitor.Occurrence
	check.Equal(t, "nil", errors.Is(none.Validate(), monitor.ErrPermanent), true)
}

// TestOrganizationLimit has events and stores share their limits.
func TestOrganizationLimit(t *testing.T) {
	t.Parallel()
	e := newEvent("a", 0)
	e.OrganizationID = strings.Repeat("o", monitor.MaxOrganizationSize)
	check.NoError(t, "at the limit", e.Validate())
	for _, name := range []string{e.OrganizationID + "o", "a\x00b", "\xff"} {
		e.OrganizationID = name
		wantInvalid(t, e.Validate(), "organizationId")
		check.Equal(t, "CheckOrganization", monitor.CheckOrganization(name) != nil, true)
	}
	check.Equal(t, "empty", monitor.CheckOrganization(""), monitor.ErrNoOrganization)
}

type storerFunc func(os []*monitor.Occurrence) ([]monitor.Disposition, error)

func (f storerFunc) StoreOccurrences(_ context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	return f(os)
}

func stored(os []*monitor.Occurrence) []monitor.Disposition {
	ds := make([]monitor.Disposition, len(os))
	for i := range os {
		ds[i] = monitor.Disposition{AlertID: "1", Stored: monitor.StoredNew}
	}
	return ds
}
