package notify_test

import (
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func render(t *testing.T, templates notify.Templates, n *alerting.Notification) (title, body string) {
	t.Helper()
	texts := check.Must(templates.Parse())(t)
	title, body, err := texts.Render(n)
	check.NoError(t, "render", err)
	return title, body
}

func TestDefaultTexts(t *testing.T) {
	t.Parallel()
	for status, want := range map[monitor.AlertStatus]string{
		monitor.AlertActive:       "Status: active\nOrganization:",
		monitor.AlertAcknowledged: "Status: acknowledged by ann, 2026-03-01 02:40:00 UTC\nOrganization:",
		monitor.AlertResolved:     "Status: resolved by bob, 2026-03-01 02:40:00 UTC\nNotes: password reset\nOrganization:",
		monitor.AlertDismissed:    "Status: dismissed by bob, 2026-03-01 02:40:00 UTC\nNotes: a test\nOrganization:",
	} {
		n := notifytest.InStatus(status)
		title, body := render(t, notify.Templates{}, n)
		check.Equal(t, "title", title, "[HIGH, "+string(status)+"] Suspicious Pattern Detected: FAILED_AUTH")
		for _, want := range []string{
			n.Alert.Description + "\n\n" + want + " acme\nRule: failed_auth\nOccurrences: 3, from 2026-03-01 02:29:00 UTC to 2026-03-01 02:30:00 UTC\n",
			"Notified because: " + string(n.Reason) + "\nAlert: alert-1",
		} {
			if !strings.Contains(body, want) {
				t.Errorf("body %q lacks %q", body, want)
			}
		}
	}
}

func TestOwnTexts(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.Title = notifytest.Hostile
	title, body := render(t, notify.Templates{
		Title: "{{.Reason}}\n{{.Alert.Title}}",
		Body:  "{{.Alert.Finding.Count}} {{line .Alert.Title}}\n\x00{{time .CreatedAt}}",
	}, n)
	check.Equal(t, "title", title, "opened eve  X-Injected: yes    <script>alert(\"1\")</script> <!channel> &amp; {{.Reason}}")
	check.Equal(t, "body", body, "5 eve  X-Injected: yes    <script>alert(\"1\")</script> <!channel> &amp; {{.Reason}}\n 2026-03-01 02:30:00 UTC")
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	long := "{{range 2000000000}}ä{{end}}" // it would take minutes
	title, body := render(t, notify.Templates{Title: long, Body: long}, n)
	for text, limit := range map[string]int{title: 400, body: 16 << 10} {
		if len(text) > limit || len(text) < limit-4 || !strings.HasSuffix(text, "ä…") {
			t.Errorf("%d bytes, want %d, %q at the end", len(text), limit, text[len(text)-9:])
		}
	}
	exact := strings.Repeat("x", 400)
	if title, _ := render(t, notify.Templates{Title: exact}, n); title != exact {
		t.Errorf("title of 400 bytes became %q", title)
	}
}

func TestBadTemplates(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		templates notify.Templates
		want      []string
	}{
		"syntax":       {notify.Templates{Title: "{{"}, []string{"Templates.Title: template: "}},
		"unknown name": {notify.Templates{Body: "{{.Alert.Tilte}}"}, []string{"Templates.Body: template: ", "Tilte"}},
		"unknown func": {notify.Templates{Body: "{{env .Key}}"}, []string{"Templates.Body", "env"}},
		"both":         {notify.Templates{Title: "{{", Body: "{{.X}}"}, []string{"Templates.Title", "Templates.Body"}},
	} {
		_, err := tt.templates.Parse()
		check.ErrorText(t, name, err, tt.want...)
	}
}

// TestTemplateFailsLater for an alert that is not like the others.
func TestTemplateFailsLater(t *testing.T) {
	t.Parallel()
	texts := check.Must(notify.Templates{Title: `{{if .Alert.Tags}}{{index .Alert.Tags 1}}{{end}}`}.Parse())(t)
	n := notifytest.Notification()
	n.Alert.Tags = []string{"one"}
	_, _, err := texts.Render(n)
	check.Equal(t, "permanent", check.ErrorAs[*alerting.DeliveryError](t, "render", err).Permanent, true)
	check.ErrorText(t, "render", err, "notify: write text: template: Templates.Title:")
}
