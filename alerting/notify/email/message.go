package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	netmail "net/mail"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// A composer writes the mails of a notifier.
type composer struct {
	from *netmail.Address
	to   []*netmail.Address
	text notify.TextFunc
}

// message returns the mail about a notification.
func (c *composer) message(n *alerting.Notification) (*mail.Msg, error) {
	title, body, err := c.text.Render(n)
	if err != nil {
		return nil, err
	}
	a := n.Alert
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(c.from)
	m.ToMailAddress(c.to...)
	m.Subject(notify.EncodeHeader(title))
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
	m.AddAlternativeString(mail.TypeTextHTML, page(a.Severity, title, body))
	return m, nil
}

// page returns the text as HTML.
func page(severity monitor.Severity, title, body string) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html><body><div style="border-left: 4px solid %s; padding-left: 1em">
<h3>%s</h3>
<div style="white-space: pre-wrap">%s</div>
</div></body></html>
`, notify.Color(severity), html.EscapeString(title), html.EscapeString(body))
}

// messageID returns an ID that depends only on kind and name (RFC 5322, 3.6.4).
func (c *composer) messageID(kind, name string) string {
	hash := sha256.Sum256([]byte(name))
	at := strings.LastIndexByte(c.from.Address, '@')
	return kind + "." + hex.EncodeToString(hash[:16]) + c.from.Address[at:]
}
