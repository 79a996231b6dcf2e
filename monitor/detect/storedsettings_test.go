package detect_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func settingsOf(texts map[string]string) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for organization, text := range texts {
		all[organization] = json.RawMessage(text)
	}
	return all
}

func TestOverridesFromSettings(t *testing.T) {
	t.Parallel()
	o := &detect.Options{Overrides: map[string]detect.Override{
		"a": {
			Location:   time.UTC,
			Exceptions: detect.Exceptions{Principals: []string{"backup"}},
			Rules: map[string]detect.RuleOverride{
				detect.FailedAuth: {Threshold: 7, Window: time.Hour}, detect.BulkOperation: {Disabled: true},
			},
		},
		"untouched": {Location: time.UTC},
	}}
	got, refused := detect.OverridesFromSettings(o, settingsOf(map[string]string{
		"a": `{"version": 3, "suppressionWindows": [], "thresholds": {
			"failed_auth": {"threshold": 10}, "bulk_operation": {"threshold": 500}, "data_velocity": {"timeWindow": 1500}}}`,
		"b": `{"thresholds": {"failed_auth": {}, "data_velocity": {"threshold": 9, "timeWindow": 0.2}}}`,
		"c": `{}`,
		"d": `null`,
	}))
	if len(refused) > 0 {
		t.Errorf("refused %v", refused)
	}
	check.Equal(t, "overrides", got, map[string]detect.Override{
		"a": {
			Location:   time.UTC,
			Exceptions: detect.Exceptions{Principals: []string{"backup"}},
			Rules: map[string]detect.RuleOverride{
				detect.FailedAuth:    {Threshold: 10, Window: time.Hour},
				detect.BulkOperation: {Disabled: true, Threshold: 500},
				detect.DataVelocity:  {Window: 1500 * time.Millisecond},
			},
		},
		"b": {Rules: map[string]detect.RuleOverride{
			detect.FailedAuth: {}, detect.DataVelocity: {Threshold: 9, Window: time.Millisecond},
		}},
		"untouched": {Location: time.UTC},
	})
	check.Equal(t, "threshold of the options", o.Overrides["a"].Rules[detect.FailedAuth].Threshold, 7)
}

