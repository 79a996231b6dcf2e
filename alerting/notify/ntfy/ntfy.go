// Package ntfy delivers notifications as push messages of ntfy
// (https://docs.ntfy.sh/publish/). Each message is posted to a topic, which is that
// of the alert's organization by default; see [Topic]. It has the headers
//
//	Authorization: Bearer <token>
//	Title: <title>
//	Tags: warning,<type>,<severity>,<source>,<status>
//	Priority: 5
//
// Only CRITICAL alerts have the header Priority. A title or tag that is not ASCII, or
// that looks like an encoded word, is encoded according to RFC 2047, which ntfy
// decodes. Commas in a tag become spaces. A text of more than 4,096 bytes is
// truncated, or it would become an attachment.
package ntfy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// maxText is the longest text of a message, in bytes.
const maxText = 4096

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Token is sent as the bearer token. Defaults to none.
	Token notify.Secret
	// Topic is the topic for all messages, of up to 64 ASCII letters, digits, hyphens
	// and underscores. Defaults to the [Topic] of each alert's organization.
	Topic string
	// Text returns the title and the text. Defaults to the title of the alert and to
	// [notify.Explanation], or to the description alone if the rule has no texts.
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier publishes to the topics of one server. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	text   notify.TextFunc
	token  notify.Secret
	topic  string
}

// New returns a notifier for the server at url, such as https://ntfy.sh. If o is
// nil, the defaults apply.
func New(url string, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, err := notify.NewClient(url, o.Transport)
	if err == nil && !o.Token.IsZero() {
		err = client.RequireTLS()
	}
	if tokenErr := o.Token.CheckToken(); tokenErr != nil {
		err = errors.Join(err, fmt.Errorf("option Token: %w", tokenErr))
	}
	if o.Topic != "" && !legal(o.Topic, longest) {
		err = errors.Join(err, fmt.Errorf("option Topic: %q is not a topic", o.Topic))
	}
	if err != nil {
		return nil, fmt.Errorf("ntfy: make notifier: %w", err)
	}
	return &Notifier{client, o.Text.Or(text), o.Token, o.Topic}, nil
}

func text(n *alerting.Notification) (title, body string, err error) {
	if n.Alert.Finding.Guidance == nil {
		return n.Alert.Title, notify.Line(n.Alert.Description), nil
	}
	return n.Alert.Title, notify.Explanation(n.Alert), nil
}

// Notify publishes the notification.
func (p *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, text, err := p.text.Render(n)
	if err != nil {
		return err
	}
	a := n.Alert
	header := http.Header{}
	header.Set("Title", notify.EncodeHeader(title))
	header.Set("Tags", tags("warning", string(a.Type), a.Severity.String(), a.Source, string(a.Status)))
	if a.Severity == monitor.SeverityCritical {
		header.Set("Priority", "5")
	}
	if !p.token.IsZero() {
		header.Set("Authorization", "Bearer "+p.token.Reveal())
	}
	return p.client.Post(ctx, notify.Request{
		Path:   []string{cmp.Or(p.topic, Topic(a.OrganizationID))},
		Header: header,
		Body:   []byte(notify.Clip(text, maxText)),
	})
}

// tags returns the tags as a list, without the empty ones.
func tags(all ...string) string {
	var list []string
	for _, tag := range all {
		if tag = notify.EncodeHeader(strings.ReplaceAll(tag, ",", " ")); tag != "" {
			list = append(list, tag)
		}
	}
	return strings.Join(list, ",")
}
