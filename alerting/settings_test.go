package alerting_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func TestSettingsInput(t *testing.T) {
	t.Parallel()
	escalations := func(steps ...alerting.Escalation) alerting.Settings {
		return alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityHigh: steps}}
	}
	autoResolve := func(s monitor.Severity, quiet time.Duration) alerting.Settings {
		return alerting.Settings{AutoResolve: map[monitor.Severity]time.Duration{s: quiet}}
	}
	long := make([]alerting.Escalation, 21)
	for i := range long {
		long[i].After = time.Duration(i+1) * time.Second
	}
	for _, tt := range []struct {
		settings alerting.Settings
		field    string
	}{
		{escalations(long[:20]...), ""},
		{escalations(long...), "Escalations[HIGH]"},
		{escalations(alerting.Escalation{}), "Escalations[HIGH].After"},
		{escalations(alerting.Escalation{After: -time.Second}), "Escalations[HIGH].After"},
		{escalations(alerting.Escalation{After: time.Microsecond}), "Escalations[HIGH].After"},
		{escalations(alerting.Escalation{After: 366 * 24 * time.Hour}), "Escalations[HIGH].After"},
		{escalations(alerting.Escalation{After: time.Hour}, alerting.Escalation{After: time.Hour}), "Escalations[HIGH].After"},
		{escalations(alerting.Escalation{After: time.Hour, Routes: []string{"a", ""}}), "Escalations[HIGH].Routes"},
		{escalations(alerting.Escalation{After: time.Hour, Routes: []string{"a\x00"}}), "Escalations[HIGH].Routes"},
		{escalations(alerting.Escalation{After: time.Hour, Routes: make([]string, 21)}), "Escalations[HIGH].Routes"},
		{alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{9: nil}}, "Escalations[unknown(9)]"},
		{autoResolve(monitor.SeverityLow, time.Millisecond), ""},
		{autoResolve(monitor.SeverityLow, 0), "AutoResolve[LOW]"},
		{autoResolve(monitor.SeverityLow, -time.Second), "AutoResolve[LOW]"},
		{autoResolve(monitor.SeverityLow, time.Microsecond), "AutoResolve[LOW]"},
		{autoResolve(9, time.Second), "AutoResolve[unknown(9)]"},
	} {
		err := tt.settings.Validate()
		bad, ok := errors.AsType[*alerting.InvalidError](err)
		if ok != (tt.field != "") || ok && bad.Field != tt.field {
			t.Errorf("%+v: error %v, want one about %q", tt.settings, err, tt.field)
		}
	}
}

func TestSettingsJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       alerting.Settings
		again      string // what it is written as, if that differs
	}{
		{"nothing", `{}`, alerting.Settings{}, `{"suppressionWindows":[]}`},
		{"the reference's", `{"failureRateThreshold":10,"consecutiveFailureThreshold":5,"debounceWindow":15,"escalationDelay":60,
			"suppressionWindows":[{"start":"22:00","end":"02:00","timezone":"Europe/Berlin","reason":"backups"}]}`,
			alerting.Settings{
				Cooldown:     15 * time.Minute,
				Suppressions: []alerting.Suppression{{Start: "22:00", End: "02:00", TimeZone: "Europe/Berlin", Reason: "backups"}},
			},
			`{"debounceWindow":15,"suppressionWindows":[{"start":"22:00","end":"02:00","timezone":"Europe/Berlin","reason":"backups"}]}`},
		{"no cooldown", `{"debounceWindow":0,"suppressionWindows":[]}`, alerting.Settings{Cooldown: -1}, ""},
		{"half a minute", `{"debounceWindow":0.5,"suppressionWindows":[]}`, alerting.Settings{Cooldown: 30 * time.Second}, ""},
		{"a tenth of a second", `{"debounceWindow":0.0016666666666666668,"suppressionWindows":[]}`, alerting.Settings{Cooldown: 100 * time.Millisecond}, ""},
		{
			"everything",
			`{"debounceWindow":1,"suppressionWindows":[{"weekdays":[0,6],"from":"2024-03-01T00:00:00Z","until":"2024-04-01T00:00:00Z",` +
				`"reason":"r","author":"ann"}],"silences":[{"until":"2024-04-01T00:00:00Z","reason":"scan","rules":["failed_auth"],"keys":["k"],"severities":["LOW","HIGH"]}],` +
				`"thresholds":{"failed_auth":{"threshold":10,"timeWindow":300000},"x":{}},` +
				`"escalations":{"CRITICAL":[{"after":60000},{"after":3600000,"routes":["manager","board"]}]},"autoResolve":{"LOW":86400000},` +
				`"damping":{"openings":3,"window":3600000},` +
				`"version":3,"updatedAt":"2024-03-01T09:00:00Z","updatedBy":"bob"}`,
			alerting.Settings{
				Cooldown: time.Minute,
				Suppressions: []alerting.Suppression{{
					Weekdays: []time.Weekday{time.Sunday, time.Saturday},
					From:     time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC),
					Reason: "r", Author: "ann",
				}},
				Silences: []alerting.Silence{{
					Suppression: alerting.Suppression{Until: time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC), Reason: "scan"},
					Rules:       []string{"failed_auth"}, Keys: []string{"k"},
					Severities: []monitor.Severity{monitor.SeverityLow, monitor.SeverityHigh},
				}},
				Thresholds: map[string]alerting.Threshold{"failed_auth": {Count: 10, Window: 5 * time.Minute}, "x": {}},
				Escalations: map[monitor.Severity][]alerting.Escalation{monitor.SeverityCritical: {
					{After: time.Minute}, {After: time.Hour, Routes: []string{"manager", "board"}},
				}},
				AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityLow: 24 * time.Hour},
				Damping:     alerting.Damping{Openings: 3, Window: time.Hour},
				Version:     3, UpdatedAt: at(0), UpdatedBy: "bob",
			}, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got alerting.Settings
			if err := json.Unmarshal([]byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("read %+v\nwant %+v", got, tt.want)
			}
			text, err := json.Marshal(got)
			if tt.again == "" {
				tt.again = tt.text
			}
			if err != nil || string(text) != tt.again {
				t.Errorf("wrote %s, %v\nwant  %s", text, err, tt.again)
			}
		})
	}
}

