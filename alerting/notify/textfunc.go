package notify

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/printable"
	"github.com/auditwarden/auditwarden/monitor"
)

// The longest texts of a notification, in bytes. The rest is cut off.
const (
	maxTitle = 400
	maxBody  = 16 << 10
)

var errText = errors.New("notify: the text cannot be written")

// A TextFunc returns the title of a notification, which is one line, and the text
// below it. The destination escapes them for its format; where one is empty, it
// uses its own. After an error the notification becomes a dead letter. Package
// notifytemplate makes a TextFunc of templates.
type TextFunc func(n *alerting.Notification) (title, body string, err error)

// Text is the TextFunc of most destinations. The title has the severity, status and
// title of the alert. The body has the description, followed by what was counted, if
// the description does not say it, [Occurrences], what to do next, the runbook, the
// status, organization, rule, references, reason and ID, each in a line of its own.
func Text(n *alerting.Notification) (title, body string, err error) {
	a := n.Alert
	var b strings.Builder
	b.WriteString(Explanation(a))
	fmt.Fprintf(&b, "\n\nStatus: %s", a.Status)
	if a.Status == monitor.AlertAcknowledged {
		fmt.Fprintf(&b, " by %s, %s", Line(a.AcknowledgedBy), Time(a.AcknowledgedAt))
	}
	if a.ResolvedBy != "" {
		fmt.Fprintf(&b, " by %s, %s", Line(a.ResolvedBy), Time(a.ResolvedAt))
	}
	if a.ResolutionNotes != "" {
		fmt.Fprintf(&b, "\nNotes: %s", Line(a.ResolutionNotes))
	}
	fmt.Fprintf(&b, "\nOrganization: %s\nRule: %s", Line(a.OrganizationID), Line(a.Finding.Rule))
	g := a.Guidance()
	if g.Author != "" {
		fmt.Fprintf(&b, ", by %s", Line(g.Author))
	}
	for _, url := range g.References {
		fmt.Fprintf(&b, "\nReference: %s", Line(url))
	}
	fmt.Fprintf(&b, "\nNotified because: %s\nAlert: %s", n.Reason, Line(a.ID))
	return fmt.Sprintf("[%s, %s] %s", a.Severity, a.Status, Line(a.Title)), b.String(), nil
}

// Or returns f with the texts of other in place of those that are empty, or other
// if f is nil.
func (f TextFunc) Or(other TextFunc) TextFunc {
	if f == nil {
		return other
	}
	return func(n *alerting.Notification) (string, string, error) {
		title, body, err := f(n)
		if err != nil || title != "" && body != "" {
			return title, body, err
		}
		otherTitle, otherBody, err := other(n)
		return cmp.Or(title, otherTitle), cmp.Or(body, otherBody), err
	}
}

// Render calls f and returns texts that are safe to escape and show. The title is
// one line of at most 400 bytes. The body has at most 16 KiB, and of the characters
// that [Line] replaces only line feeds and tabs. An error is a permanent
// [alerting.DeliveryError].
func (f TextFunc) Render(n *alerting.Notification) (title, body string, err error) {
	title, body, err = f(n)
	if err != nil {
		return "", "", &alerting.DeliveryError{Permanent: true, Err: errText, Detail: err.Error()}
	}
	return Clip(Line(title), maxTitle), Clip(printable.Lines(body), maxBody), nil
}
