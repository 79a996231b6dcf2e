package driver_test

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestTick(t *testing.T) {
	t.Parallel()
	p := policy(t, alerting.Settings{
		Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityHigh: {
			{After: 10 * time.Second}, {After: 20 * time.Second, Routes: []string{"manager"}},
		}},
		AutoResolve: map[monitor.Severity]time.Duration{
			monitor.SeverityHigh: 60 * time.Second, monitor.SeverityLow: 5 * time.Second,
		},
		Suppressions: []alerting.Suppression{{From: at(100), Until: at(130), Reason: "upgrade"}},
	})
	for _, tt := range []struct {
		name     string
		severity monitor.Severity
		status   monitor.AlertStatus
		updated  int // seconds
		since    int
		step     int
		now      int
		reason   alerting.Reason
		due      int // of the timer then, -1 for never
	}{
		{"nothing yet", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 0, 9, "", 10},
		{"first step", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 0, 10, alerting.ReasonEscalated, 20},
		{"late", monitor.SeverityHigh, monitor.AlertActive, 50, 0, 0, 55, alerting.ReasonEscalated, 20},
		{"second step", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 1, 20, alerting.ReasonEscalated, 60},
		{"no third", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 2, 30, "", 60},
		{"acknowledged", monitor.SeverityHigh, monitor.AlertAcknowledged, 8, 0, 0, 10, "", 68},
		{"reopened", monitor.SeverityHigh, monitor.AlertActive, 40, 40, 0, 49, "", 50},
		{"quiet", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 2, 60, alerting.ReasonResolved, -1},
		{"quiet and acknowledged", monitor.SeverityHigh, monitor.AlertAcknowledged, 1, 0, 0, 61, alerting.ReasonResolved, -1},
		{"quiet before it escalates", monitor.SeverityHigh, monitor.AlertActive, 0, 0, 0, 60, alerting.ReasonResolved, -1},
		{"another occurrence", monitor.SeverityHigh, monitor.AlertActive, 59, 0, 2, 60, "", 119},
		{"low", monitor.SeverityLow, monitor.AlertActive, 0, 0, 0, 4, "", 5},
		{"low and quiet", monitor.SeverityLow, monitor.AlertActive, 0, 0, 0, 5, alerting.ReasonResolved, -1},
		{"no rule for it", monitor.SeverityMedium, monitor.AlertActive, 0, 0, 0, 10_000, "", -1},
		{"held back", monitor.SeverityHigh, monitor.AlertActive, 90, 90, 0, 100, "", 130},
		{"closed", monitor.SeverityHigh, monitor.AlertResolved, 0, 0, 0, 100, "", -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &monitor.Alert{Severity: tt.severity, Status: tt.status, UpdatedAt: at(tt.updated)}
			timer := driver.Timer{Notified: at(0), Version: 3, Since: at(tt.since), Step: tt.step}
			tick := p.Tick(a, timer, at(tt.now))
			if tick.Reason != tt.reason {
				t.Errorf("reason %q, want %q", tick.Reason, tt.reason)
			}
			var due time.Time
			if tt.due >= 0 {
				due = at(tt.due)
			}
			if !tick.Timer.Due.Equal(due) {
				t.Errorf("due at %v, want %v", tick.Timer.Due, due)
			}
			step := tt.step
			if tt.reason == alerting.ReasonEscalated {
				step++
			}
			if tick.Timer.Step != step || tick.Timer.Version != 3 || !tick.Timer.Since.Equal(timer.Since) {
				t.Errorf("timer %+v", tick.Timer)
			}
			if named := len(tick.Targets) > 0; named != (tt.name == "second step") {
				t.Errorf("targets %q", tick.Targets)
			}
			if (tick.Note != "") != (tt.reason == alerting.ReasonResolved) {
				t.Errorf("note %q", tick.Note)
			}
		})
	}
}

func TestStartTimer(t *testing.T) {
	t.Parallel()
	p := policy(t, alerting.Settings{
		Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityHigh: {{After: 10 * time.Second}}},
	})
	a := &monitor.Alert{Severity: monitor.SeverityHigh, Status: monitor.AlertActive, UpdatedAt: at(7), Version: 4}
	before := driver.Timer{Notified: at(3), Version: 1, Since: at(1), Step: 2, Due: at(9)}
	want := driver.Timer{Notified: at(3), Version: 4, Since: at(7), Due: at(17)}
	if got := p.StartTimer(a, before, at(8)); got != want {
		t.Errorf("timer %+v, want %+v", got, want)
	}
	want = driver.Timer{Version: 4, Since: at(7), Due: at(8)}
	if got := p.StartTimer(a, driver.Timer{}, at(8)); got != want {
		t.Errorf("timer before the first notification %+v, want %+v", got, want)
	}
	if got := driver.DefaultPolicy().StartTimer(a, before, at(8)); !got.Due.IsZero() {
		t.Errorf("without settings something is due at %v", got.Due)
	}
}

func TestTickHeldBack(t *testing.T) {
	t.Parallel()
	p := policy(t, alerting.Settings{
		Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityHigh: {{After: 10 * time.Second}}},
		AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityHigh: 60 * time.Second},
		Suppressions: []alerting.Suppression{
			{From: at(0), Until: at(100), Reason: "upgrade"}, {From: at(50), Until: at(200), Reason: "another"},
		},
		Silences: []alerting.Silence{{
			Suppression: alerting.Suppression{Until: at(300), Reason: "scan"}, Rules: []string{"r"}, Keys: []string{"scanner"},
		}},
	})
	for _, tt := range []struct {
		name   string
		key    string
		status monitor.AlertStatus
		now    int
		reason alerting.Reason
		due    int // of the timer then, -1 for never
	}{
		{"first window", "k", monitor.AlertActive, 20, "", 100},
		{"both windows", "k", monitor.AlertActive, 70, "", 200},
		{"second window", "k", monitor.AlertAcknowledged, 199, "", 200},
		{"after both", "k", monitor.AlertActive, 200, alerting.ReasonOpened, 210},
		{"late", "k", monitor.AlertActive, 1000, alerting.ReasonOpened, 1010},
		{"acknowledged", "k", monitor.AlertAcknowledged, 200, alerting.ReasonOpened, 260},
		{"silence", "scanner", monitor.AlertActive, 200, "", 300},
		{"after the silence", "scanner", monitor.AlertActive, 300, alerting.ReasonOpened, 310},
		{"closed", "k", monitor.AlertResolved, 1000, "", -1},
	} {
		a := &monitor.Alert{Severity: monitor.SeverityHigh, Status: tt.status, UpdatedAt: at(20), LastSeen: at(19)}
		a.Finding.Rule, a.Finding.Key = "r", tt.key
		tick := p.Tick(a, driver.Timer{Version: 1, Since: at(10), Due: at(15)}, at(tt.now))
		var due, notified time.Time
		since := at(10)
		if tt.due >= 0 {
			due = at(tt.due)
		}
		if tt.reason == alerting.ReasonOpened {
			notified, since = at(19), at(tt.now)
		}
		if want := (driver.Timer{Notified: notified, Version: 1, Since: since, Due: due}); tick.Reason != tt.reason || tick.Timer != want {
			t.Errorf("%s: reason %q, timer %+v, want %q and %+v", tt.name, tick.Reason, tick.Timer, tt.reason, want)
		}
	}
}
