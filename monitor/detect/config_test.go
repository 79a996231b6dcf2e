package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// fullConfig names every field.
const fullConfig = `{
	"failedAuthThreshold": 6, "failedAuthTimeWindow": 1000,
	"unauthorizedAccessThreshold": 4, "unauthorizedAccessTimeWindow": 2000,
	"dataAccessVelocityThreshold": 51, "dataAccessTimeWindow": 3000,
	"bulkOperationThreshold": 101, "bulkOperationTimeWindow": 4000,
	"offHoursStart": 20, "offHoursEnd": 7,
	"timezone": "Europe/Vienna",
	"workingDays": ["Monday", "Sunday"],
	"holidays": ["2026-12-25"],
	"disabledRules": ["data_velocity"],
	"exceptions": {"principals": ["backup"], "actions": ["system.*"], "networks": ["10.0.0.0/8"]},
	"organizations": {
		"org-2": {
			"failedAuthThreshold": 2, "dataAccessVelocityThreshold": 7, "offHoursEnd": 5,
			"timezone": "Asia/Tokyo", "disabledRules": ["bulk_operation"],
			"exceptions": {"principals": ["importer"]}
		},
		"org-3": {"workingDays": [], "holidays": ["2026-01-01"]}
	}
}`

func TestParseConfig(t *testing.T) {
	t.Parallel()
	o, err := detect.ParseConfig(strings.NewReader(fullConfig))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, r := range o.Rules {
		rules = append(rules, fmt.Sprintf("%s %d/%s", r.Name, r.Threshold, r.Window))
	}
	hours := func(h *detect.Hours) string {
		if h == nil {
			return "none"
		}
		return fmt.Sprintf("%d-%d %v %v", h.Start, h.End, h.WorkingDays, h.Holidays)
	}
	second, third := o.Overrides["org-2"], o.Overrides["org-3"]
	for _, test := range []struct{ what, got, want string }{
		{"rules", fmt.Sprint(rules), "[failed_auth 6/1s unauthorized_access 4/2s bulk_operation 101/4s off_hours 0/0s]"},
		{"location", o.Location.String(), "Europe/Vienna"},
		{"hours", hours(o.Rules[3].Hours), "20-7 [Monday Sunday] [2026-12-25]"},
		{"exceptions", fmt.Sprint(o.Exceptions), "{[backup] [system.*] [10.0.0.0/8]}"},
		{"org-2: location", second.Location.String(), "Asia/Tokyo"},
		{"org-2: failed_auth", fmt.Sprint(second.Rules["failed_auth"]), "{false 2 0s <nil>}"},
		{"org-2: hours", hours(second.Rules["off_hours"].Hours), "20-5 [Monday Sunday] [2026-12-25]"},
		{"org-2: rules", fmt.Sprint(len(second.Rules), second.Rules["bulk_operation"].Disabled), "3 true"},
		{"org-2: exceptions", fmt.Sprint(second.Exceptions), "{[importer] [] []}"},
		{"org-3: hours", hours(third.Rules["off_hours"].Hours), "20-7 [] [2026-01-01]"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.what, test.got, test.want)
		}
	}
	if third.Location != nil {
		t.Errorf("org-3: location %s, want none of its own", third.Location)
	}
	newTrail(t, o)
}

