// Package ntfy delivers notifications as push messages of ntfy
// (https://docs.ntfy.sh/publish/) in the form of the reference: POST to a topic
// with the name of the alert's organization, the description as the text, and
//
//	Authorization: Bearer <token>
//	Title: <title>
//	Tags: warning,<type>,<severity>,<source>,<status>
//	Priority: 5
//
// the last for CRITICAL only. Different from the reference: a title that is not
// ASCII is encoded (RFC 2047, which ntfy decodes), the topic is escaped, commas in
// a tag become spaces, and a text of more than 4,096 bytes, which ntfy would turn
// into an attachment, is cut off. The answer is looked at, and the status in the
// tags is that of the alert now.
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

// maxText is the longest message in bytes.
const maxText = 4096

// Options are the settings of a [Notifier]. The zero value of each is its
// default.
type Options struct {
	// Token is sent as the bearer token. Defaults to none.
	Token notify.Secret
	// Topic is that of all notifications. Defaults to the organization of each.
	Topic string
	// Templates default to title and description of the alert.
	Templates notify.Templates
	Transport notify.Transport
}

// A Notifier delivers to the topics of one server. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	texts  *notify.Texts
	token  notify.Secret
	topic  string
}

// New returns a notifier for the server at a URL, such as https://ntfy.sh.
func New(url string, o *Options) (*Notifier, error) {
	if o == nil {
		o = &Options{}
	}
	client, clientErr := notify.NewClient(url, o.Transport)
	texts, textsErr := notify.Templates{
		Title: cmp.Or(o.Templates.Title, `{{.Alert.Title}}`),
		Body:  cmp.Or(o.Templates.Body, `{{.Alert.Description}}`),
	}.Parse()
	err := errors.Join(clientErr, textsErr)
	if err == nil && !o.Token.IsZero() {
		err = client.Confidential()
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

// encode returns the value of a header. Where the text itself looks encoded, it is
// changed not to: ntfy would decode it.
func encode(text string) string {
	return mime.QEncoding.Encode("utf-8", strings.ReplaceAll(text, "=?", "= ?"))
}

// tags returns a list of tags, without those that are empty.
func tags(all ...string) string {
	var list []string
	for _, tag := range all {
		if tag = notify.Line(strings.ReplaceAll(tag, ",", " ")); tag != "" {
			list = append(list, tag)
		}
	}
	return strings.Join(list, ",")
}
