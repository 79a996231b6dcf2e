package alerting_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestDropsWithoutRoutes has a manager without routes count and log what its store
// drops, with and without Run.
func TestDropsWithoutRoutes(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"with Run": true, "without Run": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var text journal
				store, c := newSpy(), &counts{}
				store.Store = memalerts.New(&memalerts.Options{MaxNotifications: 10})
				m := newManager(t, store, &alerting.ManagerOptions{Metrics: c, Logger: slog.New(slog.NewTextHandler(&text, nil))})
				stop := func() error { return nil }
				if running {
					stop = run(t, m)
				}
				for i := range 100 {
					put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
				}
				advance(16 * time.Second)
				put(t, m, occurrence("k", "e", 0))
				advance(16 * time.Second)
				c.want(t, monitor.NotificationsDropped, "too_many", 91)
				if !strings.Contains(text.String(), `msg="notifications were dropped" reason=too_many`) {
					t.Errorf("the log has\n%s", text.String())
				}
				wantComponent(t, m, "outbox", monitor.HealthOK, "")
				check.NoError(t, "Run", stop())
			})
		})
	}
}

// TestNotificationsWaitForRoutes has managers without routes say once that
// notifications wait, unless others deliver them.
func TestNotificationsWaitForRoutes(t *testing.T) {
	t.Parallel()
	const message = "notifications wait for an instance with routes"
	for name, routes := range map[string][]alerting.Route{
		"for nobody":          nil,
		"for another manager": {{Name: "pager", Notifier: &recorder{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var text journal
				store := newSpy()
				m := newManager(t, store, &alerting.ManagerOptions{Logger: slog.New(slog.NewTextHandler(&text, nil))})
				other := newManager(t, store, &alerting.ManagerOptions{Routes: routes})
				stop, stopOther := run(t, m), run(t, other)
				put(t, m, occurrence("mallory", "e0", 0))
				advance(4 * time.Minute)
				check.Equal(t, "warnings", strings.Count(text.String(), message), 0)
				advance(time.Hour)
				want := 1
				if routes != nil {
					want = 0
				}
				check.Equal(t, "warnings", strings.Count(text.String(), message), want)
				check.NoError(t, "Run", stop())
				check.NoError(t, "Run", stopOther())
			})
		})
	}
}
