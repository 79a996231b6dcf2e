package monitor

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Guidance is what a rule tells the person who looks at its alerts. All of it is
// optional. All findings of a rule share one Guidance, which must not change; an
// alert has a copy.
//
// Title, Description and NextSteps can have placeholders, which are replaced when an
// alert is opened:
//
//	{summary}        what Describe returns: what was counted, for whom, and when
//	{counted}        what was counted, such as "5 failed logins"
//	{count}          the number alone, such as "5" or "at least 5"
//	{threshold}      the threshold
//	{window}         the length of the window, such as "10 minutes"
//	{subject}        what the events have in common, such as "principal ann"
//	{key}            the same without the word before it, such as "ann"
//	{organization}   the organization
//	{time}           the timestamp of the event, in UTC
//	{rule}           the name of the rule
//	{severity}       the severity
//	{technique}      the ID of the ATT&CK technique
//	{detail}         the detail of the finding
type Guidance struct {
	// Title becomes the title of the alert.
	Title string `json:"title,omitempty"`
	// Description becomes the description of the alert. It says what the pattern
	// means, and why it is suspicious.
	Description string `json:"description,omitempty"`
	// NextSteps says what to do about the alert.
	NextSteps string `json:"nextSteps,omitempty"`
	// Runbook is the URL of the page that says more about that.
	Runbook string `json:"runbook,omitempty"`
	// References are URLs of pages about the pattern.
	References []string `json:"references,omitempty"`
	// Author is who answers for the rule.
	Author string `json:"author,omitempty"`
	// Tags are added to those of the alert.
	Tags []string `json:"tags,omitempty"`
	// Counts is what the rule counts, as it stands behind the number, such as "failed
	// logins". It is one text, or one for each step of a sequence. A text can have a
	// form for one thing and another for several: "failed login|failed logins".
	Counts []string `json:"counts,omitempty"`
}

// maxGuidance is the size of all texts of a guidance, in bytes.
const maxGuidance = 16 << 10

// Validate returns an error that names the first field that is wrong: a placeholder
// that does not exist, a URL that is none of http or https, or an [ErrTooLarge] for
// texts of more than 16 KiB together.
func (g *Guidance) Validate() error {
	for _, text := range [...]struct{ field, text string }{
		{"Title", g.Title}, {"Description", g.Description}, {"NextSteps", g.NextSteps},
	} {
		for name := range placeholders(text.text) {
			if !slices.Contains(placeholderNames[:], name) {
				return fmt.Errorf("%s: there is no placeholder {%s}", text.field, name)
			}
		}
	}
	if g.Runbook != "" && !isURL(g.Runbook) {
		return fmt.Errorf("%s: %.200q is no URL such as \"https://example.com/\"", "Runbook", g.Runbook)
	}
	for _, text := range g.References {
		if !isURL(text) {
			return fmt.Errorf("References: %.200q is no URL such as \"https://example.com/\"", text)
		}
	}
	return g.checkSize()
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func (g *Guidance) checkSize() error {
	if n := g.size(); n > maxGuidance {
		return fmt.Errorf("%d bytes are more than %d: %w", n, maxGuidance, ErrTooLarge)
	}
	return nil
}

// size is the number of bytes of all texts, and some for each.
func (g *Guidance) size() int {
	const header = 16
	n := len(g.Title) + len(g.Description) + len(g.NextSteps) + len(g.Runbook) + len(g.Author)
	for _, list := range [...][]string{g.References, g.Tags, g.Counts} {
		for _, text := range list {
			n += header + len(text)
		}
	}
	return n
}

// clone returns a copy that shares no memory with g.
func (g *Guidance) clone() *Guidance {
	if g == nil {
		return nil
	}
	c := *g
	for _, text := range []*string{&c.Title, &c.Description, &c.NextSteps, &c.Runbook, &c.Author} {
		*text = strings.Clone(*text)
	}
	for _, list := range []*[]string{&c.References, &c.Tags, &c.Counts} {
		*list = slices.Clone(*list)
		for i, text := range *list {
			(*list)[i] = strings.Clone(text)
		}
	}
	return &c
}

var placeholderNames = [...]string{
	"summary", "counted", "count", "threshold", "window", "subject", "key",
	"organization", "time", "rule", "severity", "technique", "detail",
}

// placeholders yields the words in braces.
func placeholders(text string) func(yield func(name string) bool) {
	return func(yield func(string) bool) {
		for {
			_, rest, found := strings.Cut(text, "{")
			if !found {
				return
			}
			end := 0
			for end < len(rest) && isLetter(rest[end]) {
				end++
			}
			if end > 0 && end < len(rest) && rest[end] == '}' && !yield(rest[:end]) {
				return
			}
			text = rest
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