// TestBadSettingsStopNothing pins that whatever organizations set, the options stay
// valid, and what they set besides has its effect.
func TestBadSettingsStopNothing(t *testing.T) {
	t.Parallel()
	matches := func(*monitor.Event) bool { return true }
	o := &detect.Options{MaxEventsPerKey: 100, Rules: append(detect.Defaults(), detect.Rule{
		Name: "steps", Window: time.Minute, Sequence: []detect.Step{{Match: matches}, {Match: matches}},
	})}
	o.Rules = slices.DeleteFunc(o.Rules, func(r detect.Rule) bool { return r.Threshold > 100 })
	for bad, want := range map[string]string{
		`"failed_atuh": {"threshold": 3}`:                    `rule "failed_atuh": there is no such rule`,
		`"FAILED_AUTH": {}`:                                  `rule "FAILED_AUTH": there is no such rule`,
		`"": {}`:                                             `there is no such rule`,
		`"failed_auth": {"treshold": 3}`:                     `rule "failed_auth": unknown field "treshold"`,
		`"failed_auth": {"threshold": -1}`:                   `rule "failed_auth": Threshold: -1 is negative`,
		`"failed_auth": {"threshold": 101}`:                  `rule "failed_auth": Threshold: needs 101 events`,
		`"failed_auth": {"threshold": 1e99}`:                 `rule "failed_auth": threshold: a JSON number`,
		`"failed_auth": {"threshold": "3"}`:                  `rule "failed_auth": threshold: a JSON string does not fit`,
		`"failed_auth": {"timeWindow": -5}`:                  `rule "failed_auth": timeWindow: -5 ms are no window`,
		`"failed_auth": {"timeWindow": 1e300}`:               `rule "failed_auth": timeWindow: 1e+300 ms are no window`,
		`"failed_auth": []`:                                  `rule "failed_auth": this is no JSON object`,
		`"off_hours": {"timeWindow": 1000}`:                  `rule "off_hours": Window: the rule has none to change`,
		`"off_hours": {"threshold": 3}`:                      `rule "off_hours": Window: is missing`,
		`"steps": {"threshold": 3}`:                          `rule "steps": Threshold: is set, and so is Sequence`,
		`"failed_auth": {"threshold": 3}, "failed_auth": {}`: `thresholds: field "failed_auth" is there twice`,
	} {
		t.Run(bad, func(t *testing.T) {
			t.Parallel()
			next := *o
			var refused []*detect.SettingError
			next.Overrides, refused = detect.OverridesFromSettings(o, settingsOf(map[string]string{
				"bad":  `{"thresholds": {` + bad + `, "unauthorized_access": {"threshold": 2}}}`,
				"good": `{"thresholds": {"failed_auth": {"threshold": 2}}}`,
			}))
			if len(refused) != 1 || refused[0].Organization != "bad" || !strings.Contains(refused[0].Error(), want) {
				t.Errorf("refused %v, want %q", refused, want)
			}
			en, err := detect.New(&next)
			check.NoError(t, "New", err)
			check.NoError(t, "Swap", en.Swap(&next))
			check.Equal(t, "the good one's", next.Overrides["good"].Rules[detect.FailedAuth].Threshold, 2)
			if !strings.Contains(want, "twice") { // with which nothing of it can be read
				check.Equal(t, "another rule's", next.Overrides["bad"].Rules[detect.UnauthorizedAccess].Threshold, 2)
			}
		})
	}
	for text, want := range map[string]string{
		`[]`:                  "this is no JSON object",
		`{"thresholds": [1]}`: "thresholds: this is no JSON object",
		`{"thresholds": {}`:   "unexpected end of JSON input",
	} {
		got, refused := detect.OverridesFromSettings(nil, settingsOf(map[string]string{"bad": text, "": `{}`}))
		check.Equal(t, text, len(got), 0)
		if len(refused) != 2 || refused[0].Organization != "" || !strings.Contains(refused[1].Error(), want) {
			t.Errorf("%s: refused %v, want %q", text, refused, want)
		}
	}
}

// FuzzOverridesFromSettings checks that no settings make options invalid.
func FuzzOverridesFromSettings(f *testing.F) {
	f.Add("org", `{"thresholds": {"failed_auth": {"threshold": 10, "timeWindow": 300000}, "x": {}}}`)
	f.Add("", `{"thresholds": null}`)
	f.Fuzz(func(t *testing.T, organization, text string) {
		o := &detect.Options{}
		o.Overrides, _ = detect.OverridesFromSettings(o, settingsOf(map[string]string{organization: text}))
		if _, err := detect.New(o); err != nil {
			t.Errorf("settings %s of %q: %v", text, organization, err)
		}
	})
}

// What organizations have saved changes the rules of these organizations. What cannot
// be used is for the log, and stops nothing.
func ExampleOverridesFromSettings() {
	// Usually the settings that alerting.Manager.AllSettings returns.
	saved := map[string]json.RawMessage{
		"acme":  json.RawMessage(`{"thresholds": {"failed_auth": {"threshold": 10}}}`),
		"other": json.RawMessage(`{"thresholds": {"failed_atuh": {"threshold": 10}}}`),
	}
	options := detect.Options{Rules: detect.Defaults()}
	overrides, refused := detect.OverridesFromSettings(&options, saved)
	for _, err := range refused {
		fmt.Println(err)
	}
	options.Overrides = overrides
	_, err := detect.New(&options)
	fmt.Println(slices.Collect(maps.Keys(overrides)), err)
	// Output:
	// settings of organization "other": rule "failed_atuh": there is no such rule
	// [acme] <nil>
}
