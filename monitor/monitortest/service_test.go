package monitortest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// TestService is a test as the package comment describes it: a service submits
// signed events, and the test looks at what came of them.
func TestService(t *testing.T) {
	t.Parallel()
	var told monitortest.Notifications
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
		Routes: []alerting.Route{{Name: "test", Notifier: &told}},
	})
	check.NoError(t, "manager", err)
	rules, err := detect.New(&detect.Options{Rules: detect.Modern()})
	check.NoError(t, "rules", err)
	m, err := monitor.New(monitor.Config{
		Verifier: monitortest.Verifier(t), Detectors: []monitor.Detector{rules}, Alerts: alerts,
	})
	check.NoError(t, "monitor", err)
	running := make(chan error, 1)
	go func() { running <- m.Run(context.Background()) }()

	event := monitortest.NewEvent(func(e *monitor.Event) { e.Timestamp = monitortest.OffHours() })
	check.NoError(t, "submit", m.Submit(t.Context(), monitortest.Sign(t, event)))
	tampered := monitortest.Sign(t, monitortest.NewEvent())
	tampered.PrincipalID = "mallory"
	check.NoError(t, "submit", m.Submit(t.Context(), tampered))
	check.NoError(t, "drain", m.Drain(t.Context()))
	count, err := alerts.Count(t.Context(), alerting.Query{Organization: "org-1"})
	check.NoError(t, "count", err)
	check.Equal(t, "alerts of the organization", count, 1)
	rulesTold := map[string]bool{}
	for _, n := range told.Wait(t, 2) {
		rulesTold[n.Alert.Finding.Rule] = true
	}
	check.Equal(t, "rules", rulesTold, map[string]bool{detect.OffHours: true, monitor.RuleTampered: true})
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	check.NoError(t, "run", <-running)
}

func TestNotificationsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told monitortest.Notifications
		go func() {
			for range 3 {
				<-time.After(time.Second)
				check.NoError(t, "notify", told.Notify(t.Context(), &alerting.Notification{}))
			}
		}()
		began := time.Now()
		check.Equal(t, "two", len(told.Wait(t, 2)), 2)
		check.Equal(t, "waited", time.Since(began), 2*time.Second)
		check.Equal(t, "three", len(told.Wait(t, 3)), 3)
		all := told.All()
		all[0] = nil
		check.Equal(t, "own memory", told.All()[0] != nil, true)
	})
}
