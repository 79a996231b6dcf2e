package monitor

import "slices"

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

// clone returns a copy whose lists are its own. The texts are those of the rule.
func (g *Guidance) clone() *Guidance {
	if g == nil {
		return nil
	}
	c := *g
	c.References, c.Tags, c.Counts = slices.Clone(g.References), slices.Clone(g.Tags), slices.Clone(g.Counts)
	return &c
}
