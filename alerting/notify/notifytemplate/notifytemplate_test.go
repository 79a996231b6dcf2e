package notifytemplate_test

import (
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytemplate"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
)

func render(t *testing.T, templates notifytemplate.Templates, n *alerting.Notification) (title, body string) {
	t.Helper()
	text := check.Must(templates.Parse())(t)
	title, body, err := text.Or(notify.Text).Render(n)
	check.NoError(t, "render", err)
	return title, body
}

func TestTexts(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.Title = notifytest.Hostile
	title, body := render(t, notifytemplate.Templates{
		Title: "{{.Reason}}\n{{.Alert.Title}}",
		Body:  "{{.Alert.Finding.Count}} {{line .Alert.Title}}\n\x00{{time .CreatedAt}}",
	}, n)
	check.Equal(t, "title", title, "opened "+notify.Line(notifytest.Hostile))
	check.Equal(t, "body", body, "5 "+notify.Line(notifytest.Hostile)+"\n 2026-03-01 02:30:00 UTC")
}

// TestOneTemplate: the other text is that of the destination.
func TestOneTemplate(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	wantTitle, wantBody, err := notify.Text(n)
	check.NoError(t, "text", err)
	title, body := render(t, notifytemplate.Templates{Title: "{{.Reason}}"}, n)
	check.Equal(t, "title", title, "opened")
	check.Equal(t, "body", body, wantBody)
	title, body = render(t, notifytemplate.Templates{Body: "{{.Reason}}"}, n)
	check.Equal(t, "title", title, wantTitle)
	check.Equal(t, "body", body, "opened")
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	long := "{{range 2000000000}}ä{{end}}" // it would take minutes
	title, body := render(t, notifytemplate.Templates{Title: long, Body: long}, n)
	for text, limit := range map[string]int{title: 400, body: 16 << 10} {
		if len(text) > limit || len(text) < limit-4 || !strings.HasSuffix(text, "ä…") {
			t.Errorf("%d bytes, want %d, %q at the end", len(text), limit, text[len(text)-9:])
		}
	}
}

func TestBadTemplates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		templates notifytemplate.Templates
		want      []string
	}{
		"syntax":       {notifytemplate.Templates{Title: "{{"}, []string{"Templates.Title: template: "}},
		"unknown name": {notifytemplate.Templates{Body: "{{.Alert.Tilte}}"}, []string{"Templates.Body: template: ", "Tilte"}},
		"unknown func": {notifytemplate.Templates{Body: "{{env .Key}}"}, []string{"Templates.Body", "env"}},
		"both":         {notifytemplate.Templates{Title: "{{", Body: "{{.X}}"}, []string{"Templates.Title", "Templates.Body"}},
	} {
		_, err := tt.templates.Parse()
		check.ErrorText(t, name, err, append(tt.want, "notifytemplate: parse templates: ")...)
	}
}

// TestTemplateFailsLater for an alert that is not like the others.
func TestTemplateFailsLater(t *testing.T) {
	t.Parallel()
	text := check.Must(notifytemplate.Templates{Title: `{{if .Alert.Tags}}{{index .Alert.Tags 1}}{{end}}`}.Parse())(t)
	n := notifytest.Notification()
	n.Alert.Tags = []string{"one"}
	_, _, err := text.Render(n)
	e := check.ErrorAs[*alerting.DeliveryError](t, "render", err)
	check.Equal(t, "permanent", e.Permanent, true)
	check.Equal(t, "text", e.Err.Error(), "notify: the text cannot be written")
	if !strings.Contains(e.Detail, "template: Templates.Title:") {
		t.Errorf("detail %q", e.Detail)
	}
}
