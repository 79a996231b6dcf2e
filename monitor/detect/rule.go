package detect

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// A Rule says what is suspicious. There are four kinds of rules:
//
//   - A rule without a Window: every matching event qualifies.
//   - A rule with a Window counts the matching events of a group. An event
//     qualifies if there are Threshold of them in the window that ends with it.
//   - A rule with a Window and Distinct counts distinct values among them, such as
//     20 patients that one principal looked at in 10 minutes.
//   - A rule with a Window and a Sequence looks for steps in order, such as 5
//     failures and then a success.
//
// A rule sees the principal of an event without white space around it and as
// [Options.NormalizePrincipal] returns it, and the address of the session in one form,
// however it was written: without port, brackets and zone, IPv4 mapped into IPv6 as
// IPv4, IPv6 as in RFC 5952. "203.0.113.9:40001", "::ffff:203.0.113.9" and
// "[::ffff:203.0.113.9]:443" are 203.0.113.9. What names no address stays text, without
// white space around it and without the port behind a name.
//
// The functions of a rule must be safe for concurrent use, must not change or keep
// the event, and should not allocate.
type Rule struct {
	// Name is the stable name of the rule, such as "failed_auth". It is part of the
	// identity of alerts.
	Name string
	// Version must change whenever Match, GroupBy, Distinct or Sequence change:
	// [Engine.Swap] and [Engine.Restore] carry windows over only between rules with
	// the same name, version and kind.
	Version string
	// Severity is that of the findings.
	Severity monitor.Severity
	// Technique is the MITRE ATT&CK technique, such as "T1110". Optional.
	Technique string

	// Title, Description and NextSteps become texts of alerts. They can have
	// placeholders such as {counted}, {subject} and {window}; [monitor.Guidance] lists
	// them all. Without a Title, alerts have the title "Suspicious Pattern Detected"
	// with the name of the rule; without a Description, they are described by what was
	// counted.
	Title, Description, NextSteps string
	// Runbook is the URL of the page that says what to do about an alert, and
	// References are URLs of pages about the pattern.
	Runbook    string
	References []string
	// Author is who answers for the rule.
	Author string
	// Tags are added to those of alerts.
	Tags []string
	// Counts is what the rule counts, as it stands behind the number: "failed logins",
	// or "failed login|failed logins" if there may be one alone. It is optional, and
	// for a rule with a Sequence each step has its own.
	Counts string

	// Match selects the events that the rule is about. It is optional for a rule
	// with a Sequence.
	Match func(e *monitor.Event) bool
	// Uses are the fields that the functions of the rule look at. A finding lists
	// those that no signature covers ([monitor.Finding.Uncovered]). The timestamp,
	// the organization and the fields of GroupBy need not be named.
	Uses monitor.Fields
	// Hours restrict the rule to times at which nobody is expected to work.
	// Optional.
	Hours *Hours
	// GroupBy says which events are counted together. Defaults to [ByPrincipal].
	GroupBy Key
	// Threshold is the number of events, or of distinct values, at which an event
	// qualifies. A rule without a Window or with a Sequence has none.
	Threshold int
	// Window is the length of the window. A window includes its end and excludes
	// its start.
	Window time.Duration
	// Distinct returns the value to count. An event whose value is empty does not
	// match. Values are told apart by 64 bits of their SHA-256.
	Distinct func(e *monitor.Event) string
	// Sequence has up to 64 steps. An event of the last step qualifies if the
	// window that ends with it holds the events of all steps, one step after the
	// other. Only time resets a sequence.
	Sequence []Step

	// Exceptions are events that the rule ignores, in addition to
	// [Options.Exceptions].
	Exceptions Exceptions
	// Shadow makes the findings of the rule shadow findings, which are counted and
	// reported but raise no alert.
	Shadow bool
}

// A Step is one step of a sequence. It takes Count events that match.
type Step struct {
	Match func(e *monitor.Event) bool
	// Count is at most 65,536. Defaults to 1.
	Count int
	// Counts is what the step counts, as [Rule.Counts] is.
	Counts string
}

