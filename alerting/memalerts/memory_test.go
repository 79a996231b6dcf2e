package memalerts_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// heap returns the bytes in use. Tests that compare them do not run in parallel.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// of returns an occurrence of any organization, which costs less than one of the suite.
func of(organization string, fingerprint, event int) *monitor.Occurrence {
	o := alertingtest.Occurrence(organization, "mallory", "e", time.Unix(1_700_000_000, 0))
	binary.BigEndian.PutUint64(o.Fingerprint[:], uint64(fingerprint))
	binary.BigEndian.PutUint64(o.EventKey[:], uint64(event))
	return o
}

// number returns the number of the fingerprint of an alert.
func number(a *monitor.Alert) int { return int(binary.BigEndian.Uint64(a.Fingerprint[:])) }

func openAlerts(t *testing.T, s *memalerts.Store, organization string) int {
	t.Helper()
	return check.Must(s.Count(t.Context(), alerting.Query{
		Organization: organization, Statuses: []monitor.AlertStatus{monitor.AlertActive},
	}))(t)
}

// TestFloods has floods of made-up organizations and of one organization's alerts.
// They take the memory that is free, and nothing from others.
func TestFloods(t *testing.T) {
	const limit, victims, flood = 8 << 20, 100, 10_000
	large := strings.Repeat("x", 8*monitor.MaxFieldSize)
	for name, hostile := range map[string]func(i int) *monitor.Occurrence{
		"organizations":           func(i int) *monitor.Occurrence { return of(fmt.Sprint("made up ", i), 1, i+1) },
		"organizations of five":   func(i int) *monitor.Occurrence { return of(fmt.Sprint("made up ", i/5), i%5, i+1) },
		"alerts of one":           func(i int) *monitor.Occurrence { return of("hostile", i, i+1) },
		"alerts of ten":           func(i int) *monitor.Occurrence { return of(fmt.Sprint("hostile ", i%10), i, i+1) },
		"events of one alert":     func(i int) *monitor.Occurrence { return of("hostile", 1, i+1) },
		"events of thirty alerts": func(i int) *monitor.Occurrence { return of("hostile", i%30, i+1) },
		"largest alerts": func(i int) *monitor.Occurrence {
			o := of(fmt.Sprint("hostile ", i%3), i%1000, i+1)
			if i%10 == 0 {
				o.Finding.Detail = large
			}
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			counted := memmetrics.New()
			s := memalerts.New(&memalerts.Options{MaxBytes: limit, Metrics: counted})
			// The victim's alerts are opened during the flood.
			for i := range flood {
				if i%(flood/victims) == 0 {
					put(t, s, of("victim", i, i+1))
				}
				put(t, s, hostile(i))
			}
			check.Equal(t, "alerts of the victim", openAlerts(t, s, "victim"), victims)
			if used := s.Used(); used > limit {
				t.Errorf("the store takes %d bytes, more than %d", used, limit)
			}
			if grown := heap() - before; grown > limit*5/4 {
				t.Errorf("the heap has grown by %d bytes, to more than %d", grown, limit)
			}
			open, closed := s.Evicted()
			check.Equal(t, "closed alerts evicted", closed, 0)
			m := check.Must(counted.Snapshot(t.Context()))(t)
			check.Equal(t, "evictions counted", m.Metrics[monitor.AlertsEvicted].Value, open)
			kept := check.Must(s.Count(t.Context(), alerting.Query{Organization: alerting.AllOrganizations}))(t)
			if open > 0 {
				h := check.Health(t, s, monitor.HealthWarning)
				if !strings.Contains(h.Message, fmt.Sprint(open, " open alerts evicted")) {
					t.Errorf("health says %q after %d evictions", h.Message, open)
				}
			} else if s.Used() > limit/2 || kept > victims+30 {
				t.Error("the flood is not one")
			}
			if organizations := s.Organizations(); organizations > kept {
				t.Errorf("%d organizations have %d alerts", organizations, kept)
			}
			runtime.KeepAlive(counted)
		})
	}
}

