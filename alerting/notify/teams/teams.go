// Package teams delivers notifications to Microsoft Teams, through a workflow with the
// trigger "When a Teams webhook request is received"
// (https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498).
// A message is an Adaptive Card (https://adaptivecards.io) with the title, in the color
// of the severity, the text, and a line with the severity and status. Everything is plain
// text to Teams, so that Markdown and mentions have no effect.
//
// A message is delivered if the status is 2xx. The workflow then has begun. Whether it
// could post the card is in its own history only.
package teams

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// The longest text, in bytes, and the most lines that are elements of their own. With
// them a message has less than the 28 KB that Teams accepts, however it is escaped.
const (
	maxText  = 3000
	maxLines = 40
)

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Text returns the title and the text. Defaults to [notify.Text].
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier posts to one chat or channel. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	text   notify.TextFunc
}

// New returns a notifier for the URL of a workflow. The URL is secret, because anybody
// who has it can post. If o is nil, the defaults apply.
func New(workflow notify.Secret, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, err := notify.NewClient(workflow.Reveal(), o.Transport)
	if err == nil {
		err = client.RequireTLS()
	}
	if err != nil {
		return nil, fmt.Errorf("teams: make notifier: %w", err)
	}
	return &Notifier{client, o.Text.Or(notify.Text)}, nil
}

// Notify posts the notification.
func (t *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, body, err := t.text.Render(n)
	if err != nil {
		return err
	}
	a := n.Alert
	heading := container{Type: "Container", Style: style(a.Severity), Bleed: true, Items: []block{
		plain(run{Text: title, Weight: "Bolder", Size: "Medium"}),
	}}
	text := container{Type: "Container", Style: "default"}
	for line := range strings.SplitSeq(notify.Clip(body, maxText), "\n") {
		if last := len(text.Items) - 1; last+1 == maxLines {
			text.Items[last].Inlines[0].Text += "\n" + line
			continue
		}
		text.Items = append(text.Items, plain(run{Text: line}))
	}
	status := plain(run{Text: fmt.Sprintf("%s · %s", a.Severity, a.Status), Subtle: true})
	status.Spacing = "Medium"
	text.Items = append(text.Items, status)

	r, err := notify.JSON(message{Type: "message", Attachments: []attachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: card{
			Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
			Teams: teams{"Full"}, Body: []container{heading, text},
		},
	}}})
	if err != nil {
		return err
	}
	return t.client.Post(ctx, r)
}

// message is what the trigger of a workflow receives.
type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string `json:"contentType"`
	Content     card   `json:"content"`
}

// card is an Adaptive Card (https://adaptivecards.io/explorer/AdaptiveCard.html).
type card struct {
	Schema  string      `json:"$schema"`
	Type    string      `json:"type"`
	Version string      `json:"version"`
	Teams   teams       `json:"msteams"`
	Body    []container `json:"body"`
}

type teams struct {
	Width string `json:"width"`
}

type container struct {
	Type  string  `json:"type"`
	Style string  `json:"style"`
	Bleed bool    `json:"bleed"` // to the edge of the card
	Items []block `json:"items"`
}

// block is a RichTextBlock, whose text, unlike that of a TextBlock, is no Markdown.
type block struct {
	Type    string `json:"type"`
	Spacing string `json:"spacing"`
	Inlines []run  `json:"inlines"`
}

type run struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

// plain returns a text in a line of its own, which must not be empty.
func plain(r run) block {
	r.Type, r.Text = "TextRun", cmp.Or(r.Text, " ")
	return block{Type: "RichTextBlock", Spacing: "None", Inlines: []run{r}}
}

// style returns the style of a container in the color for a severity.
func style(s monitor.Severity) string {
	switch s {
	case monitor.SeverityCritical, monitor.SeverityHigh:
		return "attention"
	case monitor.SeverityMedium:
		return "warning"
	case monitor.SeverityLow:
		return "accent"
	}
	return "emphasis"
}
