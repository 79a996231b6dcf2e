package alertingtest

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// A notifyStep is an occurrence and the expected decision about its notification.
type notifyStep struct {
	minute float64
	notify monitor.NotifyDecision
}

func (t *storeTest) play(organization, key string, steps []notifyStep) {
	t.Helper()
	for i, step := range steps {
		d := t.one(Occurrence(organization, key, fmt.Sprint(key, i), minutes(step.minute)))
		check.Equal(t, fmt.Sprintf("notification at minute %v", step.minute), d.Notify, step.notify)
	}
}

func testCooldown(t *storeTest) {
	t.play(acme, "mallory", []notifyStep{
		{10, monitor.NotifyDue},
		{12, monitor.NotifyNone},
		{14.99, monitor.NotifyNone},
		{15, monitor.NotifyDue}, // five minutes after the last notification
		{19, monitor.NotifyNone},
		{8, monitor.NotifyNone}, // late
		{1, monitor.NotifyNone}, // very late
		{30, monitor.NotifyDue},
		{20, monitor.NotifyNone}, // late, though more than a cooldown after minute 15
	})
	// The same applies within one call.
	var batch []*monitor.Occurrence
	for i := range 12 {
		batch = append(batch, Occurrence(acme, "eve", fmt.Sprint("batch", i), minutes(float64(i))))
	}
	for i, d := range t.put(batch...) {
		notify := monitor.NotifyNone
		if i%5 == 0 {
			notify = monitor.NotifyDue
		}
		check.Equal(t, fmt.Sprintf("notification of number %d", i), d.Notify, notify)
	}
}

func testCooldownSetting(t *storeTest) {
	t.save(acme, alerting.Settings{Cooldown: time.Minute})
	steps := []notifyStep{{0, monitor.NotifyDue}, {0.5, monitor.NotifyNone}, {1, monitor.NotifyDue}, {1.5, monitor.NotifyNone}}
	t.play(acme, "mallory", steps)
	// Another tenant has its own settings.
	steps[2].notify = monitor.NotifyNone
	t.play(other, "mallory", steps)
}

func testCooldownOff(t *storeTest) {
	t.save(acme, alerting.Settings{Cooldown: -1})
	t.play(acme, "mallory", []notifyStep{
		{1, monitor.NotifyDue}, {1, monitor.NotifyDue}, {0, monitor.NotifyDue}, {2, monitor.NotifyDue},
	})
}

func testSuppression(t *storeTest) {
	t.save(acme, alerting.Settings{
		Cooldown: time.Minute,
		Suppressions: []alerting.Suppression{{
			From: minutes(10), Until: minutes(20), Reason: "upgrade",
		}},
	})
	t.play(acme, "mallory", []notifyStep{
		{9.5, monitor.NotifyDue},
		{10, monitor.NotifyNone}, // cooldown
		{12, monitor.NotifySuppressed},
		{19.9, monitor.NotifySuppressed},
		{20, monitor.NotifyDue},
		{20.5, monitor.NotifyNone},
	})
	// An alert that is opened in the window is stored, and notified after it.
	t.play(acme, "eve", []notifyStep{
		{15, monitor.NotifySuppressed},
		{15.1, monitor.NotifySuppressed},
		{20.1, monitor.NotifyDue},
	})
	check.Equal(t, "alerts", t.count(alerting.Query{Organization: acme}), 2)
	t.play(other, "eve", []notifyStep{{15, monitor.NotifyDue}})
}

func testSuppressionDaily(t *storeTest) {
	// 04:00 to 06:00 in New York is 09:00 to 11:00 UTC in winter.
	t.save(acme, alerting.Settings{
		Cooldown: -1,
		Suppressions: []alerting.Suppression{{
			Start: "04:00", End: "06:00", TimeZone: "America/New_York",
			Weekdays: []time.Weekday{time.Friday}, Reason: "backups",
		}},
	})
	const hour, day = 60, 24 * 60
	t.play(acme, "mallory", []notifyStep{
		{-0.1, monitor.NotifyDue},
		{0, monitor.NotifySuppressed},
		{2*hour - 0.1, monitor.NotifySuppressed},
		{2 * hour, monitor.NotifyDue},
		{day, monitor.NotifyDue}, // Saturday
		{7*day + hour, monitor.NotifySuppressed},
	})
}

// testSilence checks that a silence holds back the alerts that match it, and no others.
func testSilence(t *storeTest) {
	in := alerting.Suppression{From: minutes(10), Until: minutes(20), Reason: "penetration test"}
	t.save(acme, alerting.Settings{Cooldown: -1, Silences: []alerting.Silence{
		{Suppression: in, Rules: []string{"failed_auth", "other"}, Keys: []string{"scanner", "other"}},
		{Suppression: in, Rules: []string{"other"}},
		{Suppression: in, Severities: []monitor.Severity{monitor.SeverityLow}, Keys: []string{"mallory"}},
	}})
	t.play(acme, "scanner", []notifyStep{
		{9, monitor.NotifyDue}, {10, monitor.NotifySuppressed}, {19, monitor.NotifySuppressed}, {20, monitor.NotifyDue},
	})
	t.play(acme, "scanner2", []notifyStep{{10, monitor.NotifyDue}})
	t.play(other, "scanner", []notifyStep{{10, monitor.NotifyDue}})
	// What counts is the severity of the alert, whatever that of the occurrence is.
	low := func(event string, severity monitor.Severity) *monitor.Occurrence {
		o := Occurrence(acme, "mallory", event, minutes(15))
		o.Finding.Severity = severity
		return o
	}
	check.Equal(t, "low", t.one(low("e1", monitor.SeverityLow)).Notify, monitor.NotifySuppressed)
	check.Equal(t, "worse", t.one(low("e2", monitor.SeverityHigh)).Notify, monitor.NotifyDue)
	check.Equal(t, "low again", t.one(low("e3", monitor.SeverityLow)).Notify, monitor.NotifyDue)
}

// testCooldownAhead checks that an event that is ahead of the clock delays the next
// notification by no more than the cooldown.
func testCooldownAhead(t *storeTest) {
	t.save(acme, alerting.Settings{Cooldown: soon})
	ahead := Occurrence(acme, "mallory", "e1", time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC))
	check.Equal(t, "notification of the event ahead", t.one(ahead).Notify, monitor.NotifyDue)
	for i := range 3 {
		letClockMove()
		letClockMove()
		o := Occurrence(acme, "mallory", fmt.Sprint("now", i), time.Now().UTC())
		check.Equal(t, fmt.Sprintf("notification of event %d now", i), t.one(o).Notify, monitor.NotifyDue)
	}
	// What is no longer ahead than the cooldown is part of it.
	t.save(acme, alerting.Settings{Cooldown: time.Hour, Version: 1})
	check.Equal(t, "notification in the cooldown", t.one(Occurrence(acme, "mallory", "e2", time.Now().UTC())).Notify, monitor.NotifyNone)
}
