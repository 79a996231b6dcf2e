// Package ntfy delivers notifications as push messages of ntfy
// (https://docs.ntfy.sh/publish/). Each message is posted to a topic, which is the
// alert's organization by default. By default its text is the description of the
// alert. It has the headers
//
//	Authorization: Bearer <token>
//	Title: <title>
//	Tags: warning,<type>,<severity>,<source>,<status>
//	Priority: 5
//
// Only CRITICAL alerts have the header Priority. A title that is not ASCII is
// encoded according to RFC 2047, which ntfy decodes. Commas in a tag become
// spaces. A text of more than 4,096 bytes is truncated, or it would become an
// attachment.
package ntfy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
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
	// Topic is the topic for all messages. Defaults to each alert's organization.
	Topic string
	// Templates are the templates for the title and the text. They default to the
	// title and the description of the alert.
	Templates notify.Templates
	Transport notify.Transport
}

// A Notifier publishes to the topics of one server. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	texts  *notify.Texts
	token  notify.Secret
	topic  string
}

// New returns a notifier for the server at url, such as https://ntfy.sh. If o is
// nil, the defaults apply.
func New(url string, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, clientErr := notify.NewClient(url, o.Transport)
	texts, textsErr := notify.Templates{
		Title: cmp.Or(o.Templates.Title, `{{.Alert.Title}}`),
		Body:  cmp.Or(o.Templates.Body, `{{.Alert.Description}}`),
	}.Parse()
	err := errors.Join(clientErr, textsErr)
	if err == nil && !o.Token.IsZero() {
		err = client.RequireTLS()
	}
	if err != nil {
		return nil, fmt.Errorf("ntfy: make notifier: %w", err)
	}
	return &Notifier{client, texts, o.Token, o.Topic}, nil
}

// Notify publishes the notification.
func (p *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, text, err := p.texts.Render(n)
	if err != nil {
		return err
	}
	a := n.Alert
	header := http.Header{}
	header.Set("Title", encode(title))
	header.Set("Tags", encode(tags("warning", string(a.Type), a.Severity.String(), a.Source, string(a.Status))))
	if a.Severity == monitor.SeverityCritical {
		header.Set("Priority", "5")
	}
	if !p.token.IsZero() {
		header.Set("Authorization", "Bearer "+p.token.Reveal())
	}
	_, err = p.client.Post(ctx, notify.Request{
		Path:   []string{cmp.Or(p.topic, a.OrganizationID)},
		Header: header,
		Body:   []byte(notify.Clip(text, maxText)),
	})
	return err
}

// encode returns a text as the value of a header. A text that looks as if it were
// encoded already is changed, since ntfy would decode it.
func encode(text string) string {
	return mime.QEncoding.Encode("utf-8", strings.ReplaceAll(text, "=?", "= ?"))
}

// tags returns the tags as a list, without the empty ones.
func tags(all ...string) string {
	var list []string
	for _, tag := range all {
		if tag = notify.Line(strings.ReplaceAll(tag, ",", " ")); tag != "" {
			list = append(list, tag)
		}
	}
	return strings.Join(list, ",")
}
