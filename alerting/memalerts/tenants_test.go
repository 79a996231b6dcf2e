package memalerts_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func routes(names ...string) []alerting.Route {
	var all []alerting.Route
	for _, name := range names {
		all = append(all, alerting.Route{Name: name, Reasons: alerting.Reasons(), ExpireAfter: time.Hour})
	}
	return all
}

// TestBusyOrganization checks that nothing that one organization does has to wait for
// another. If it had to, the test would never end.
func TestBusyOrganization(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memalerts.New(nil)
		claim := func(lease time.Duration) []*alerting.Notification {
			return check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager"), nil, 10, lease))(t)
		}
		put(t, s, occurrence("mallory", "e1"))
		claim(time.Hour)
		defer s.Occupy("acme")()

		check.Must(s.SaveSettings(t.Context(), "other", alerting.Settings{
			AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: time.Second},
		}, "ann"))(t)
		check.Must(s.Settings(t.Context(), "other"))(t)
		other := func(key, event string) *monitor.Occurrence {
			return alertingtest.Occurrence("other", key, event, time.Unix(0, 0))
		}
		ref := monitor.AlertRef{Organization: "other"}
		ref.ID = put(t, s, other("k1", "e1"), other("k2", "e2"), other("k1", "e3"))[0].AlertID
		check.Must(s.Change(t.Context(), ref, monitor.AlertAcknowledged, "ann", ""))(t)
		_, _, err := s.Get(t.Context(), ref)
		check.NoError(t, "Get", err)
		q := alerting.Query{Organization: "other", Limit: 10}
		check.Equal(t, "List", len(check.Must(s.List(t.Context(), q))(t)), 2)
		check.Equal(t, "Count", check.Must(s.Count(t.Context(), q))(t), 2)
		check.Must(s.Statistics(t.Context(), alerting.StatisticsQuery{Organization: "other"}))(t)
		// What is done for all organizations is done for those with something due.
		ns := claim(time.Minute)
		check.Equal(t, "claimed", len(ns), 2)
		check.NoError(t, "SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Delivery{
			{Notification: ns[0]}, {Notification: ns[1], Outcome: alerting.OutcomeDead},
		}))
		check.Equal(t, "dead letters", len(check.Must(s.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: "other", Limit: 10}))(t)), 1)
		check.Equal(t, "redriven", check.Must(s.Redrive(t.Context(), "other", "pager"))(t), 1)
		advance(time.Minute)
		_, resolved, err := s.RunTimers(t.Context())
		check.NoError(t, "RunTimers", err)
		check.Equal(t, "resolved", resolved, 2)
		check.Equal(t, "purged", check.Must(s.Purge(t.Context(), "other", time.Now().Add(time.Hour)))(t), 2)
		s.Health(t.Context())
	})
}

// TestSettingsInChunks checks that saving settings leaves the timers of existing
// alerts to RunTimers, which computes them in chunks.
func TestSettingsInChunks(t *testing.T) {
	t.Parallel()
	const alerts = 3*memalerts.ReadChunk + 1
	s := memalerts.New(nil)
	var ids []string
	for i := range alerts {
		ids = append(ids, put(t, s, occurrence(fmt.Sprint(i), fmt.Sprint(i)))[0].AlertID)
	}
	check.Must(s.SaveSettings(t.Context(), "acme", alerting.Settings{
		AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: time.Millisecond},
	}, "ann"))(t)
	check.Equal(t, "alerts with old timers", s.Outdated("acme"), alerts)
	check.NoError(t, "Step", s.Step("acme"))
	check.Equal(t, "then", s.Outdated("acme"), alerts-memalerts.ReadChunk)
	// Alerts that are deleted meanwhile do not confuse it.
	for _, id := range ids[:2*memalerts.ReadChunk] {
		change(t, s, id, monitor.AlertDismissed)
	}
	const left = alerts - 2*memalerts.ReadChunk
	check.Equal(t, "purged", check.Must(s.Purge(t.Context(), "acme", time.Now().Add(time.Hour)))(t), alerts-left)
	for resolved := 0; resolved < left; {
		_, n, err := s.RunTimers(t.Context())
		check.NoError(t, "RunTimers", err)
		resolved += n
	}
	check.Equal(t, "alerts with old timers in the end", s.Outdated("acme"), 0)
	check.Equal(t, "open", len(all(t, s, monitor.AlertActive)), 0)
}

