package notify

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Templates are the templates for the text of a notification, in the syntax of
// package text/template. The data is the [alerting.Notification]: {{.Reason}},
// {{.Alert.Title}}, {{.Alert.Finding.Count}}. The function line is [Line]: {{line
// .Alert.ResolvedBy}}. The function time formats a time in UTC.
//
// The destination escapes the text for its format.
type Templates struct {
	// Title is the template for the title, which is one line. Defaults to the
	// severity, status and title of the alert.
	Title string
	// Body is the template for the text below the title. Defaults to the description,
	// followed by the status, organization, rule, occurrences, reason and ID.
	Body string
}

// The longest results of the templates, in bytes. The rest is cut off.
const (
	maxTitle = 400
	maxBody  = 16 << 10
)

const (
	defaultTitle = `[{{.Alert.Severity}}, {{.Alert.Status}}] {{.Alert.Title}}`
	defaultBody  = `{{.Alert.Description}}

Status: {{.Alert.Status}}
{{- if eq .Alert.Status "acknowledged"}} by {{line .Alert.AcknowledgedBy}}, {{time .Alert.AcknowledgedAt}}{{end}}
{{- if .Alert.ResolvedBy}} by {{line .Alert.ResolvedBy}}, {{time .Alert.ResolvedAt}}{{end}}
{{- if .Alert.ResolutionNotes}}
Notes: {{line .Alert.ResolutionNotes}}{{end}}
Organization: {{line .Alert.OrganizationID}}
Rule: {{line .Alert.Finding.Rule}}
Occurrences: {{.Alert.Occurrences}}, from {{time .Alert.FirstSeen}} to {{time .Alert.LastSeen}}
Notified because: {{.Reason}}
Alert: {{line .Alert.ID}}`
)

// Texts holds parsed [Templates]. It is safe for concurrent use.
type Texts struct {
	title, body *template.Template
}

// Parse parses the templates and executes them with a sample notification, in
// order to detect fields that do not exist. The error names the template.
func (t Templates) Parse() (*Texts, error) {
	title, titleErr := parse("Templates.Title", cmp.Or(t.Title, defaultTitle))
	body, bodyErr := parse("Templates.Body", cmp.Or(t.Body, defaultBody))
	if err := errors.Join(titleErr, bodyErr); err != nil {
		return nil, err
	}
	return &Texts{title, body}, nil
}

func parse(name, text string) (*template.Template, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"line": Line,
		"time": func(t time.Time) string { return t.UTC().Format(time.DateTime + " MST") },
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sample := &alerting.Notification{Reason: alerting.ReasonOpened, Alert: (&monitor.Occurrence{}).Alert()}
	if _, err := execute(t, sample, maxBody); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Render returns the title and the body of a notification. The title is one line
// of at most 400 bytes. The body has no control characters except line feeds and
// tabs, and at most 16 KiB. If a template fails, the error is a permanent
// [alerting.DeliveryError].
func (t *Texts) Render(n *alerting.Notification) (title, body string, err error) {
	title, titleErr := execute(t.title, n, maxTitle)
	body, bodyErr := execute(t.body, n, maxBody)
	if err := errors.Join(titleErr, bodyErr); err != nil {
		return "", "", &alerting.DeliveryError{Permanent: true, Err: fmt.Errorf("notify: write text: %w", err)}
	}
	return Clip(Line(title), maxTitle), Clip(lines(body), maxBody), nil
}

// execute returns at most limit+1 bytes, so that Clip can tell whether there was
// more than limit.
func execute(t *template.Template, n *alerting.Notification, limit int) (string, error) {
	w := &limitedBuilder{left: limit + 1}
	if err := t.Execute(w, n); err != nil && !errors.Is(err, errFull) {
		return "", err
	}
	return w.String(), nil
}

var errFull = errors.New("text is long enough")

// A limitedBuilder takes a limited number of bytes.
type limitedBuilder struct {
	strings.Builder
	left int
}

func (b *limitedBuilder) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Builder.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}