// TestShares checks that of several organizations the one that uses most gives, and
// gives what is least of a loss.
func TestShares(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxBytes: 1 << 20})
	ids := map[int]string{}
	for i := range 100 {
		ids[i] = put(t, s, of("large", i, i+1))[0].AlertID
		if i%2 == 0 {
			put(t, s, of("small", i, i+1))
		}
	}
	closed := monitor.AlertRef{Organization: "large", ID: ids[99]}
	check.Must(s.Change(t.Context(), closed, monitor.AlertResolved, "ann", ""))(t)
	put(t, s, of("large", 0, 1000)) // it is not quiet
	for i := range 400 {
		put(t, s, of("large", 100+i, 100+i+1))
	}
	check.Equal(t, "alerts of the small one", openAlerts(t, s, "small"), 50)
	open, gone := s.Evicted()
	check.Equal(t, "closed alerts evicted", gone, 1)
	if open < 100 {
		t.Errorf("%d open alerts were evicted", open)
	}
	// They were evicted in the order in which they fell quiet.
	page := check.Must(s.List(t.Context(), alerting.Query{Organization: "large", Limit: 1000}))(t)
	check.Equal(t, "the newest", number(page[0]), 499)
	_, _, err := s.Get(t.Context(), closed)
	check.ErrorIs(t, "Get of the closed alert", err, monitor.ErrNotFound)
	// An alert that was given up is opened again by the next of its events.
	check.Equal(t, "disposition", put(t, s, of("large", 1, 2))[0].Stored, monitor.StoredNew)
}

// TestEvictionTakesAll checks that nothing of an evicted alert is left: no timer, no
// notification and no event key.
func TestEvictionTakesAll(t *testing.T) {
	t.Parallel()
	s := memalerts.New(&memalerts.Options{MaxBytes: 64 << 10})
	check.Must(s.SaveSettings(t.Context(), "acme", alerting.Settings{
		AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: time.Millisecond},
		Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityMedium: {{After: time.Millisecond}}},
	}, "ann"))(t)
	const alerts = 100
	for i := range alerts {
		put(t, s, of("acme", i, i+1))
		if i%10 == 0 {
			check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager", "mail"), nil, 1, time.Minute))(t)
		}
	}
	open, _ := s.Evicted()
	left := openAlerts(t, s, "acme")
	check.Equal(t, "alerts", int64(left)+open, alerts)
	check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager", "mail"), nil, 0, time.Minute))(t)
	b := check.Must(s.Backlog(t.Context()))(t)
	check.Equal(t, "waiting", b.Waiting, 2*left)
	if b.Dropped[driver.DroppedTooMany] < open {
		t.Errorf("%d notifications of %d evicted alerts were dropped", b.Dropped[driver.DroppedTooMany], open)
	}
	ns := check.Must(s.ClaimNotifications(t.Context(), "mail", routes("mail"), nil, 1000, time.Minute))(t)
	check.Equal(t, "claimed", len(ns), left)
	for resolved := 0; resolved < left; {
		_, n, err := s.RunTimers(t.Context())
		check.NoError(t, "RunTimers", err)
		resolved += n
	}
	check.Equal(t, "open in the end", openAlerts(t, s, "acme"), 0)
}

