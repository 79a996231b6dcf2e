package alertingtest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func (t *storeTest) mySettings() alerting.Settings {
	t.Helper()
	return check.Must(t.Settings(t.Context(), acme))(t)
}

// asJSON returns the JSON form of settings, for comparisons.
func (t *storeTest) asJSON(s alerting.Settings) string {
	t.Helper()
	text := check.Must(json.Marshal(s))(t)
	return string(text)
}

func someSettings() alerting.Settings {
	return alerting.Settings{
		Cooldown: 90 * time.Second,
		Suppressions: []alerting.Suppression{
			{Start: "22:00", End: "02:00", TimeZone: "Europe/Berlin", Weekdays: []time.Weekday{time.Saturday}, Reason: "backups"},
			{From: minutes(0), Until: minutes(60), Reason: "upgrade", Author: "bob"},
		},
		Silences: []alerting.Silence{{
			Suppression: alerting.Suppression{Until: minutes(60), Reason: "penetration test"},
			Rules:       []string{"failed_auth"}, Keys: []string{"scanner"}, Severities: []monitor.Severity{monitor.SeverityMedium},
		}},
		Thresholds: map[string]alerting.Threshold{
			"failed_auth":   {Count: 10, Window: 10 * time.Minute},
			"data_velocity": {Count: 500},
		},
	}
}

func testSettings(t *storeTest) {
	check.Equal(t, "settings nobody saved", t.asJSON(t.mySettings()), t.asJSON(alerting.Settings{}))

	before := time.Now().Add(-time.Minute)
	saved := t.save(acme, someSettings())
	check.Equal(t, "Version", saved.Version, 1)
	check.Equal(t, "UpdatedBy", saved.UpdatedBy, ann)
	check.Equal(t, "author of the first window", saved.Suppressions[0].Author, ann)
	check.Equal(t, "author of the second window", saved.Suppressions[1].Author, "bob")
	check.Equal(t, "author of the silence", saved.Silences[0].Author, ann)
	if saved.UpdatedAt.Before(before) {
		t.Errorf("UpdatedAt = %v", saved.UpdatedAt)
	}
	check.Equal(t, "settings", t.asJSON(t.mySettings()), t.asJSON(saved))
	got := t.mySettings()
	check.Equal(t, "Cooldown", got.Cooldown, 90*time.Second)
	check.Equal(t, "threshold", got.Thresholds["failed_auth"], alerting.Threshold{Count: 10, Window: 10 * time.Minute})

	// The settings that the store returns are copies.
	saved.Thresholds["failed_auth"] = alerting.Threshold{Count: 1}
	saved.Suppressions[0].Weekdays[0] = time.Monday
	saved.Silences[0].Keys[0] = "spoiled"
	got.Suppressions[0].Reason = "spoiled"
	clear(got.Thresholds)
	again := t.mySettings()
	check.Equal(t, "stored threshold", again.Thresholds["failed_auth"].Count, 10)
	check.Equal(t, "stored weekday", again.Suppressions[0].Weekdays[0], time.Saturday)
	check.Equal(t, "stored key", again.Silences[0].Keys[0], "scanner")
	check.Equal(t, "stored reason", again.Suppressions[0].Reason, "backups")

	// Fields that are not set are removed.
	next := t.save(acme, alerting.Settings{Version: 1})
	check.Equal(t, "next version", next.Version, 2)
	check.Equal(t, "windows", len(t.mySettings().Suppressions), 0)
	check.Equal(t, "silences", len(t.mySettings().Silences), 0)
	check.Equal(t, "thresholds", len(t.mySettings().Thresholds), 0)
}

func testAllSettings(t *storeTest) {
	check.Equal(t, "settings that nobody saved", len(check.Must(t.AllSettings(t.Context()))(t)), 0)
	t.opened(other, "mallory", "e1", minutes(0)) // it has alerts and no settings
	saved := map[string]alerting.Settings{}
	for _, organization := range []string{acme, "ACME", "a'b", "\u00e9"} {
		saved[organization] = t.save(organization, someSettings())
	}
	saved[acme] = t.save(acme, alerting.Settings{Version: 1})
	all := check.Must(t.AllSettings(t.Context()))(t)
	check.Equal(t, "organizations", slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(saved)))
	for organization, s := range saved {
		check.Equal(t, "settings of "+organization, t.asJSON(all[organization]), t.asJSON(s))
	}
	clear(all["ACME"].Thresholds) // it is a copy
	check.Equal(t, "stored thresholds", len(check.Must(t.AllSettings(t.Context()))(t)["ACME"].Thresholds), 2)
}

func testSettingsConflict(t *storeTest) {
	_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{Version: 1}, ann)
	check.ErrorIs(t, "version of settings nobody saved", err, monitor.ErrConflict)
	saved := t.save(acme, alerting.Settings{Cooldown: time.Minute})
	for _, version := range []int64{0, 2, -1} {
		_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{Version: version}, ann)
		check.ErrorIs(t, "another version", err, monitor.ErrConflict)
	}
	check.Equal(t, "settings", t.asJSON(t.mySettings()), t.asJSON(saved))
}
