package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/slack"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

const path = "/services/T000/B000/s3cret"

func destination(o slack.Options) notifytest.HTTP {
	return notifytest.HTTP{
		New: func(url string, t notify.Transport) (alerting.Notifier, error) {
			o := o
			o.Transport = t
			return slack.New(notify.NewSecret(url+path), &o)
		},
		Secrets: []string{"s3cret", "T000"},
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination(slack.Options{}))
}

type text struct{ Type, Text string }

type message struct {
	Text        string
	Markup      *bool `json:"mrkdwn"`
	Attachments []struct {
		Color  string
		Blocks []struct {
			Type     string
			Text     text
			Elements []text
		}
	}
}

func receive(t *testing.T, o slack.Options, n *alerting.Notification) message {
	t.Helper()
	r := destination(o).Receive(t, n)
	if r.Path != path || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("path %q, header %v", r.Path, r.Header)
	}
	var m message
	check.NoError(t, "decode", json.Unmarshal([]byte(r.Body), &m))
	if len(m.Attachments) != 1 || len(m.Attachments[0].Blocks) != 2 || len(m.Attachments[0].Blocks[1].Elements) != 1 {
		t.Fatalf("message %s", r.Body)
	}
	for _, text := range []text{m.Attachments[0].Blocks[0].Text, m.Attachments[0].Blocks[1].Elements[0]} {
		if text.Type != "plain_text" || text.Text == "" || utf8.RuneCountInString(text.Text) > 3000 {
			t.Errorf("text %+v", text)
		}
	}
	if m.Markup == nil || *m.Markup {
		t.Error("the text is markup")
	}
	return m
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved, monitor.AlertDismissed} {
		n := notifytest.InStatus(status)
		n.Reason = alerting.ReasonOpened // it comes late
		m := receive(t, slack.Options{}, n)
		if want := "[HIGH, " + string(status) + "] " + n.Alert.Title; m.Text != want {
			t.Errorf("text %q, want %q", m.Text, want)
		}
		blocks := m.Attachments[0].Blocks
		if got := blocks[0].Text.Text; blocks[0].Type != "section" || !strings.Contains(got, n.Alert.Description) {
			t.Errorf("section %q", got)
		}
		if got, want := blocks[1].Elements[0].Text, "HIGH · "+string(status)+" · "+notify.Occurrences(n.Alert); blocks[1].Type != "context" || got != want {
			t.Errorf("status line %q, want %q", got, want)
		}
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for s := monitor.SeverityInfo; s <= monitor.SeverityCritical; s++ {
		n := notifytest.Notification()
		n.Alert.Severity = s
		color := receive(t, slack.Options{}, n).Attachments[0].Color
		if len(color) != 7 || color[0] != '#' || seen[color] {
			t.Errorf("the color of %s is %q", s, color)
		}
		seen[color] = true
	}
}

func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.Title, n.Alert.Description = notifytest.Hostile, notifytest.Hostile
	m := receive(t, slack.Options{}, n)
	for _, text := range []string{m.Text, m.Attachments[0].Blocks[0].Text.Text} {
		if strings.ContainsAny(text, "<>\x00\u202e\r") || !strings.Contains(text, "&lt;!channel&gt; &amp;amp; {{.Reason}}") {
			t.Errorf("text %q", text)
		}
	}
	if strings.Contains(m.Text, "\n") {
		t.Errorf("title of several lines: %q", m.Text)
	}
}

func TestLongText(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]string{
		3000: strings.Repeat("x", 3000),
		3001: strings.Repeat("x", 2997) + "…",
	} {
		n := notifytest.Notification()
		n.Alert.Description = strings.Repeat("x", length)
		m := receive(t, slack.Options{Text: description}, n)
		check.Equal(t, "text", m.Attachments[0].Blocks[0].Text.Text, want)
	}
	for s, want := range map[string]int{"&": 599, "ä": 1498, "a<": 599} {
		n := notifytest.Notification()
		n.Alert.Description = strings.Repeat(s, 5000)
		got := receive(t, slack.Options{}, n).Attachments[0].Blocks[0].Text.Text
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s)
		if n := strings.Count(got, escaped); n != want || !strings.HasSuffix(got, "…") {
			t.Errorf("%q: %d are left, want %d, and %q at the end", s, n, want, got[len(got)-10:])
		}
	}
	n := notifytest.Notification()
	n.Alert.Description = "\x00"
	if got := receive(t, slack.Options{Text: description}, n); got.Attachments[0].Blocks[0].Text.Text != "-" {
		t.Errorf("empty text: %+v", got)
	}
}

// description is a [notify.TextFunc].
func description(n *alerting.Notification) (title, body string, err error) {
	return "", n.Alert.Description, nil
}

// TestNothingIsLookedUp: an address in a text shows nothing of what it leads to.
func TestNothingIsLookedUp(t *testing.T) {
	t.Parallel()
	var m map[string]any
	r := destination(slack.Options{}).Receive(t, notifytest.Notification())
	check.NoError(t, "decode", json.Unmarshal([]byte(r.Body), &m))
	for name, want := range map[string]any{"parse": "none", "link_names": false, "unfurl_links": false, "unfurl_media": false} {
		check.Equal(t, name, m[name], want)
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination(slack.Options{}), func(t *testing.T, _ *alerting.Notification, harmless, got notifytest.Received) {
		check.Equal(t, "shape", notifytest.Shape(t, got.Body), notifytest.Shape(t, harmless.Body))
		var want, m message
		check.NoError(t, "decode", json.Unmarshal([]byte(harmless.Body), &want))
		check.NoError(t, "decode", json.Unmarshal([]byte(got.Body), &m))
		entity := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "")
		body, status := m.Attachments[0].Blocks[0].Text, m.Attachments[0].Blocks[1].Elements[0]
		for _, text := range []string{m.Text, body.Text} {
			if strings.ContainsAny(entity.Replace(text), "<>&") || utf8.RuneCountInString(text) > 3000 {
				t.Errorf("text %q", text)
			}
		}
		if lines := strings.Count(want.Attachments[0].Blocks[0].Text.Text, "\n"); strings.Count(body.Text, "\n") > lines || strings.Contains(m.Text, "\n") {
			t.Errorf("too many lines: %q, %q", m.Text, body.Text)
		}
		check.Equal(t, "status line", status, want.Attachments[0].Blocks[1].Elements[0])
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination(slack.Options{})) }

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url     string
		options *slack.Options
		want    string
	}{
		"no URL":      {"", nil, "URL"},
		"no scheme":   {"hooks.slack.com" + path, nil, "URL"},
		"bad URL":     {"https://hooks.slack.com" + path + "%zz", nil, "URL"},
		"line feed":   {"https://hooks.slack.com" + path + "\n", nil, "URL"},
		"http":        {"http://hooks.slack.com" + path, nil, "URL"},
		"bad timeout": {"https://hooks.slack.com" + path, &slack.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
	} {
		if _, err := slack.New(notify.NewSecret(tt.url), tt.options); err == nil || !strings.HasPrefix(err.Error(), "slack: make notifier: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: New = %v, want an error about %s", name, err, tt.want)
		}
	}
}