// TestMadeUpOrganizationsLeaveNothing checks that an organization is forgotten with
// its last alert, unless it has settings.
func TestMadeUpOrganizationsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	check.Must(s.SaveSettings(t.Context(), "real", alerting.Settings{}, "ann"))(t)
	for i := range 100 {
		name := fmt.Sprint("made up ", i)
		id := put(t, s, of(name, 1, 1))[0].AlertID
		check.Must(s.Change(t.Context(), monitor.AlertRef{Organization: name, ID: id}, monitor.AlertDismissed, "ann", ""))(t)
		check.Must(s.Purge(t.Context(), name, time.Now().Add(time.Hour)))(t)
		check.Must(s.List(t.Context(), alerting.Query{Organization: fmt.Sprint("never heard of ", i), Limit: 1}))(t)
	}
	check.Equal(t, "organizations", s.Organizations(), 1)
	// A refused save leaves nothing either.
	_, err := s.SaveSettings(t.Context(), "nobody", alerting.Settings{Version: 3}, "ann")
	check.ErrorIs(t, "SaveSettings", err, monitor.ErrConflict)
	check.Equal(t, "organizations", s.Organizations(), 1)
}

// TestUsedIsHonest compares what the store counts with what it takes.
func TestUsedIsHonest(t *testing.T) {
	large := strings.Repeat("x", monitor.MaxFieldSize)
	for name, o := range map[string]func(i int) *monitor.Occurrence{
		"alerts":        func(i int) *monitor.Occurrence { return of("acme", i, i+1) },
		"organizations": func(i int) *monitor.Occurrence { return of(fmt.Sprint(i), 1, i+1) },
		"events":        func(i int) *monitor.Occurrence { return of("acme", i%20, i+1) },
		"references": func(i int) *monitor.Occurrence {
			o := of("acme", i, i+1)
			for j := range 20 {
				o.Finding.References = append(o.Finding.References, monitor.EventRef{ID: fmt.Sprint("a-rather-usual-event-id-", i, j), Sequence: 1})
			}
			return o
		},
		"texts": func(i int) *monitor.Occurrence {
			o := of("acme", i, i+1)
			o.Finding.Key, o.Finding.Detail = large[:1000+i%1000], large
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s := memalerts.New(&memalerts.Options{MaxBytes: -1, MaxNotifications: math.MaxInt})
			const n = 4000
			for i := range n {
				put(t, s, o(i))
			}
			grown, used := heap()-before, s.Used()
			t.Logf("%d bytes, of which %d are counted", grown/n, used/n)
			if grown > used*5/4 || used > 3*grown {
				t.Errorf("the heap has grown by %d bytes, and %d are counted", grown, used)
			}
			runtime.KeepAlive(s)
		})
	}
}

// TestPinsNothing checks that no part of a text that the store was given makes it keep
// the whole text.
func TestPinsNothing(t *testing.T) {
	before := heap()
	s := memalerts.New(nil)
	const n, size = 100, 1 << 20
	text := func(i int) string { return fmt.Sprintf("%08d", i) + strings.Repeat("x", size) }
	for i := range n {
		line := text(i)
		o := of(line[:8], i, i+1)
		f := &o.Finding
		f.Rule, f.Key, f.KeyField, f.Technique, f.Detail = line[8:12], line[12:20], line[20:24], line[24:28], line[28:40]
		f.Event.ID, f.CompletedBy.ID, f.References[0].ID = line[40:44], line[44:48], line[48:52]
		o.Source, o.CorrelationID = line[52:56], line[56:60]
		f.CompletedBy.Timestamp = o.LastSeen
		ref := monitor.AlertRef{Organization: strings.Clone(line[:8]), ID: put(t, s, o)[0].AlertID}
		check.Must(s.Change(t.Context(), ref, monitor.AlertAcknowledged, line[60:64], line[64:68]))(t)
		ns := check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager"), nil, 10, time.Minute))(t)
		ns[0].Failure = line[68:80]
		check.NoError(t, "SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Delivery{
			{Notification: ns[0], Outcome: alerting.OutcomeRetry, RetryAfter: time.Hour},
		}))
		check.Must(s.SaveSettings(t.Context(), ref.Organization, alerting.Settings{}, line[80:84]))(t)
	}
	if grown := heap() - before; grown > n*size/10 {
		t.Errorf("%d alerts take %d bytes", n, grown)
	}
	runtime.KeepAlive(s)
}
