// Package notifytemplate writes the texts of notifications, and the bodies of webhooks,
// with templates of package text/template. It is apart from package notify because a program that
// contains text/template keeps every exported method of everything else.
package notifytemplate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// Templates are the templates for the text of a notification, in the syntax of
// package text/template. The data is the [alerting.Notification]: {{.Reason}},
// {{.Alert.Title}}, {{.Alert.Finding.Count}}. The function line is [notify.Line]:
// {{line .Alert.ResolvedBy}}. The function time is [notify.Time], and json returns a
// value in JSON.
//
// The destination escapes the text for its format.
type Templates struct {
	// Title is the template for the title, which is one line. Defaults to that of the
	// destination.
	Title string
	// Body is the template for the text below the title. Defaults to that of the
	// destination.
	Body string
}

// Parse parses the templates and executes them with a sample notification, in
// order to detect fields that do not exist. The error names the template.
func (t Templates) Parse() (notify.TextFunc, error) {
	title, titleErr := parse("Templates.Title", t.Title)
	body, bodyErr := parse("Templates.Body", t.Body)
	if err := errors.Join(titleErr, bodyErr); err != nil {
		return nil, fmt.Errorf("notifytemplate: parse templates: %w", err)
	}
	return func(n *alerting.Notification) (string, string, error) {
		title, titleErr := execute(title, n)
		body, bodyErr := execute(body, n)
		return title, body, errors.Join(titleErr, bodyErr)
	}, nil
}

// functions are those that a template may call besides those of text/template.
var functions = template.FuncMap{"line": notify.Line, "time": notify.Time, "json": encode}

// encode returns a value in JSON.
func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func parse(name, text string) (*template.Template, error) {
	t, err := template.New(name).Funcs(functions).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := execute(t, sample()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// sample returns a notification to try a template with.
func sample() *alerting.Notification {
	return &alerting.Notification{Reason: alerting.ReasonOpened, Alert: (&monitor.Occurrence{}).Alert()}
}

// maxText is how much a template may write, in bytes. It is more than a notification
// may have.
const maxText = 64 << 10

// execute returns the beginning of what a template writes.
func execute(t *template.Template, n *alerting.Notification) (string, error) {
	w := &limitedBuilder{left: maxText}
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
