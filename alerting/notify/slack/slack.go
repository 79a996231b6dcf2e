// Package slack delivers notifications to an incoming webhook of Slack
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) or
// of a chat that accepts the same messages. A message consists of the title and an
// attachment in the color of the severity. The attachment contains the text and a
// line with the severity, status and [notify.Occurrences]. Everything is plain text to Slack,
// so that markup and mentions have no effect, and addresses are not unfurled. Other
// chats may take text for markup.
//
// A message is delivered if the status is 2xx; Slack has a status for each error.
package slack

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
)

// maxText is the longest text that Slack accepts, in characters.
const maxText = 3000

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Text returns the title and the text. Defaults to [notify.Text].
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier posts to one channel. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	text   notify.TextFunc
}

// New returns a notifier for the URL of an incoming webhook. The URL is secret,
// because anybody who has it can post. If o is nil, the defaults apply.
func New(webhook notify.Secret, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, err := notify.NewClient(webhook.Reveal(), o.Transport)
	if err == nil {
		err = client.RequireTLS()
	}
	if err != nil {
		return nil, fmt.Errorf("slack: make notifier: %w", err)
	}
	return &Notifier{client, o.Text.Or(notify.Text)}, nil
}

// Notify posts the notification.
func (s *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, body, err := s.text.Render(n)
	if err != nil {
		return err
	}
	a := n.Alert
	status := fmt.Sprintf("%s · %s · %s", a.Severity, a.Status, notify.Occurrences(a))
	r, err := notify.JSON(message{
		Text:  escape(title),
		Parse: "none",
		Attachments: []attachment{{Color: notify.Color(a.Severity), Blocks: []block{
			{Type: "section", Text: plain(body)},
			{Type: "context", Elements: []*text{plain(status)}},
		}}},
	})
	if err != nil {
		return err
	}
	return s.client.Post(ctx, r)
}

// message is the request of an incoming webhook
// (https://docs.slack.dev/reference/block-kit).
type message struct {
	Text        string       `json:"text"`
	Markup      bool         `json:"mrkdwn"`       // of Text
	Parse       string       `json:"parse"`        // names in Text are no links
	LinkNames   bool         `json:"link_names"`   // and mention nobody
	UnfurlLinks bool         `json:"unfurl_links"` // Slack shows nothing of what an address in a text leads to
	UnfurlMedia bool         `json:"unfurl_media"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	Color  string  `json:"color"`
	Blocks []block `json:"blocks"`
}

type block struct {
	Type     string  `json:"type"`
	Text     *text   `json:"text,omitempty"`
	Elements []*text `json:"elements,omitempty"`
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// plain returns a text object, which must not be empty.
func plain(s string) *text { return &text{"plain_text", cmp.Or(escape(s), "-")} }

// escape returns a text in which Slack's control characters are entities
// (https://docs.slack.dev/messaging/formatting-message-text). A text that is too
// long is cut off.
func escape(s string) string {
	entities := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	if all := entities.Replace(s); len(all) <= maxText {
		return all
	}
	const ellipsis = "…"
	var b strings.Builder
	for _, r := range s {
		c := entities.Replace(string(r))
		if b.Len()+len(c)+len(ellipsis) > maxText {
			break
		}
		b.WriteString(c)
	}
	return b.String() + ellipsis
}
