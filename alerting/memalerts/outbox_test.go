package memalerts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestTurns checks that organizations take turns from one claim to the next, by how
// long their notifications have been due.
func TestTurns(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	for i := range 900 {
		put(t, s, of("flood", i, i+1))
	}
	put(t, s, of("victim", 1, 1), of("victim", 2, 2), of("third", 1, 1))
	var order []string
	for range 7 {
		ns := check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager"), nil, 1, time.Minute))(t)
		order = append(order, ns[0].Alert.OrganizationID)
		check.NoError(t, "SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Delivery{{Notification: ns[0]}}))
	}
	check.Equal(t, "order", fmt.Sprint(order), "[flood victim third flood victim flood flood]")
}

// TestRedrivenAgain checks that the claim of before a redrive settles nothing, although
// it has the same number of attempts.
func TestRedrivenAgain(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	put(t, s, occurrence("mallory", "e1"))
	claim := func() *alerting.Notification {
		return check.Must(s.ClaimNotifications(t.Context(), "pager", routes("pager"), nil, 1, time.Hour))(t)[0]
	}
	settle := func(n *alerting.Notification) int {
		check.NoError(t, "SettleNotifications", s.SettleNotifications(t.Context(), []alerting.Delivery{
			{Notification: n, Outcome: alerting.OutcomeDead},
		}))
		return check.Must(s.Backlog(t.Context()))(t).Dead
	}
	stale := claim()
	check.Equal(t, "dead letters", settle(stale), 1)
	check.Equal(t, "redriven", check.Must(s.Redrive(t.Context(), "acme", "pager"))(t), 1)
	fresh := claim()
	check.Equal(t, "attempts", fresh.Attempts, stale.Attempts)
	check.Equal(t, "dead letters after the stale settlement", settle(stale), 0)
	check.Equal(t, "dead letters after the fresh one", settle(fresh), 1)
}

// TestLaterAlerts checks that the events of an alert are known after later ones of its
// fingerprint were closed, until it is deleted.
func TestLaterAlerts(t *testing.T) {
	t.Parallel()
	s := memalerts.New(nil)
	var first string
	for i := range 3 {
		d := put(t, s, occurrence("mallory", fmt.Sprint(i)))[0]
		change(t, s, d.AlertID, monitor.AlertResolved)
		if i == 0 {
			first = d.AlertID
		}
		again := put(t, s, occurrence("mallory", "0"))[0]
		check.Equal(t, "disposition", again, monitor.Disposition{AlertID: first, Stored: monitor.StoredBefore})
	}
	check.Equal(t, "purged", check.Must(s.Purge(t.Context(), "acme", time.Now().Add(time.Hour)))(t), 3)
	check.Equal(t, "disposition after a purge", put(t, s, occurrence("mallory", "0"))[0].Stored, monitor.StoredNew)
}
