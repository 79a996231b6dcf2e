package driver_test

import (
	"errors"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// at is an event time in seconds.
func at(seconds int) time.Time {
	return time.Date(2024, 3, 1, 9, 0, seconds, 0, time.UTC)
}

func policy(t *testing.T, s alerting.Settings) *driver.Policy {
	t.Helper()
	p, err := driver.NewPolicy(s)
	if err != nil {
		t.Fatalf("NewPolicy: %v", err)
	}
	return p
}

func utc(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("Mon 2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	if at.Format("Mon") != text[:3] {
		t.Fatalf("%s is a %s", text, at.Format("Mon"))
	}
	return at
}

func TestNotify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		cooldown time.Duration
		last, at int // seconds; a negative last means never
		want     monitor.NotifyDecision
	}{
		{"first", 0, -1, 0, monitor.NotifyDue},
		{"same time", 0, 0, 0, monitor.NotifyNone},
		{"just before five minutes", 0, 0, 299, monitor.NotifyNone},
		{"five minutes", 0, 0, 300, monitor.NotifyDue},
		{"late", 0, 1000, 0, monitor.NotifyNone},
		{"own cooldown", time.Second, 10, 10, monitor.NotifyNone},
		{"own cooldown passed", time.Second, 10, 11, monitor.NotifyDue},
		{"none", -1, 10, 10, monitor.NotifyDue},
		{"none, late", -1, 10, 0, monitor.NotifyDue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var timer driver.Timer
			if tt.last >= 0 {
				timer.Notified = at(tt.last)
			}
			p := policy(t, alerting.Settings{Cooldown: tt.cooldown})
			got, next := p.Notify(&monitor.Alert{}, timer, at(tt.at), at(max(tt.last, tt.at)))
			if got != tt.want {
				t.Errorf("Notify = %v, want %v", got, tt.want)
			}
			if tt.want == monitor.NotifyDue {
				timer.Notified = at(tt.at)
			}
			if !next.Notified.Equal(timer.Notified) {
				t.Errorf("notified at %v, want %v", next.Notified, timer.Notified)
			}
		})
	}
	for _, tt := range []struct {
		name          string
		last, at, now int
		want          monitor.NotifyDecision
		notified      int
	}{
		{"what was kept of a time in the future does not end the notifications", 1000, 10, 10, monitor.NotifyDue, 10},
		{"an event of the future counts as one of now", 0, 1000, 300, monitor.NotifyDue, 300},
		{"an event of the future in the cooldown", 10, 1000, 20, monitor.NotifyNone, 10},
	} {
		got, timer := driver.DefaultPolicy().Notify(&monitor.Alert{}, driver.Timer{Notified: at(tt.last)}, at(tt.at), at(tt.now))
		if got != tt.want || !timer.Notified.Equal(at(tt.notified)) {
			t.Errorf("%s: %v, notified at %v", tt.name, got, timer.Notified)
		}
	}
}