// TestParseConfigDefaults shows that an empty object stands for Defaults.
func TestParseConfigDefaults(t *testing.T) {
	t.Parallel()
	o, err := detect.ParseConfig(strings.NewReader("{}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := detect.Defaults()
	if len(o.Rules) != len(want) {
		t.Fatalf("%d rules", len(o.Rules))
	}
	for i, r := range o.Rules {
		if r.Name != want[i].Name || r.Threshold != want[i].Threshold || r.Window != want[i].Window ||
			(r.Hours == nil) != (want[i].Hours == nil) {
			t.Errorf("got %+v, want %+v", r, want[i])
		}
	}
	o, err = detect.ParseConfig(strings.NewReader(`{"disabledRules":
		["failed_auth", "unauthorized_access", "data_velocity", "bulk_operation", "off_hours"],
		"organizations": {"org-1": {"failedAuthThreshold": 1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, newTrail(t, o).add(loginFailure(0, "u"), loginFailure(0, "u")))
}

func TestParseConfigErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                          "it is empty",
		`null true`:                 "there is something behind the object",
		`{`:                         "unexpected EOF",
		`[]`:                        "this is no JSON object",
		`{"failedAuthTreshold": 5}`: `unknown field "failedAuthTreshold"`,
		`{"organizations": {"o": {"organizations": {}}}}`:   `unknown field "organizations"`,
		`{"failedAuthThreshold": "5"}`:                      "failedAuthThreshold: a JSON string does not fit",
		`{"failedAuthThreshold": 5.5}`:                      "failedAuthThreshold: a JSON number 5.5 does not fit",
		`{"failedAuthThreshold": NaN}`:                      "invalid character 'N'",
		`{"failedAuthThreshold": 0}`:                        "failedAuthThreshold: 0 is not from 1 to 2147483647",
		`{"unauthorizedAccessThreshold": -3}`:               "unauthorizedAccessThreshold: -3 is not from 1",
		`{"dataAccessVelocityThreshold": 0}`:                "dataAccessVelocityThreshold: 0 is not from 1",
		`{"bulkOperationThreshold": 2147483648}`:            "bulkOperationThreshold: 2147483648 is not from 1",
		`{"failedAuthTimeWindow": 0}`:                       "failedAuthTimeWindow: 0 is not from 1 to 9223372036854",
		`{"unauthorizedAccessTimeWindow": -1}`:              "unauthorizedAccessTimeWindow: -1 is not",
		`{"dataAccessTimeWindow": 9223372036855}`:           "dataAccessTimeWindow: 9223372036855 is not",
		`{"bulkOperationTimeWindow": 0}`:                    "bulkOperationTimeWindow: 0 is not",
		`{"offHoursStart": 24}`:                             "offHoursStart: 24 is not from 0 to 23",
		`{"offHoursEnd": -1}`:                               "offHoursEnd: -1 is not from 0 to 23",
		`{"timezone": "Mars/Olympus"}`:                      `timezone: "Mars/Olympus" is no IANA time zone`,
		`{"timezone": "Local"}`:                             `timezone: "Local" is no IANA time zone`,
		`{"timezone": ""}`:                                  `timezone: "" is no IANA time zone`,
		`{"workingDays": ["Mon"]}`:                          `workingDays: "Mon" is no day`,
		`{"holidays": ["2026-02-30"]}`:                      `holidays: "2026-02-30" is not a date`,
		`{"disabledRules": ["x"]}`:                          `disabledRules: there is no rule "x"`,
		`{"exceptions": {"networks": ["10.0.0.1"]}}`:        `exceptions.networks: "10.0.0.1" is no network`,
		`{"FailedAuthThreshold": 5}`:                        `unknown field "FailedAuthThreshold"`,
		`{"organizations": {"o": {"offHoursend": 5}}}`:      `organizations.o: unknown field "offHoursend"`,
		`{"offHoursEnd": 5, "offHoursEnd": 5}`:              `field "offHoursEnd" is there twice`,
		`{"organizations": {"o": {}, "o": {}}}`:             `organizations: field "o" is there twice`,
		`{"organizations": {"o": {"timezone": 5}}}`:         `organizations.o.timezone: a JSON number does not fit`,
		`{"exceptions": {"network": []}}`:                   `unknown field "network"`,
		`{"exceptions": {"actions": ["*"]}}`:                `Actions: "*" would except every event`,
		`{"organizations": {"": {}}}`:                       "the organization is empty",
		`{"organizations": {"org-1": {"offHoursEnd": 24}}}`: `organizations: "org-1": offHoursEnd: 24 is not from 0 to 23`,
	} {
		o, err := detect.ParseConfig(strings.NewReader(text))
		if err == nil || o != nil || !strings.HasPrefix(err.Error(), "detect: parse config: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestConfigErrorsInOrder gives everything that is wrong, always in the same
// order.
func TestConfigErrorsInOrder(t *testing.T) {
	t.Parallel()
	const config = `{"offHoursEnd": 24, "failedAuthThreshold": 0, "organizations": {
		"b": {"timezone": "x", "offHoursStart": 24}, "c": {"offHoursEnd": 24}, "a": {"offHoursEnd": 24}}}`
	const want = `detect: parse config: failedAuthThreshold: 0 is not from 1 to 2147483647
offHoursEnd: 24 is not from 0 to 23
organizations: "a": offHoursEnd: 24 is not from 0 to 23
organizations: "b": offHoursStart: 24 is not from 0 to 23
organizations: "b": timezone: "x" is no IANA time zone such as "Europe/Vienna"
organizations: "c": offHoursEnd: 24 is not from 0 to 23`
	for range 20 {
		if _, err := detect.ParseConfig(strings.NewReader(config)); err == nil || err.Error() != want {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	rule := detect.Rule{Name: "r", Match: any1, Threshold: 2, Window: time.Second}
	change := detect.Override{Rules: map[string]detect.RuleOverride{
		"z": {}, "y": {}, "x": {}, "r": {Threshold: -1, Window: -1, Hours: &detect.Hours{Start: 24}},
	}}
	o := &detect.Options{Rules: []detect.Rule{rule}, Overrides: map[string]detect.Override{"b": change, "a": change, "": change}}
	_, first := detect.New(o)
	for range 20 {
		if _, err := detect.New(o); err == nil || err.Error() != first.Error() {
			t.Fatalf("got %v, and before %v", err, first)
		}
	}
}

// FuzzConfig checks that whatever is accepted makes an engine.
func FuzzConfig(f *testing.F) {
	f.Add(fullConfig)
	f.Add(`{}`)
	f.Add(`{"organizations": {"a": {"timezone": "UTC"}}}`)
	f.Add(`{"offHoursStart": 3, "offHoursEnd": 3, "holidays": ["2026-12-25"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := detect.ParseConfig(strings.NewReader(text))
		if err != nil {
			return
		}
		engine, err := detect.New(o)
		if err != nil {
			t.Fatalf("New refuses what ParseConfig accepts: %v", err)
		}
		for organization := range o.Overrides {
			e := loginFailure(0, "u")
			detectOne(engine, e, monitor.Arrival{OrganizationID: organization})
		}
	})
}
