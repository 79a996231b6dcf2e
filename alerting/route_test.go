package alerting_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	low, high := occurrence("low", "e1", 0), occurrence("high", "e2", 0)
	high.Finding.Severity = monitor.SeverityHigh
	elsewhere := occurrence("elsewhere", "e3", 0)
	elsewhere.Finding.OrganizationID = "other"
	bulk := occurrence("bulk", "e4", 0)
	bulk.Finding.Rule = "bulk_operation"

	routes := map[string]struct {
		route alerting.Route
		want  []string
	}{
		"all":      {alerting.Route{Concurrency: 1}, []string{"low", "elsewhere", "high", "bulk"}},
		"high":     {alerting.Route{MinSeverity: monitor.SeverityHigh}, []string{"high"}},
		"critical": {alerting.Route{MinSeverity: monitor.SeverityCritical}, nil},
		"other":    {alerting.Route{Organizations: []string{"third", "other"}}, []string{"elsewhere"}},
		"bulk":     {alerting.Route{Rules: []string{"bulk_operation"}}, []string{"bulk"}},
		"bulk of other": {alerting.Route{
			Rules: []string{"bulk_operation"}, Organizations: []string{"other"},
		}, nil},
	}
	var o alerting.ManagerOptions
	recorders := map[string]*recorder{}
	for name, r := range routes {
		recorders[name] = &recorder{}
		r.route.Name, r.route.Notifier = name, recorders[name]
		o.Routes = append(o.Routes, r.route)
	}
	m := newManager(t, newSpy(), &o)
	put(t, m, low, high, elsewhere, bulk)
	for name, r := range routes {
		t.Run(name, func(t *testing.T) { recorders[name].want(t, r.want...) })
	}
}

func TestRouteReasons(t *testing.T) {
	t.Parallel()
	usual, lifecycle, all := &recorder{}, &recorder{}, &recorder{}
	m := newManager(t, newSpy(), &alerting.ManagerOptions{Routes: []alerting.Route{
		{Name: "usual", Notifier: usual},
		{Name: "lifecycle", Notifier: lifecycle, Reasons: []alerting.Reason{alerting.ReasonResolved, alerting.ReasonReopened}},
		{Name: "all", Notifier: all, Reasons: alerting.Reasons()},
	}})
	id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
	put(t, m, occurrence("mallory", "e1", 300))
	ref := monitor.AlertRef{Organization: "acme", ID: id}
	for _, change := range []func() error{
		func() error { _, err := m.Acknowledge(t.Context(), ref, "ann", ""); return err },
		func() error { _, err := m.Resolve(t.Context(), ref, "ann", ""); return err },
		func() error { _, err := m.Reopen(t.Context(), ref, "ann", ""); return err },
		func() error { _, err := m.Dismiss(t.Context(), ref, "ann", ""); return err },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
	}
	usual.wantReasons(t, "opened", "repeated")
	lifecycle.wantReasons(t, "resolved", "reopened")
	all.wantReasons(t, "opened", "repeated", "acknowledged", "resolved", "reopened", "dismissed")
	keys := map[string]bool{}
	for _, n := range all.notifications() {
		keys[n.Key] = true
	}
	if len(keys) != 6 {
		t.Errorf("six notifications have the keys %v", keys)
	}
}

func TestNotifiedAlert(t *testing.T) {
	t.Parallel()
	spy, first, second := newSpy(), &recorder{}, &recorder{}
	m := newManager(t, spy, &alerting.ManagerOptions{Routes: []alerting.Route{
		{Name: "first", Notifier: first}, {Name: "second", Notifier: second},
	}})
	id := put(t, m, occurrence("mallory", "e0", 0))[0].AlertID
	put(t, m, occurrence("mallory", "e1", 299)) // within the cooldown
	put(t, m, occurrence("mallory", "e2", 300))
	first.want(t, "mallory", "mallory")
	got := first.alerts()
	if got[0].ID != id || got[0].Occurrences != 1 || got[1].ID != id || got[1].Occurrences != 3 {
		t.Errorf("notified of %+v", got)
	}
	// Nobody sees what another notifier does to it.
	clear(got[0].Tags)
	got[0].Metadata["patternType"] = "spoiled"
	if other := second.alerts()[0]; other.Metadata["patternType"] != "FAILED_AUTH" || other.Tags[0] == "" {
		t.Errorf("notifiers share %v and %v", other.Metadata, other.Tags)
	}
}

