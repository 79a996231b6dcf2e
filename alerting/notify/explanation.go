package notify

import (
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/internal/words"
	"github.com/auditwarden/auditwarden/monitor"
)

// Explanation returns what a person needs to know about an alert first: the
// description, what was counted, if the description does not say it, [Occurrences],
// what to do next and the runbook, each in a line of its own that begins with what it
// is.
func Explanation(a *monitor.Alert) string {
	g := a.Guidance()
	var b strings.Builder
	description := Line(a.Description)
	b.WriteString(description)
	if counted := Line(a.Finding.Describe()); g.Description != "" && !strings.Contains(description, counted) {
		b.WriteString("\nCounted: " + counted)
	}
	b.WriteString("\nWhen: " + Occurrences(a))
	if g.NextSteps != "" {
		b.WriteString("\nWhat to do: " + Line(g.NextSteps))
	}
	if g.Runbook != "" {
		b.WriteString("\nRunbook: " + Line(g.Runbook))
	}
	return b.String()
}

// Occurrences returns in words how often and when the alert's pattern was seen. A rule
// with a window sees its pattern when an event reaches the threshold, and again with
// each further event.
func Occurrences(a *monitor.Alert) string {
	first, last := Time(a.FirstSeen), Time(a.LastSeen)
	switch {
	case a.Finding.Window == 0 && a.Occurrences <= 1:
		return "once, at " + first
	case a.Finding.Window == 0:
		return words.Count(a.Occurrences, "times") + ", from " + first + " to " + last
	case a.Occurrences <= 1:
		return "threshold reached at " + first + ", no further event since"
	}
	return "threshold reached at " + first + ", " +
		words.Count(a.Occurrences-1, "further event|further events") + " since, the last at " + last
}

// Time returns a time in UTC as text.
func Time(t time.Time) string { return t.UTC().Format(time.DateTime + " MST") }
