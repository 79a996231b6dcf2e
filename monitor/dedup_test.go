package monitor_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// sender has organizations send events with IDs.
type sender struct {
	t *testing.T
	m *monitor.Monitor
}

func (s sender) send(organization, id string) monitor.Duplicate {
	s.t.Helper()
	e := newEvent(id, 0)
	e.OrganizationID = organization
	return process(s.t, s.m, e).Duplicate
}

// count returns how many of an organization's events from 0 on have that answer.
func (s sender) count(organization string, events int, want monitor.Duplicate) (n int) {
	s.t.Helper()
	for i := range events {
		if s.send(organization, list(i)) == want {
			n++
		}
	}
	return n
}

// TestFloodsForgetNobodyElses has tenants send their share of what the cache
// remembers, and others far more.
func TestFloodsForgetNobodyElses(t *testing.T) {
	t.Parallel()
	const capacity = 64 * 100
	floods := map[string]func(s sender){
		"one tenant": func(s sender) {
			for i := range 4 * capacity {
				s.send("flood", list(i))
			}
		},
		"made-up organizations": func(s sender) {
			for i := range 4 * capacity {
				s.send(list("made-up-", i), "e")
			}
		},
	}
	for name, flood := range floods {
		synctest.Test(t, func(t *testing.T) {
			c := &counters{}
			m := newMonitor(t, func(c2 *monitor.Config) { c2.DuplicateCapacity, c2.Metrics = capacity, c })
			s := sender{t, m}
			const events = capacity / 20
			for _, organization := range []string{"a", "b", "c"} {
				check.Equal(t, "new", s.count(organization, events, monitor.DuplicateNone), events)
			}
			flood(s)
			// An organization is a newcomer with its first few.
			const own = events - 10
			if n := s.count("a", events, monitor.DuplicateRedelivered); n < own {
				t.Errorf("%s: %d of %d redeliveries are recognized", name, n, events)
			}
			flood(s)
			advance(15*time.Minute + 1)
			if n := s.count("b", events, monitor.DuplicateReplayed); n < own {
				t.Errorf("%s: %d of %d replays are recognized", name, n, events)
			}
			if c.get("duplicates_forgotten") < 4*capacity {
				t.Errorf("%s: %d events forgotten", name, c.get("duplicates_forgotten"))
			}
		})
	}
}

// TestShareOfOneWhoLeft has tenants that send no more give way after a day.
func TestShareOfOneWhoLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const capacity = 64 * 64
		s := sender{t, newMonitor(t, func(c *monitor.Config) { c.DuplicateCapacity = capacity })}
		for tenant := range 40 {
			s.count(list("gone-", tenant), capacity/40, monitor.DuplicateNone)
		}
		advance(25 * time.Hour)
		for i := range 3 * capacity {
			s.send("busy", list("first-", i))
		}
		const events = capacity * 3 / 4
		s.count("busy", events, monitor.DuplicateNone)
		if n := s.count("busy", events, monitor.DuplicateRedelivered); n < events*95/100 {
			t.Errorf("%d of the %d newest are recognized", n, events)
		}
	})
}

// TestLargeUnfinishedEventsTakeMorePlaces has events fail whose findings are large.
func TestLargeUnfinishedEventsTakeMorePlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ size, least, most int }{
		"small": {10, 64 * 64 * 9 / 10, 64 * 64},
		"large": {monitor.MaxFieldSize, 64 * 16, 64 * 32},
	} {
		s, metrics := &store{fail: errDown}, &counters{}
		d := &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) {
			c.Alerts, c.Detectors, c.DuplicateCapacity, c.Metrics = s, []monitor.Detector{d}, 64*64, metrics
		})
		event := func(i int) *monitor.Event {
			e := newEvent(list(i), 0)
			e.PrincipalID = strings.Repeat("p", c.size)
			return e
		}
		const events = 64 * 64
		for i := range events {
			_, err := m.Process(t.Context(), event(i))
			check.Equal(t, "failed", err != nil, true)
		}
		forgotten := int(metrics.get("duplicates_forgotten"))
		if kept := events - forgotten; kept < c.least || kept > c.most {
			t.Errorf("%s: %d unfinished events are kept, want %d to %d", name, kept, c.least, c.most)
		}
		// Those that are kept go on where they stopped, the newest first.
		s.setFail(nil)
		seen := len(d.events())
		for i := range 300 {
			process(t, m, event(events-1-i))
		}
		check.Equal(t, name+": judged again", len(d.events())-seen, 0)
		check.Equal(t, name+": stored", int(s.list()[0].Occurrences), 300)
	}
}
