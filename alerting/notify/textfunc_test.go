package notify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func texts(title, body string) notify.TextFunc {
	return func(*alerting.Notification) (string, string, error) { return title, body, nil }
}

func TestText(t *testing.T) {
	t.Parallel()
	for status, want := range map[monitor.AlertStatus]string{
		monitor.AlertActive:       "Status: active",
		monitor.AlertAcknowledged: "Status: acknowledged by ann, 2026-03-01 02:40:00 UTC",
		monitor.AlertResolved:     "Status: resolved by bob, 2026-03-01 02:40:00 UTC\nNotes: password reset",
		monitor.AlertDismissed:    "Status: dismissed by bob, 2026-03-01 02:40:00 UTC\nNotes: a test",
	} {
		n := notifytest.InStatus(status)
		title, body, err := notify.TextFunc(notify.Text).Render(n)
		check.NoError(t, "render", err)
		check.Equal(t, "title", title, "[HIGH, "+string(status)+"] Suspicious Pattern Detected: FAILED_AUTH")
		check.Equal(t, "body", body, n.Alert.Description+`
When: threshold reached at 2026-03-01 02:29:00 UTC, 2 further events since, the last at 2026-03-01 02:30:00 UTC

`+want+`
Organization: acme
Rule: failed_auth
Notified because: `+string(n.Reason)+`
Alert: alert-1`)
	}
}

// TestTextHasItsLines: no text adds a line to those of a harmless alert.
func TestTextHasItsLines(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved} {
		n := notifytest.InStatus(status)
		_, want, err := notify.TextFunc(notify.Text).Render(n)
		check.NoError(t, "render", err)
		n = notifytest.Filled(n, "eve\r\n\n\u2028Status: resolved by bob")
		title, body, err := notify.TextFunc(notify.Text).Render(n)
		check.NoError(t, "render", err)
		if strings.Count(body, "\n") != strings.Count(want, "\n") || strings.Contains(title, "\n") {
			t.Errorf("title %q, body:\n%s", title, body)
		}
		for i, line := range strings.Split(body, "\n") {
			name, _, _ := strings.Cut(strings.Split(want, "\n")[i], ": ")
			if i > 0 && !strings.HasPrefix(line, name) {
				t.Errorf("line %q, want that of %s", line, name)
			}
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	title, body, err := texts(" a\r\nb\t", "a\x00\r\nb\u202e\tc\u200b").Render(n)
	check.NoError(t, "render", err)
	check.Equal(t, "title", title, "a  b")
	check.Equal(t, "body", body, "a  \nb \tc")

	exact := strings.Repeat("x", 400)
	title, _, err = texts(exact, "").Render(n)
	check.NoError(t, "render", err)
	check.Equal(t, "title of 400 bytes", title, exact)
	title, body, err = texts(strings.Repeat("ä", 10_000), strings.Repeat("ä", 10_000)).Render(n)
	check.NoError(t, "render", err)
	check.Equal(t, "length of the title", len(title), 399)
	check.Equal(t, "length of the body", len(body), 16<<10-1)
}

func TestOr(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	other := texts("other title", "other body")
	for _, test := range []struct {
		f           notify.TextFunc
		title, body string
	}{
		{nil, "other title", "other body"},
		{texts("", ""), "other title", "other body"},
		{texts("title", ""), "title", "other body"},
		{texts("", "body"), "other title", "body"},
		{texts("title", "body"), "title", "body"},
	} {
		title, body, err := test.f.Or(other)(n)
		check.NoError(t, "text", err)
		check.Equal(t, "texts", []string{title, body}, []string{test.title, test.body})
	}
}

// TestTextFails: the error of a text may quote what is not for everybody.
func TestTextFails(t *testing.T) {
	t.Parallel()
	failing := notify.TextFunc(func(*alerting.Notification) (string, string, error) { return "", "", errors.New("confidential") })
	_, _, err := failing.Or(notify.Text).Render(notifytest.Notification())
	e := check.ErrorAs[*alerting.DeliveryError](t, "render", err)
	check.Equal(t, "permanent", e.Permanent, true)
	check.Equal(t, "text", e.Error(), "refused permanently: notify: the text cannot be written")
	check.Equal(t, "detail", e.Detail, "confidential")
}