const (
	// maxSteps is the number of steps that fit into a mark.
	maxSteps = 64
	maxCount = 1 << 16
)

func (r *Rule) validate(bad complaint) {
	if r.Name == "" {
		bad("Name", "is empty")
	}
	if r.Severity > monitor.SeverityCritical {
		bad("Severity", "%d is no severity", r.Severity)
	}
	if r.Match == nil && r.Sequence == nil {
		bad("Match", "is nil")
	}
	if r.Threshold < 0 {
		bad("Threshold", "%d is negative", r.Threshold)
	}
	if r.Window < 0 {
		bad("Window", "%s is negative", r.Window)
	}
	switch {
	case r.Window == 0 && (r.Threshold > 1 || r.Distinct != nil || r.Sequence != nil):
		bad("Window", "is missing")
	case r.Window > 0 && r.Threshold == 0 && r.Sequence == nil:
		bad("Threshold", "is missing")
	}
	if r.Sequence != nil {
		r.validateSequence(bad)
	}
	if r.Hours != nil {
		r.Hours.validate(bad)
	}
	r.Exceptions.validate(bad)
	r.validateGuidance(bad)
}

func (r *Rule) validateGuidance(bad complaint) {
	if r.Counts != "" && r.Sequence != nil {
		bad("Counts", "is set, and so is Sequence, whose steps have their own")
	}
	if g := r.guidance(); g != nil {
		if err := g.Validate(); err != nil {
			bad("texts", "%v", err)
		}
	}
}

// guidance returns the texts of the rule, or nil if it has none.
func (r *Rule) guidance() *monitor.Guidance {
	g := &monitor.Guidance{
		Title: r.Title, Description: r.Description, NextSteps: r.NextSteps, Runbook: r.Runbook,
		References: slices.Clone(r.References), Author: r.Author, Tags: slices.Clone(r.Tags), Counts: r.counts(),
	}
	if reflect.ValueOf(*g).IsZero() {
		return nil
	}
	return g
}

// counts returns what the rule counts, or what each of its steps does.
func (r *Rule) counts() []string {
	var all []string
	for _, step := range r.Sequence {
		all = append(all, step.Counts)
	}
	switch {
	case strings.Join(all, "") != "":
		return all
	case r.Counts != "":
		return []string{r.Counts}
	case r.Distinct != nil:
		return []string{"different value|different values"}
	}
	return nil
}

func (r *Rule) validateSequence(bad complaint) {
	if n := len(r.Sequence); n == 0 || n > maxSteps {
		bad("Sequence", "%d steps are not 1 to %d", n, maxSteps)
	}
	if r.Threshold != 0 {
		bad("Threshold", "is set, and so is Sequence")
	}
	if r.Distinct != nil {
		bad("Distinct", "is set, and so is Sequence")
	}
	for i, step := range r.Sequence {
		if step.Match == nil {
			bad("Sequence", "step %d has no Match", i+1)
		}
		if step.Count < 0 || step.Count > maxCount {
			bad("Sequence", "step %d: Count %d is not from 0 to %d", i+1, step.Count, maxCount)
		}
	}
}

// events returns the number of events that the rule must be able to hold.
func (r *Rule) events() int {
	n := r.Threshold
	for _, step := range r.Sequence {
		n += max(1, step.Count)
	}
	return n
}

// A shape is the part of a rule that its state depends on.
type shape struct {
	kind window.Kind
	// steps are the counts of a sequence's steps, such as "5,1".
	steps string
}

func (r *Rule) shape() shape {
	switch {
	case r.Window == 0:
		return shape{kind: window.Stateless}
	case r.Distinct != nil:
		return shape{kind: window.Distinct}
	case r.Sequence != nil:
		var counts []string
		for _, step := range r.Sequence {
			counts = append(counts, strconv.Itoa(max(1, step.Count)))
		}
		return shape{kind: window.Sequence, steps: strings.Join(counts, ",")}
	}
	return shape{kind: window.Events}
}
