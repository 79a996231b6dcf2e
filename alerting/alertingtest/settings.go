package alertingtest

import (
	"encoding/json"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func (t *storeTest) mySettings() alerting.Settings {
	t.Helper()
	s, err := t.Settings(t.Context(), acme)
	if err != nil {
		t.Fatalf("Settings: %v", err)
	}
	return s
}

// asJSON makes settings comparable.
func (t *storeTest) asJSON(s alerting.Settings) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func someSettings() alerting.Settings {
	return alerting.Settings{
		Cooldown: 90 * time.Second,
		Suppressions: []alerting.Suppression{
			{Start: "22:00", End: "02:00", TimeZone: "Europe/Berlin", Weekdays: []time.Weekday{time.Saturday}, Reason: "backups"},
			{From: minutes(0), Until: minutes(60), Reason: "upgrade", Author: "bob"},
		},
		Thresholds: map[string]alerting.Threshold{
			"failed_auth":   {Count: 10, Window: 10 * time.Minute},
			"data_velocity": {Count: 500},
		},
	}
}

func testSettings(t *storeTest) {
	want(t, "settings nobody saved", t.asJSON(t.mySettings()), t.asJSON(alerting.Settings{}))

	before := time.Now().Add(-time.Minute)
	saved := t.save(acme, someSettings())
	want(t, "Version", saved.Version, 1)
	want(t, "UpdatedBy", saved.UpdatedBy, ann)
	want(t, "author of the first window", saved.Suppressions[0].Author, ann)
	want(t, "author of the second window", saved.Suppressions[1].Author, "bob")
	if saved.UpdatedAt.Before(before) {
		t.Errorf("UpdatedAt = %v", saved.UpdatedAt)
	}
	want(t, "settings", t.asJSON(t.mySettings()), t.asJSON(saved))
	got := t.mySettings()
	want(t, "Cooldown", got.Cooldown, 90*time.Second)
	want(t, "threshold", got.Thresholds["failed_auth"], alerting.Threshold{Count: 10, Window: 10 * time.Minute})

	// They are copies.
	saved.Thresholds["failed_auth"] = alerting.Threshold{Count: 1}
	saved.Suppressions[0].Weekdays[0] = time.Monday
	got.Suppressions[0].Reason = "spoiled"
	clear(got.Thresholds)
	again := t.mySettings()
	want(t, "stored threshold", again.Thresholds["failed_auth"].Count, 10)
	want(t, "stored weekday", again.Suppressions[0].Weekdays[0], time.Saturday)
	want(t, "stored reason", again.Suppressions[0].Reason, "backups")

	// What is not given is gone.
	next := t.save(acme, alerting.Settings{Version: 1})
	want(t, "next version", next.Version, 2)
	want(t, "windows", len(t.mySettings().Suppressions), 0)
	want(t, "thresholds", len(t.mySettings().Thresholds), 0)
}

func testSettingsConflict(t *storeTest) {
	_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{Version: 1}, ann)
	t.wantError("version of settings nobody saved", err, monitor.ErrConflict)
	saved := t.save(acme, alerting.Settings{Cooldown: time.Minute})
	for _, version := range []int64{0, 2, -1} {
		_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{Version: version}, ann)
		t.wantError("another version", err, monitor.ErrConflict)
	}
	want(t, "settings", t.asJSON(t.mySettings()), t.asJSON(saved))
}

func testSettingsInput(t *storeTest) {
	for field, s := range map[string]alerting.Settings{
		"Cooldown":                 {Cooldown: -2},
		"Suppressions[0].Reason":   {Suppressions: []alerting.Suppression{{Start: "01:00", End: "02:00"}}},
		"Suppressions[0].TimeZone": {Suppressions: []alerting.Suppression{{Start: "01:00", End: "02:00", TimeZone: "Mars/Olympus", Reason: "r"}}},
		"Thresholds[r].Count":      {Thresholds: map[string]alerting.Threshold{"r": {Count: -1}}},
	} {
		_, err := t.SaveSettings(t.Context(), acme, s, ann)
		t.wantInvalid("SaveSettings", err, field)
	}
	_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{}, "")
	t.wantInvalid("SaveSettings", err, "by")
	want(t, "Version", t.mySettings().Version, 0)
}