func TestSuppressedIsNotNotified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, c := &recorder{}, &counts{}
		spy := newSpy()
		m := newManager(t, spy, &alerting.ManagerOptions{
			Routes: []alerting.Route{{Name: "all", Notifier: r}}, Metrics: c,
		})
		_, err := m.SaveSettings(t.Context(), "acme", alerting.Settings{
			Suppressions: []alerting.Suppression{{Until: at(1010), Reason: "upgrade"}},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		advance(time.Until(at(1000)))
		stop := run(t, m)
		put(t, m, occurrence("mallory", "e0", 0))   // the monitor counts this one
		put(t, m, occurrence("mallory", "e1", 1))   // the flush finds out that it is held back
		put(t, m, occurrence("mallory", "e2", 999)) // this one too
		advance(time.Second)
		r.want(t)
		c.want(t, monitor.AlertsSuppressed, "failed_auth", 2)
		advance(10 * time.Second)
		r.want(t, "mallory") // when the window has ended
		r.wantReasons(t, alerting.ReasonOpened)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestEscalationTargets lets an escalation name its routes: whatever their
// reasons, but not whoever's they are.
func TestEscalationTargets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		usual, manager, theirs, c := &recorder{}, &recorder{}, &recorder{}, &counts{}
		store := newSpy()
		m := newManager(t, store, &alerting.ManagerOptions{Metrics: c, Routes: []alerting.Route{
			{Name: "usual", Notifier: usual},
			{Name: "manager", Notifier: manager, Reasons: []alerting.Reason{alerting.ReasonResolved}},
			{Name: "theirs", Notifier: theirs, Organizations: []string{"other"}},
		}})
		stop := run(t, m)
		// The route "nobody" no longer exists.
		_, err := store.SaveSettings(t.Context(), "acme", alerting.Settings{
			Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityMedium: {
				{After: time.Minute},
				{After: time.Hour, Routes: []string{"manager", "theirs", "nobody"}},
			}},
			AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: 2 * time.Hour},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
		put(t, m, occurrence("mallory", "e0", 0))
		advance(59 * time.Second)
		usual.wantReasons(t, "opened")
		advance(2 * time.Second)
		usual.wantReasons(t, "opened", "escalated")
		manager.wantReasons(t)
		advance(time.Hour)
		usual.wantReasons(t, "opened", "escalated")
		manager.wantReasons(t, "escalated")
		c.want(t, monitor.AlertsEscalated, "", 2)
		advance(15 * time.Second)
		c.want(t, monitor.NotificationsDropped, "no_such_route", 2) // theirs is none of acme's
		advance(time.Hour)
		manager.wantReasons(t, "escalated", "resolved")
		c.want(t, monitor.AlertsAutoResolved, "", 1)
		theirs.wantReasons(t)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestDeliveryError(t *testing.T) {
	t.Parallel()
	cause := errors.New("503 Service Unavailable")
	for want, e := range map[string]*alerting.DeliveryError{
		"503 Service Unavailable":                               {Err: cause},
		"503 Service Unavailable; to be tried again after 1m0s": {Err: cause, RetryAfter: time.Minute},
		"refused permanently: 503 Service Unavailable":          {Err: cause, Permanent: true},
	} {
		if e.Error() != want || !errors.Is(e, cause) {
			t.Errorf("error %q, want %q", e, want)
		}
	}
}