func TestSuppressionWindows(t *testing.T) {
	t.Parallel()
	night := alerting.Suppression{Start: "22:00", End: "06:00", Reason: "night"}
	berlin := alerting.Suppression{Start: "02:30", End: "04:00", TimeZone: "Europe/Berlin", Reason: "backups"}
	weekend := alerting.Suppression{Weekdays: []time.Weekday{time.Saturday, time.Sunday}, TimeZone: "America/New_York", Reason: "weekend"}
	fridayNight := night
	fridayNight.Weekdays = []time.Weekday{time.Friday}
	upgrade := alerting.Suppression{
		From: utc(t, "Mon 2024-03-04 10:00:00"), Until: utc(t, "Mon 2024-03-04 12:00:00"), Reason: "upgrade",
	}
	nightsOfMarch := night
	nightsOfMarch.From, nightsOfMarch.Until = utc(t, "Fri 2024-03-01 00:00:00"), utc(t, "Mon 2024-04-01 00:00:00")
	until := alerting.Suppression{Until: utc(t, "Mon 2024-03-04 12:00:00"), Reason: "set-up"}

	for _, tt := range []struct {
		name   string
		window alerting.Suppression
		at     string
		want   bool
	}{
		{"before the night", night, "Fri 2024-03-01 21:59:59", false},
		{"start of the night", night, "Fri 2024-03-01 22:00:00", true},
		{"midnight", night, "Sat 2024-03-02 00:00:00", true},
		{"end of the night", night, "Sat 2024-03-02 05:59:59", true},
		{"after the night", night, "Sat 2024-03-02 06:00:00", false},
		{"Friday night on Friday", fridayNight, "Fri 2024-03-01 23:00:00", true},
		{"Friday night on Saturday", fridayNight, "Sat 2024-03-02 05:00:00", true},
		{"Thursday night on Friday", fridayNight, "Fri 2024-03-01 05:00:00", false},
		{"Saturday night", fridayNight, "Sat 2024-03-02 23:00:00", false},
		{"winter in Berlin", berlin, "Fri 2024-03-01 01:30:00", true},
		{"winter in Berlin, too early", berlin, "Fri 2024-03-01 01:29:59", false},
		{"winter in Berlin, too late", berlin, "Fri 2024-03-01 03:00:00", false},
		{"summer in Berlin", berlin, "Mon 2024-07-01 00:30:00", true},
		{"summer in Berlin, too late", berlin, "Mon 2024-07-01 02:00:00", false},
		{"clocks go forward: 02:30 does not exist, 03:00 is in", berlin, "Sun 2024-03-31 01:00:00", true},
		{"clocks go forward: before", berlin, "Sun 2024-03-31 00:59:59", false},
		{"clocks go back: first 02:30", berlin, "Sun 2024-10-27 00:30:00", true},
		{"clocks go back: second 02:15", berlin, "Sun 2024-10-27 01:15:00", false},
		{"clocks go back: second 02:30", berlin, "Sun 2024-10-27 01:30:00", true},
		{"weekend elsewhere has not begun", weekend, "Sat 2024-03-02 04:59:59", false},
		{"weekend elsewhere", weekend, "Sat 2024-03-02 05:00:00", true},
		{"weekend elsewhere still", weekend, "Mon 2024-03-04 04:59:59", true},
		{"weekend elsewhere is over", weekend, "Mon 2024-03-04 05:00:00", false},
		{"before the upgrade", upgrade, "Mon 2024-03-04 09:59:59", false},
		{"start of the upgrade", upgrade, "Mon 2024-03-04 10:00:00", true},
		{"end of the upgrade", upgrade, "Mon 2024-03-04 11:59:59", true},
		{"after the upgrade", upgrade, "Mon 2024-03-04 12:00:00", false},
		{"a night in March", nightsOfMarch, "Fri 2024-03-01 02:00:00", true},
		{"a day in March", nightsOfMarch, "Fri 2024-03-01 12:00:00", false},
		{"a night in April", nightsOfMarch, "Mon 2024-04-01 02:00:00", false},
		{"always before", until, "Fri 2024-03-01 02:00:00", true},
		{"no longer", until, "Mon 2024-03-04 12:00:00", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := monitor.NotifyDue
			if tt.want {
				want = monitor.NotifySuppressed
			}
			p := policy(t, alerting.Settings{Suppressions: []alerting.Suppression{
				{Until: time.Unix(1, 0), Reason: "long ago"}, tt.window,
			}})
			if got, _ := p.Notify(&monitor.Alert{}, driver.Timer{}, utc(t, tt.at), utc(t, tt.at)); got != want {
				t.Errorf("Notify at %s = %v, want %v", tt.at, got, want)
			}
		})
	}
}

func TestPolicyIsACopy(t *testing.T) {
	t.Parallel()
	s := alerting.Settings{
		Suppressions: []alerting.Suppression{{Weekdays: []time.Weekday{time.Friday}, Reason: "r"}},
		Thresholds:   map[string]alerting.Threshold{"r": {Count: 3}},
	}
	p := policy(t, s)
	spoil := func(s alerting.Settings) {
		s.Suppressions[0].Weekdays[0] = time.Monday
		s.Suppressions[0].Reason = ""
		clear(s.Thresholds)
	}
	spoil(s)
	spoil(p.Settings())
	got := p.Settings()
	if got.Suppressions[0].Weekdays[0] != time.Friday || got.Suppressions[0].Reason != "r" || got.Thresholds["r"].Count != 3 {
		t.Errorf("settings of the policy changed to %+v", got)
	}
}

func TestNewPolicyRefusesSettings(t *testing.T) {
	t.Parallel()
	_, err := driver.NewPolicy(alerting.Settings{Suppressions: []alerting.Suppression{{Reason: "for ever"}}})
	if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field != "Suppressions[0].Until" {
		t.Errorf("error %v, want one about Suppressions[0].Until", err)
	}
}
