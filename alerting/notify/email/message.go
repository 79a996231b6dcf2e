package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
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

// message returns the mail about a notification.
func (e *Notifier) message(n *alerting.Notification) (*mail.Msg, error) {
	title, body, err := e.texts.Render(n)
	if err != nil {
		return nil, err
	}
	a := n.Alert
	var html strings.Builder
	if err := page.Execute(&html, struct{ Color, Title, Body string }{notify.Color(a.Severity), title, body}); err != nil {
		return nil, &alerting.DeliveryError{Permanent: true, Err: fmt.Errorf("email: write mail: %w", err)}
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(e.from)
	m.ToMailAddress(e.to...)
	m.Subject(title)
	m.SetDate()
	m.SetMessageIDWithValue(e.messageID("notification", n.Key))
	// No mail has the ID of the thread: all are answers to it.
	thread := "<" + e.messageID("alert", a.OrganizationID+"\x00"+a.ID) + ">"
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

// messageID returns an ID that is the same for the same name (RFC 5322, 3.6.4).
func (e *Notifier) messageID(kind, name string) string {
	hash := sha256.Sum256([]byte(name))
	at := strings.LastIndexByte(e.from.Address, '@')
	return kind + "." + hex.EncodeToString(hash[:16]) + e.from.Address[at:]
}
