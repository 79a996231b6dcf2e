package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	netmail "net/mail"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html><body><div style="border-left: 4px solid {{.Color}}; padding-left: 1em">
<h3>{{.Title}}</h3>
<div style="white-space: pre-wrap">{{.Body}}</div>
</div></body></html>
`))

// A composer writes the mails of a notifier.
type composer struct {
	from  *netmail.Address
	to    []*netmail.Address
	texts *notify.Texts
}

// message returns the mail about a notification.
func (c *composer) message(n *alerting.Notification) (*mail.Msg, error) {
	title, body, err := c.texts.Render(n)
	if err != nil {
		return nil, err
	}
	a := n.Alert
	var html strings.Builder
	if err := page.Execute(&html, struct{ Color, Title, Body string }{notify.Color(a.Severity), title, body}); err != nil {
		return nil, &alerting.DeliveryError{Permanent: true, Err: fmt.Errorf("email: write mail: %w", err)}
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(c.from)
	m.ToMailAddress(c.to...)
	m.Subject(title)
	m.SetDate()
	m.SetMessageIDWithValue(c.messageID("notification", n.Key))
	// No mail has the ID of the thread. All are replies to it.
	thread := "<" + c.messageID("alert", strconv.Quote(a.OrganizationID)+strconv.Quote(a.ID)) + ">"
	m.SetGenHeader(mail.HeaderInReplyTo, thread)
	m.SetGenHeader(mail.HeaderReferences, thread)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	m.SetGenHeader(mail.HeaderXAutoResponseSuppress, "All")
	if a.Severity >= monitor.SeverityHigh {
		m.SetImportance(mail.ImportanceHigh)
	}
	m.SetBodyString(mail.TypeTextPlain, body)
	m.AddAlternativeString(mail.TypeTextHTML, html.String())
	return m, nil
}

// messageID returns an ID that depends only on kind and name (RFC 5322, 3.6.4).
func (c *composer) messageID(kind, name string) string {
	hash := sha256.Sum256([]byte(name))
	at := strings.LastIndexByte(c.from.Address, '@')
	return kind + "." + hex.EncodeToString(hash[:16]) + c.from.Address[at:]
}