func TestSettingsJSONInput(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{"debounceWindow":-1}`:                              "debounceWindow",
		`{"debounceWindow":1e300}`:                           "debounceWindow",
		`{"thresholds":{"r":{"timeWindow":-1}}}`:             "thresholds[r].timeWindow",
		`{"thresholds":{"r":{"timeWindow":1e18}}}`:           "thresholds[r].timeWindow",
		`{"escalations":{"HIGH":[{"after":-1}]}}`:            "escalations[HIGH].after",
		`{"autoResolve":{"HIGH":1e18}}`:                      "autoResolve[HIGH]",
		`{"autoResolve":{"high":1000}}`:                      "",
		`{"debounceWindow":"15"}`:                            "",
		`{"suppressionWindows":{}}`:                          "",
		`{"suppressionWindows":[{"from":"yesterday"}]}`:      "",
		`{"thresholds":{"r":{"threshold":1.5}}}`:             "",
		`{"suppressionWindows":[{"weekdays":["Saturday"]}]}`: "",
		`[]`: "",
	} {
		s := alerting.Settings{Version: 7}
		err := json.Unmarshal([]byte(text), &s)
		bad, ok := errors.AsType[*alerting.InvalidError](err)
		if err == nil || ok != (field != "") || ok && bad.Field != field {
			t.Errorf("%s: error %v, want one about %q", text, err, field)
		}
		if !reflect.DeepEqual(s, alerting.Settings{Version: 7}) {
			t.Errorf("%s: half read: %+v", text, s)
		}
	}
}

// TestSettingsJSONUnknown checks that a mistyped member is refused by its name, and that
// a store can read all the others.
func TestSettingsJSONUnknown(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`{"debouncewindow":15,"version":7}`:                                          "debouncewindow",
		`{"version":7,"treshold":3}`:                                                 "treshold",
		`{"thresholds":{"r":{"treshold":3}},"version":7}`:                            "thresholds.r.treshold",
		`{"suppressionWindows":[{"reason":"r"},{"timeZone":"UTC"}],"version":7}`:     "suppressionWindows[1].timeZone",
		`{"escalations":{"HIGH":[{"after":1},{"after":2,"route":"x"}]},"version":7}`: "escalations.HIGH[1].route",
	} {
		var s alerting.Settings
		err := json.Unmarshal([]byte(text), &s)
		bad, ok := errors.AsType[*alerting.InvalidError](err)
		if !ok || bad.Field != field || !errors.Is(err, alerting.ErrUnknownMember) || !errors.Is(err, monitor.ErrPermanent) {
			t.Errorf("%s: error %v, want one about %q", text, err, field)
		}
		if s.Version != 7 {
			t.Errorf("%s: the other members were not read: %+v", text, s)
		}
	}
	var s alerting.Settings
	if err := json.Unmarshal([]byte(`{"thresholds":{"r":{}},"thresholds":{}}`), &s); err == nil {
		t.Error("a member was there twice")
	}
}

// TestSaveSettingsNames checks that settings cannot name what does not exist.
func TestSaveSettingsNames(t *testing.T) {
	t.Parallel()
	threshold := func(rule string) alerting.Settings {
		return alerting.Settings{Thresholds: map[string]alerting.Threshold{"failed_auth": {Count: 3}, rule: {Count: 3}}}
	}
	escalation := func(route string) alerting.Settings {
		return alerting.Settings{Escalations: map[monitor.Severity][]alerting.Escalation{
			monitor.SeverityHigh: {{After: time.Minute}, {After: time.Hour, Routes: []string{"pager", route}}},
		}}
	}
	silence := func(rules ...string) alerting.Settings {
		return alerting.Settings{Silences: []alerting.Silence{{
			Suppression: alerting.Suppression{Until: at(60), Reason: "drill"}, Rules: rules,
		}}}
	}
	nobody := alerting.NotifierFunc(func(context.Context, *alerting.Notification) error { return nil })
	rules, routes := []string{"failed_auth", "off_hours"}, []alerting.Route{{Name: "pager", Notifier: nobody}, {Name: "mail", Notifier: nobody}}
	for name, tt := range map[string]struct {
		options  alerting.ManagerOptions
		settings alerting.Settings
		field    string
	}{
		"rules":            {alerting.ManagerOptions{Rules: rules}, threshold("off_hours"), ""},
		"mistyped rule":    {alerting.ManagerOptions{Rules: rules}, threshold("failed_atuh"), "Thresholds[failed_atuh]"},
		"case of a rule":   {alerting.ManagerOptions{Rules: rules}, threshold("OFF_HOURS"), "Thresholds[OFF_HOURS]"},
		"silence":          {alerting.ManagerOptions{Rules: rules}, silence("off_hours", monitor.RuleTampered), ""},
		"mistyped silence": {alerting.ManagerOptions{Rules: rules}, silence("off_hours", "of_hours"), "Silences[0].Rules"},
		"unknown rules":    {alerting.ManagerOptions{Routes: routes}, threshold("failed_atuh"), ""},
		"routes":           {alerting.ManagerOptions{Routes: routes}, escalation("mail"), ""},
		"mistyped route":   {alerting.ManagerOptions{Routes: routes}, escalation("mial"), "Escalations[HIGH].Routes"},
		"without routes":   {alerting.ManagerOptions{Rules: rules}, escalation("mial"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManager(t, memalerts.New(nil), &tt.options)
			_, err := m.SaveSettings(t.Context(), "acme", tt.settings, "ann")
			bad, ok := errors.AsType[*alerting.InvalidError](err)
			if ok != (tt.field != "") || ok && bad.Field != tt.field {
				t.Errorf("error %v, want one about %q", err, tt.field)
			}
			saved, err := m.Settings(t.Context(), "acme")
			if err != nil || (saved.Version == 0) != ok {
				t.Errorf("saved %+v, %v", saved, err)
			}
		})
	}
}

// TestSettingsBecomeOverrides checks that package detect reads what the manager lists.
func TestSettingsBecomeOverrides(t *testing.T) {
	t.Parallel()
	m := newManager(t, memalerts.New(nil), nil)
	for organization, rule := range map[string]string{"acme": detect.FailedAuth, "other": "failed_atuh"} {
		_, err := m.SaveSettings(t.Context(), organization, alerting.Settings{
			Thresholds: map[string]alerting.Threshold{rule: {Count: 9, Window: time.Hour}},
		}, "ann")
		if err != nil {
			t.Fatal(err)
		}
	}
	settings, err := m.AllSettings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	overrides, refused := detect.OverridesFromSettings(nil, settings)
	if got, want := overrides["acme"].Rules[detect.FailedAuth], (detect.RuleOverride{Threshold: 9, Window: time.Hour}); got != want {
		t.Errorf("override %+v, want %+v", got, want)
	}
	if len(refused) != 1 || refused[0].Organization != "other" || refused[0].Rule != "failed_atuh" {
		t.Errorf("refused %v", refused)
	}
}

func FuzzSettingsJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"debounceWindow":15.25,"suppressionWindows":[{"start":"22:00","end":"02:00","timezone":"UTC","reason":"x"}]}`,
		`{"debounceWindow":0,"thresholds":{"failed_auth":{"threshold":1,"timeWindow":0.4}},"version":-1}`,
		`{"escalations":{"LOW":[{"after":1},{"after":2,"routes":["a"]}]},"autoResolve":{"INFO":0.6}}`,
		`{"suppressionWindows":[{"weekdays":[1],"until":"2024-04-01T00:00:00+01:00","reason":"x"}],"updatedAt":"0000-01-01T00:00:00Z"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s alerting.Settings
		if json.Unmarshal([]byte(text), &s) != nil {
			return
		}
		p, err := driver.NewPolicy(s)
		if err != nil {
			return
		}
		p.Notify(&monitor.Alert{}, driver.Timer{}, at(0), at(0))
		first, err := json.Marshal(p.Settings())
		if err != nil {
			t.Fatalf("valid settings %+v cannot be written: %v", s, err)
		}
		var again alerting.Settings
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%s cannot be read: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("read again, %s became %s, %v", first, second, err)
		}
		if err := again.Validate(); err != nil {
			t.Fatalf("%s is no longer valid: %v", first, err)
		}
	})
}

func TestInvalidSettings(t *testing.T) {
	t.Parallel()
	ok := alerting.Suppression{Start: "22:00", End: "06:00", Reason: "night"}
	window := func(change func(*alerting.Suppression)) alerting.Settings {
		s := ok
		change(&s)
		return alerting.Settings{Suppressions: []alerting.Suppression{ok, s}}
	}
	silence := func(change func(*alerting.Silence)) alerting.Settings {
		s := alerting.Silence{Suppression: ok, Rules: []string{"r"}}
		change(&s)
		return alerting.Settings{Silences: []alerting.Silence{{Suppression: ok, Keys: []string{"k"}}, s}}
	}
	threshold := func(rule string, th alerting.Threshold) alerting.Settings {
		return alerting.Settings{Thresholds: map[string]alerting.Threshold{rule: th}}
	}
	many := alerting.Settings{Thresholds: map[string]alerting.Threshold{}}
	for i := range 1001 {
		many.Thresholds[fmt.Sprint(i)] = alerting.Threshold{}
	}
	for i, tt := range []struct {
		field    string
		settings alerting.Settings
	}{
		{"Cooldown", alerting.Settings{Cooldown: -2}},
		{"Cooldown", alerting.Settings{Cooldown: 366 * 24 * time.Hour}},
		{"Cooldown", alerting.Settings{Cooldown: time.Microsecond}},
		{"Suppressions", alerting.Settings{Suppressions: make([]alerting.Suppression, 101)}},
		{"Suppressions[1].Start", window(func(s *alerting.Suppression) { s.Start = "" })},
		{"Suppressions[1].Start", window(func(s *alerting.Suppression) { s.Start = "24:00" })},
		{"Suppressions[1].Start", window(func(s *alerting.Suppression) { s.Start = "7:30" })},
		{"Suppressions[1].Start", window(func(s *alerting.Suppression) { s.Start = "22:00:00" })},
		{"Suppressions[1].End", window(func(s *alerting.Suppression) { s.End = "" })},
		{"Suppressions[1].End", window(func(s *alerting.Suppression) { s.End = "six" })},
		{"Suppressions[1].End", window(func(s *alerting.Suppression) { s.End = s.Start })},
		{"Suppressions[1].TimeZone", window(func(s *alerting.Suppression) { s.TimeZone = "Local" })},
		{"Suppressions[1].TimeZone", window(func(s *alerting.Suppression) { s.TimeZone = "../../etc/passwd" })},
		{"Suppressions[1].TimeZone", window(func(s *alerting.Suppression) { s.TimeZone = "CET/Nowhere" })},
		{"Suppressions[1].Weekdays", window(func(s *alerting.Suppression) { s.Weekdays = []time.Weekday{7} })},
		{"Suppressions[1].Weekdays", window(func(s *alerting.Suppression) { s.Weekdays = []time.Weekday{-1} })},
		{"Suppressions[1].Until", window(func(s *alerting.Suppression) { *s = alerting.Suppression{Reason: "for ever"} })},
		{"Suppressions[1].Until", window(func(s *alerting.Suppression) { *s = alerting.Suppression{From: at(0), Reason: "for ever"} })},
		{"Suppressions[1].Until", window(func(s *alerting.Suppression) { s.From, s.Until = at(1), at(1) })},
		{"Suppressions[1].From", window(func(s *alerting.Suppression) { s.From = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) })},
		{"Suppressions[1].Reason", window(func(s *alerting.Suppression) { s.Reason = " " })},
		{"Suppressions[1].Reason", window(func(s *alerting.Suppression) { s.Reason = "a\x00b" })},
		{"Suppressions[1].Author", window(func(s *alerting.Suppression) { s.Author = "\xff" })},
		{"Suppressions[1].Author", window(func(s *alerting.Suppression) { s.Author = strings.Repeat("x", 256) })},
		{"Damping.Openings", alerting.Settings{Damping: alerting.Damping{Openings: 101, Window: time.Hour}}},
		{"Damping.Openings", alerting.Settings{Damping: alerting.Damping{Openings: -1, Window: time.Hour}}},
		{"Damping.Window", alerting.Settings{Damping: alerting.Damping{Openings: 1}}},
		{"Damping.Window", alerting.Settings{Damping: alerting.Damping{Window: time.Hour}}},
		{"Damping.Window", alerting.Settings{Damping: alerting.Damping{Openings: 1, Window: time.Microsecond}}},
		{"Silences", alerting.Settings{Silences: make([]alerting.Silence, 101)}},
		{"Silences[1].Rules", silence(func(s *alerting.Silence) { s.Rules = nil })},
		{"Silences[1].Rules", silence(func(s *alerting.Silence) { s.Rules = slices.Repeat(s.Rules, 21) })},
		{"Silences[1].Rules", silence(func(s *alerting.Silence) { s.Rules = append(s.Rules, "") })},
		{"Silences[1].Rules[0]", silence(func(s *alerting.Silence) { s.Rules[0] = "a\x00b" })},
		{"Silences[1].Keys[0]", silence(func(s *alerting.Silence) { s.Keys = []string{"\xff"} })},
		{"Silences[1].Severities", silence(func(s *alerting.Silence) { s.Severities = []monitor.Severity{9} })},
		{"Silences[1].Severities", silence(func(s *alerting.Silence) { s.Severities = make([]monitor.Severity, 21) })},
		{"Silences[1].Until", silence(func(s *alerting.Silence) { s.Suppression = alerting.Suppression{Reason: "for ever"} })},
		{"Silences[1].Reason", silence(func(s *alerting.Silence) { s.Reason = "" })},
		{"Thresholds", many},
		{"Thresholds", threshold("", alerting.Threshold{})},
		{"Thresholds", threshold("\xff", alerting.Threshold{})},
		{"Thresholds[r].Count", threshold("r", alerting.Threshold{Count: -1})},
		{"Thresholds[r].Window", threshold("r", alerting.Threshold{Window: -1})},
		{"Thresholds[r].Window", threshold("r", alerting.Threshold{Window: time.Nanosecond})},
	} {
		t.Run(fmt.Sprintf("%d %s", i, tt.field), func(t *testing.T) {
			t.Parallel()
			err := tt.settings.Validate()
			if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field != tt.field || bad.Unwrap() == nil {
				t.Errorf("error %v, want one about %s", err, tt.field)
			}
		})
	}
}
