package monitor

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/auditwarden/auditwarden/internal/words"
)

// patternType is how titles and metadata name a rule: FAILED_AUTH for failed_auth.
func patternType(rule string) string { return strings.ToUpper(rule) }

// Describe returns what was counted in words: "5 failed logins in 5 minutes for
// principal ann, up to 2026-05-04 12:00:00 UTC (threshold 5)". What the events are
// called is from [Guidance.Counts].
func (f *Finding) Describe() string {
	var b strings.Builder
	switch {
	case f.Window == 0 && f.counts(0) == "":
		b.WriteString("at " + f.time())
	case f.Window == 0:
		b.WriteString(f.counted() + " at " + f.time())
	default:
		b.WriteString(f.counted() + " in " + f.window())
	}
	if f.Key != "" {
		b.WriteString(" for " + f.subject())
	}
	if f.Window != 0 {
		b.WriteString(", up to " + f.time())
		if len(f.Steps) == 0 {
			fmt.Fprintf(&b, " (threshold %d)", f.Threshold)
		}
	}
	if f.Detail != "" {
		b.WriteString(": " + printable(f.Detail))
	}
	return b.String()
}

// counted returns what was counted, such as "5 failed logins, then 1 success".
func (f *Finding) counted() string {
	if len(f.Steps) == 0 {
		return f.atLeast() + words.Count(int64(f.Count), printable(cmp.Or(f.counts(0), "event|events")))
	}
	var steps []string
	for i, n := range f.Steps {
		noun := cmp.Or(f.counts(i), fmt.Sprintf("event of step %[1]d|events of step %[1]d", i+1))
		steps = append(steps, words.Count(int64(n), printable(noun)))
	}
	return f.atLeast() + strings.Join(steps, ", then ")
}

// counts returns what the rule, or the i-th step of its sequence, counts.
func (f *Finding) counts(i int) string {
	if f.Guidance == nil || i >= len(f.Guidance.Counts) {
		return ""
	}
	return f.Guidance.Counts[i]
}

func (f *Finding) count() string { return f.atLeast() + strconv.Itoa(f.Count) }

func (f *Finding) atLeast() string {
	if f.AtLeast {
		return "at least "
	}
	return ""
}

func (f *Finding) window() string { return words.Duration(f.Window) }

func (f *Finding) time() string { return f.Event.Timestamp.UTC().Format(time.DateTime + " MST") }

// subject returns what the events have in common, such as "principal ann".
func (f *Finding) subject() string {
	name := f.KeyField
	switch name {
	case "principalId":
		name = "principal"
	case "ipAddress":
		name = "address"
	case "organizationId":
		name = "organization"
	case "targetResourceId", "targetResourceType":
		name = "resource"
	}
	return strings.TrimLeft(printable(name)+" "+printable(f.Key), " ")
}

// printable keeps text from an event on one line and within reason.
func printable(s string) string {
	const limit = 200
	s = line(s)
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
}

// line keeps text on one line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// metadata returns the metadata of an alert that the finding opens.
func (f *Finding) metadata() map[string]any {
	m := map[string]any{
		"patternType":    patternType(f.Rule),
		"eventCount":     f.Count,
		"organizationId": f.OrganizationID,
		"count":          f.Count,
		"threshold":      f.Threshold,
		"window":         f.Window.Milliseconds(),
		"windowStart":    canonicalTime(f.WindowStart()),
		"windowEnd":      canonicalTime(f.Event.Timestamp),
	}
	if f.KeyField != "" {
		m[f.KeyField] = f.Key
	}
	if f.AtLeast {
		m["atLeast"] = true
	}
	if f.Technique != "" {
		m["technique"] = f.Technique
	}
	if f.Uncovered != 0 {
		m["uncoveredFields"] = f.Uncovered.String()
	}
	var ids []string
	for _, r := range f.References {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	if ids != nil {
		m["eventIds"] = ids
	}
	return m
}
