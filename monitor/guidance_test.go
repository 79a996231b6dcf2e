package monitor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// guided returns an occurrence whose rule has these texts.
func guided(g *monitor.Guidance) *monitor.Occurrence {
	return &monitor.Occurrence{
		Fingerprint: monitor.FingerprintOf("reads", "org-1", "ann"), EventKey: monitor.EventKey{1}, Count: 1,
		FirstSeen: noon, LastSeen: noon, Finding: monitor.Finding{
			Rule: "reads", Severity: monitor.SeverityHigh, OrganizationID: "org-1", Key: "ann", KeyField: "principalId",
			Event: monitor.EventRef{Timestamp: noon}, Count: 20, Threshold: 15, Window: 10 * time.Minute, Technique: "T1213",
			Detail: "from a train", Guidance: g,
		},
	}
}

func TestGuidanceOfAnAlert(t *testing.T) {
	t.Parallel()
	g := &monitor.Guidance{
		Title:       "{subject} read {counted}",
		Description: "{key} of {organization}: {count} of {threshold} in {window} at {time} by {rule}, {severity}, {technique}, {detail}; {other} {}",
		NextSteps:   "{summary}!",
		Runbook:     "https://example.com/{key}", References: []string{"https://example.com/1"}, Author: "bob",
		Tags: []string{"reads", "privacy"}, Counts: []string{"different patient|different patients"},
	}
	o := guided(g)
	a := o.Alert()
	check.Equal(t, "title", a.Title, "principal ann read 20 different patients")
	check.Equal(t, "description", a.Description,
		"ann of org-1: 20 of 15 in 10 minutes at 2026-05-04 12:00:00 UTC by reads, HIGH, T1213, from a train; {other} {}")
	check.Equal(t, "tags", strings.Join(a.Tags, ","), "suspicious-pattern,reads,privacy")
	check.Equal(t, "pattern", a.Metadata["patternType"], any("READS"))
	own := a.Guidance()
	check.Equal(t, "next steps", own.NextSteps,
		"20 different patients in 10 minutes for principal ann, up to 2026-05-04 12:00:00 UTC (threshold 15): from a train!")
	check.Equal(t, "title of the guidance", own.Title, a.Title)
	check.Equal(t, "runbook", own.Runbook, g.Runbook)

	// Neither the rule's texts nor those of a copy change with the alert's.
	c := a.Clone()
	a.Finding.Guidance.Tags[0], a.Finding.Guidance.Title = "x", "x"
	check.Equal(t, "tags of the rule", g.Tags[0], "reads")
	check.Equal(t, "title of the rule", g.Title, "{subject} read {counted}")
	check.Equal(t, "tags of the copy", c.Guidance().Tags[0], "reads")
	check.Equal(t, "title of the copy", c.Guidance().Title, c.Title)

	a = guided(nil).Alert()
	check.Equal(t, "title without texts", a.Title, "Suspicious Pattern Detected: READS")
	check.Equal(t, "guidance without texts", len(a.Guidance().Tags), 0)
}

// TestGuidanceTakesValuesAsTheyAre: no text of an event is a placeholder or a line.
func TestGuidanceTakesValuesAsTheyAre(t *testing.T) {
	t.Parallel()
	o := guided(&monitor.Guidance{Title: "of {key}", Description: "a\n{detail} {key}"})
	o.Finding.Key, o.Finding.Detail = "{detail}\r\nx", "{key}"
	a := o.Alert()
	check.Equal(t, "title", a.Title, "of {detail}  x")
	check.Equal(t, "description", a.Description, "a {key} {detail}  x")
}

func TestGuidanceValidate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		guidance monitor.Guidance
		want     string
	}{
		"empty":       {monitor.Guidance{}, ""},
		"good":        {monitor.Guidance{Title: "{{key}} {} { key} {Key", Runbook: "http://wiki/1", References: []string{"https://example.com"}}, ""},
		"placeholder": {monitor.Guidance{Title: "{key} {kye}"}, "Title: there is no placeholder {kye}"},
		"case":        {monitor.Guidance{Description: "{Key}"}, "Description: there is no placeholder {Key}"},
		"nested":      {monitor.Guidance{NextSteps: "{{x}"}, "NextSteps: there is no placeholder {x}"},
		"runbook":     {monitor.Guidance{Runbook: "javascript:alert(1)"}, `Runbook: "javascript:alert(1)" is no URL`},
		"reference":   {monitor.Guidance{References: []string{"https://a", "b"}}, `References: "b" is no URL`},
		"size":        {monitor.Guidance{Tags: slices.Repeat([]string{"tag"}, 1000)}, "19000 bytes are more than 16384"},
	} {
		err := test.guidance.Validate()
		if test.want == "" {
			check.NoError(t, name, err)
		} else if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, test.want)
		}
	}
	// What no store could keep is no occurrence, whoever wrote it.
	if err := guided(&monitor.Guidance{Title: strings.Repeat("x", 17<<10)}).Validate(); !errors.Is(err, monitor.ErrTooLarge) {
		t.Errorf("got error %v for an occurrence", err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	logins, access := []string{"failed login|failed logins"}, []string{"access at night|accesses at night"}
	const at = "2026-05-04 12:00:00 UTC"
	for want, f := range map[string]monitor.Finding{
		"5 failed logins in 5 minutes for principal ann, up to " + at + " (threshold 5)": {
			Key: "ann", KeyField: "principalId", Count: 5, Threshold: 5, Window: 5 * time.Minute, Guidance: &monitor.Guidance{Counts: logins}},
		"1 failed login in 1 hour and 30 minutes for address 203.0.113.9, up to " + at + " (threshold 1)": {
			Key: "203.0.113.9", KeyField: "ipAddress", Count: 1, Threshold: 1, Window: 90 * time.Minute, Guidance: &monitor.Guidance{Counts: logins}},
		"at least 7 failed logins, then 1 event of step 2 in 1 day for organization acme, up to " + at: {
			Key: "acme", KeyField: "organizationId", Count: 2, AtLeast: true, Threshold: 2, Window: 24 * time.Hour, Steps: []int{7, 1},
			Guidance: &monitor.Guidance{Counts: logins}},
		"7 failed logins, then 1 success in 1 minute for tenant x, up to " + at: {
			Key: "x", KeyField: "tenant", Count: 2, Threshold: 2, Window: time.Minute, Steps: []int{7, 1},
			Guidance: &monitor.Guidance{Counts: []string{"failed logins", "success"}}},
		"20 events in 10 minutes for resource Patient/7, up to " + at + " (threshold 20)": {
			Key: "Patient/7", KeyField: "targetResourceId", Count: 20, Threshold: 20, Window: 10 * time.Minute},
		"1 access at night at " + at + " for principal ann": {
			Key: "ann", KeyField: "principalId", Count: 1, Threshold: 1, Guidance: &monitor.Guidance{Counts: access}},
		"at " + at + " for ann: why": {Key: "ann", Count: 1, Threshold: 1, Detail: "why"},
	} {
		f.Event.Timestamp = noon
		check.Equal(t, want, f.Describe(), want)
	}
}
