package teams_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/teams"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

const path = "/workflows/0a1b/triggers/manual/paths/invoke"

func destination(o teams.Options) notifytest.HTTP {
	return notifytest.HTTP{
		New: func(url string, t notify.Transport) (alerting.Notifier, error) {
			o := o
			o.Transport = t
			return teams.New(notify.NewSecret(url+path+"?api-version=2016-06-01&sig=s3cret"), &o)
		},
		Status:  202,
		Secrets: []string{"s3cret", "0a1b"},
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination(teams.Options{}))
}

type message struct {
	Type        string
	Attachments []struct {
		ContentType string
		Content     struct {
			Type, Version string
			Body          []container
		}
	}
}

type container struct {
	Type, Style string
	Items       []struct {
		Type    string
		Inlines []struct{ Type, Text string }
	}
}

// decode returns the parts of a card: the style and text of its heading, and the lines
// below it.
func decode(t *testing.T, body string) (style, title string, lines []string) {
	t.Helper()
	var m message
	check.NoError(t, "decode", json.Unmarshal([]byte(body), &m))
	if len(body) >= 28_000 {
		t.Errorf("the message has %d bytes", len(body))
	}
	if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		t.Fatalf("message %s", body)
	}
	c := m.Attachments[0].Content
	if c.Type != "AdaptiveCard" || c.Version != "1.4" || len(c.Body) != 2 || len(c.Body[0].Items) != 1 {
		t.Fatalf("card %s", body)
	}
	var texts []string
	for _, part := range c.Body {
		for _, item := range part.Items {
			if item.Type != "RichTextBlock" || len(item.Inlines) != 1 || item.Inlines[0].Type != "TextRun" || item.Inlines[0].Text == "" {
				t.Fatalf("item %+v", item)
			}
			texts = append(texts, item.Inlines[0].Text)
		}
	}
	return c.Body[0].Style, texts[0], texts[1:]
}

func receive(t *testing.T, o teams.Options, n *alerting.Notification) (style, title string, lines []string) {
	t.Helper()
	r := destination(o).Receive(t, n)
	if r.Path != path || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("path %q, header %v", r.Path, r.Header)
	}
	return decode(t, r.Body)
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved, monitor.AlertDismissed} {
		n := notifytest.InStatus(status)
		n.Reason = alerting.ReasonOpened // it comes late
		_, title, lines := receive(t, teams.Options{}, n)
		check.Equal(t, "title", title, "[HIGH, "+string(status)+"] "+n.Alert.Title)
		check.Equal(t, "the last line", lines[len(lines)-1], "HIGH · "+string(status))
		if !strings.Contains(lines[0], n.Alert.Description) {
			t.Errorf("lines %q", lines)
		}
	}
}

func TestStyles(t *testing.T) {
	t.Parallel()
	for severity, want := range map[monitor.Severity]string{
		monitor.SeverityCritical: "attention",
		monitor.SeverityHigh:     "attention",
		monitor.SeverityMedium:   "warning",
		monitor.SeverityLow:      "accent",
		monitor.SeverityInfo:     "emphasis",
	} {
		n := notifytest.Notification()
		n.Alert.Severity = severity
		style, _, _ := receive(t, teams.Options{}, n)
		check.Equal(t, severity.String(), style, want)
	}
}

// TestLines: each line is an element of its own, up to 40, and nothing is lost.
func TestLines(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{1: 1, 40: 40, 41: 40, 500: 40} {
		body := strings.TrimSuffix(strings.Repeat("x\n", count), "\n")
		o := teams.Options{Text: func(*alerting.Notification) (string, string, error) { return "title", body, nil }}
		_, _, lines := receive(t, o, notifytest.Notification())
		check.Equal(t, "lines", len(lines)-1, want)
		check.Equal(t, "text", strings.Join(lines[:len(lines)-1], "\n"), body)
	}
}

// TestLongText: no text makes a message that Teams does not accept.
func TestLongText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "<", "\n", "ä", "😀", "\"\n<"} {
		n := notifytest.Notification()
		o := teams.Options{Text: func(*alerting.Notification) (string, string, error) {
			return strings.Repeat(text, 10_000), strings.Repeat(text, 10_000), nil
		}}
		receive(t, o, n)
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination(teams.Options{}), func(t *testing.T, _ *alerting.Notification, harmless, got notifytest.Received) {
		_, _, want := decode(t, harmless.Body)
		_, title, lines := decode(t, got.Body)
		if len(lines) > len(want) || strings.Contains(title, "\n") {
			t.Errorf("too many lines: %q, %q", title, lines)
		}
		check.Equal(t, "status line", lines[len(lines)-1], want[len(want)-1])
		for _, line := range lines {
			check.Equal(t, "line", strings.TrimSpace(line), notify.Line(line))
		}
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination(teams.Options{})) }

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url     string
		options *teams.Options
		want    string
	}{
		"no URL":      {"", nil, "URL"},
		"http":        {"http://prod.example.com" + path + "?sig=s3cret", nil, "URL"},
		"bad timeout": {"https://prod.example.com" + path + "?sig=s3cret", &teams.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
	} {
		_, err := teams.New(notify.NewSecret(tt.url), tt.options)
		check.ErrorText(t, name, err, "teams: make notifier: ", tt.want)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
}
