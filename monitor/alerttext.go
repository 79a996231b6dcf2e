package monitor

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// patternType is how titles and metadata name a rule: FAILED_AUTH for failed_auth.
func patternType(rule string) string { return strings.ToUpper(rule) }

// Describe returns a short English description of the finding.
func (f *Finding) Describe() string {
	var b strings.Builder
	at := f.Event.Timestamp.UTC().Format(time.RFC3339)
	switch {
	case f.Window == 0:
		fmt.Fprintf(&b, "at %s", at)
	case f.AtLeast:
		fmt.Fprintf(&b, "at least %d in the %s up to %s (threshold %d)", f.Count, f.Window, at, f.Threshold)
	default:
		fmt.Fprintf(&b, "%d in the %s up to %s (threshold %d)", f.Count, f.Window, at, f.Threshold)
	}
	if f.Key != "" {
		fmt.Fprintf(&b, " for %s %s", f.KeyField, printable(f.Key))
	}
	if f.Detail != "" {
		b.WriteString(": " + printable(f.Detail))
	}
	return b.String()
}

// printable keeps text from an event on one line and within reason.
func printable(s string) string {
	const limit = 200
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return s
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