// TestReadsInChunks has reads of more alerts than fit into a chunk, some of which are
// deleted.
func TestReadsInChunks(t *testing.T) {
	t.Parallel()
	const alerts = 2*memalerts.ReadChunk + 7
	s := memalerts.New(nil)
	for i := range alerts {
		d := put(t, s, occurrence(fmt.Sprint(i), fmt.Sprint(i)))[0]
		if i%3 == 0 {
			change(t, s, d.AlertID, monitor.AlertResolved)
		}
	}
	const closed = (alerts + 2) / 3
	q := alerting.Query{Organization: "acme", Statuses: []monitor.AlertStatus{monitor.AlertResolved}, Limit: 1000}
	for left := range 2 {
		want := closed * (1 - left)
		check.Equal(t, "List", len(check.Must(s.List(t.Context(), q))(t)), want)
		check.Equal(t, "Count", check.Must(s.Count(t.Context(), q))(t), want)
		stats := check.Must(s.Statistics(t.Context(), alerting.StatisticsQuery{Organization: "acme"}))(t)
		check.Equal(t, "Resolved", stats.Resolved, want)
		check.Equal(t, "Active", stats.Active, alerts-closed)
		check.Equal(t, "purged", check.Must(s.Purge(t.Context(), "acme", time.Now().Add(time.Hour)))(t), want)
	}
}

// TestRedeliveryHorizon checks that an event is forgotten when it is not delivered
// again any more, and not before.
func TestRedeliveryHorizon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memalerts.New(nil)
		id := put(t, s, occurrence("mallory", "e1"))[0].AlertID
		wait := func(d time.Duration, want monitor.StoreResult) {
			t.Helper()
			advance(d)
			check.Equal(t, fmt.Sprint("disposition ", d, " later"), put(t, s, occurrence("mallory", "e1"))[0].Stored, want)
		}
		wait(10*driver.RedeliveryHorizon, monitor.StoredBefore) // the alert is open
		change(t, s, id, monitor.AlertResolved)
		wait(driver.RedeliveryHorizon-time.Second, monitor.StoredBefore)
		wait(2*time.Second, monitor.StoredNew)
		wait(time.Second, monitor.StoredBefore)
	})
}

// TestUnroutedExpiry checks that a notification waits a week for somebody to claim it.
func TestUnroutedExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memalerts.New(nil)
		put(t, s, occurrence("mallory", "e1"))
		advance(time.Hour)
		put(t, s, occurrence("eve", "e2"))
		wait := func(d time.Duration, waiting int, dropped int64) {
			t.Helper()
			advance(d)
			_, _, err := s.RunTimers(t.Context())
			check.NoError(t, "RunTimers", err)
			b := check.Must(s.Backlog(t.Context()))(t)
			check.Equal(t, "waiting", b.Waiting, waiting)
			check.Equal(t, "dropped as too old", b.Dropped[driver.DroppedTooOld], dropped)
		}
		wait(driver.UnroutedExpiry-time.Hour-time.Second, 2, 0)
		wait(time.Second, 1, 1)
		ns := check.Must(s.ClaimNotifications(t.Context(), "pager", []alerting.Route{
			{Name: "pager", Reasons: alerting.Reasons(), ExpireAfter: 30 * 24 * time.Hour},
		}, nil, 10, time.Minute))(t)
		check.Equal(t, "claimed", len(ns), 1)
		wait(driver.UnroutedExpiry, 1, 1) // it has a route
	})
}

// BenchmarkClaim claims the one notification that is due, while those of many
// organizations wait to be tried again.
func BenchmarkClaim(b *testing.B) {
	for _, organizations := range []int{10, 100_000} {
		b.Run(fmt.Sprint(organizations), func(b *testing.B) {
			s := memalerts.New(&memalerts.Options{MaxBytes: -1})
			for i := range organizations {
				o := alertingtest.Occurrence(fmt.Sprint("tenant", i), "mallory", "e", time.Unix(0, 0))
				check.Must(s.StoreOccurrences(b.Context(), []*monitor.Occurrence{o}))(b)
			}
			check.Must(s.ClaimNotifications(b.Context(), "pager", routes("pager"), nil, organizations, 1000*time.Hour))(b)
			for n := 0; b.Loop(); n++ {
				o := occurrence("mallory", fmt.Sprint(n))
				o.LastSeen = o.LastSeen.Add(time.Duration(n) * time.Hour)
				check.Must(s.StoreOccurrences(b.Context(), []*monitor.Occurrence{o}))(b)
				ns := check.Must(s.ClaimNotifications(b.Context(), "pager", routes("pager"), nil, 10, time.Minute))(b)
				check.NoError(b, "SettleNotifications", s.SettleNotifications(b.Context(), []alerting.Delivery{{Notification: ns[0]}}))
			}
		})
	}
}

// advance lets time pass, by the clock of the test's bubble.
func advance(d time.Duration) { <-time.After(d) }
