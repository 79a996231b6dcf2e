package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// described returns the description of what each of the events made the rule find.
func described(t *testing.T, r detect.Rule, es ...*monitor.Event) (all []string) {
	t.Helper()
	for _, f := range newTrail(t, &detect.Options{Rules: []detect.Rule{r}}).add(es...) {
		all = append(all, f.Describe())
	}
	return all
}

// TestStepsAreCounted: what a sequence found is told in events, all of them, and not in
// steps.
func TestStepsAreCounted(t *testing.T) {
	t.Parallel()
	fail, success, both := "fail", "success", "fail success"
	has := func(word string) func(e *monitor.Event) bool {
		return func(e *monitor.Event) bool { return strings.Contains(e.Action, word) }
	}
	rule := detect.Rule{Name: "r", Window: time.Minute, Sequence: []detect.Step{
		{Match: has(fail), Count: 3, Counts: "failed login|failed logins"}, {Match: has(success), Counts: "success|successes"},
	}}
	for name, test := range map[string]struct {
		actions []string
		want    string // of the last event
	}{
		"just enough":      {[]string{fail, fail, fail, success}, "3 failed logins, then 1 success"},
		"more":             {[]string{fail, fail, fail, fail, fail, success}, "5 failed logins, then 1 success"},
		"a second success": {[]string{fail, fail, fail, success, success}, "3 failed logins, then 2 successes"},
		"success between":  {[]string{fail, fail, success, fail, success}, "3 failed logins, then 1 success"},
		"others between":   {[]string{fail, "x", fail, fail, "x", success}, "3 failed logins, then 1 success"},
		"both at once":     {[]string{both, both, both, both}, "3 failed logins, then 1 success"},
	} {
		var es []*monitor.Event
		for i, action := range test.actions {
			es = append(es, at(time.Duration(i)*time.Second, action, "ann"))
		}
		all := described(t, rule, es...)
		if len(all) == 0 || !strings.HasPrefix(all[len(all)-1], test.want+" in 1 minute for principal ann, up to ") {
			t.Errorf("%s: %q, want %q", name, all, test.want)
		}
	}
	// What has left the window does not count.
	all := described(t, rule, at(0, fail, "ann"), at(59*time.Second, fail, "ann"), at(60*time.Second, fail, "ann"),
		at(61*time.Second, fail, "ann"), at(62*time.Second, success, "ann"))
	check.Equal(t, "findings", len(all), 1)
	check.Equal(t, "count", strings.HasPrefix(all[0], "3 failed logins, then 1 success in"), true)
}

func TestCounted(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]detect.Rule{
		"2 patients read in 1 minute for principal ann":     {Match: any1, Threshold: 2, Window: time.Minute, Counts: "patients read"},
		"2 events in 1 minute for principal ann":            {Match: any1, Threshold: 2, Window: time.Minute},
		"2 different values in 1 minute for principal ann":  {Match: any1, Threshold: 2, Window: time.Minute, Distinct: func(e *monitor.Event) string { return e.Action }},
		"1 event of step 1, then 1 x in 1 minute for princ": {Window: time.Minute, Sequence: []detect.Step{{Match: action("a")}, {Match: action("b"), Counts: "x"}}},
		"1 login at night at 2026-03-02 12:00:01 UTC for p": {Match: action("b"), Counts: "login at night"},
		"at 2026-03-02 12:00:01 UTC for principal ann":      {Match: action("b")},
	} {
		r.Name = "r"
		all := described(t, r, at(0, "a", "ann"), at(time.Second, "b", "ann"))
		if len(all) != 1 || !strings.HasPrefix(all[0], want) {
			t.Errorf("%q, want %q", all, want)
		}
	}
}

// TestBuiltInTexts holds the built-in rules to texts that say who did what, how often,
// and what to do next.
func TestBuiltInTexts(t *testing.T) {
	t.Parallel()
	for _, modern := range []bool{false, true} {
		rules := detect.Defaults()
		if modern {
			rules = detect.Modern()
		}
		for _, r := range rules {
			f := monitor.Finding{
				Rule: r.Name, OrganizationID: "acme", Key: "ann", KeyField: "principalId", Event: monitor.EventRef{Timestamp: noon},
				Count: 7, Threshold: r.Threshold, Window: r.Window, Guidance: &monitor.Guidance{
					Title: r.Title, Description: r.Description, NextSteps: r.NextSteps, References: r.References, Tags: r.Tags, Counts: []string{r.Counts},
				},
			}
			o := monitor.Occurrence{Count: 1, Finding: f}
			a := o.Alert()
			if !strings.HasPrefix(a.Description, f.Describe()+". ") || r.Counts == "" || len(r.NextSteps) < 50 || len(r.References) == 0 {
				t.Errorf("rule %s: description %q, next steps %q, references %q", r.Name, a.Description, r.NextSteps, r.References)
			}
			if !modern {
				check.Equal(t, "title", a.Title, "Suspicious Pattern Detected: "+strings.ToUpper(r.Name))
				check.Equal(t, "tags", strings.Join(a.Tags, ","), "suspicious-pattern,"+strings.ReplaceAll(r.Name, "_", "-"))
			} else if !strings.HasSuffix(a.Title, ": principal ann") || len(r.Tags) == 0 {
				t.Errorf("rule %s: title %q, tags %q", r.Name, a.Title, r.Tags)
			}
		}
	}
}

func TestTextsAreValid(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]detect.Rule{
		`rule "r": texts: Title: there is no placeholder {who}`:                    {Title: "{who}"},
		`rule "r": texts: Runbook: "x" is no URL`:                                  {Runbook: "x"},
		`rule "r": Counts: is set, and so is Sequence, whose steps have their own`: {Counts: "x", Sequence: []detect.Step{{Match: any1}}, Window: 1},
		`rule "r": texts: Description: there is no placeholder {steps}`:            {Description: "{steps}"},
	} {
		r.Name, r.Match = "r", any1
		_, err := detect.New(&detect.Options{Rules: []detect.Rule{r}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}
