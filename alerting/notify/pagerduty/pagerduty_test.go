package pagerduty_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/pagerduty"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

const routingKey = "s3cret0123456789"

var destination = notifytest.HTTP{
	New: func(url string, t notify.Transport) (alerting.Notifier, error) {
		return pagerduty.New(notify.NewSecret(routingKey), &pagerduty.Options{URL: url + "/v2/enqueue", Transport: t})
	},
	Status:  http.StatusAccepted,
	Secrets: []string{routingKey},
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination)
}

type event struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Client      string
	Links       []map[string]string
	Payload     struct {
		Summary, Source, Severity, Timestamp, Group, Class string

		Details map[string]any `json:"custom_details"`
	}
}

func receive(t *testing.T, n *alerting.Notification) event {
	t.Helper()
	r := destination.Receive(t, n)
	var e event
	check.NoError(t, "decode", json.Unmarshal([]byte(r.Body), &e))
	if r.Path != "/v2/enqueue" || r.Header.Get("Content-Type") != "application/json" || len(r.Body) > 512_000 {
		t.Errorf("path %q, header %v", r.Path, r.Header)
	}
	if e.RoutingKey != routingKey || e.DedupKey != n.Alert.ID || e.Client != "auditwarden" {
		t.Errorf("event %s", r.Body)
	}
	return e
}

// TestStatusIsTheTruth delivers late, for every reason.
func TestStatusIsTheTruth(t *testing.T) {
	t.Parallel()
	for status, want := range map[monitor.AlertStatus]string{
		monitor.AlertActive:       "trigger",
		monitor.AlertAcknowledged: "acknowledge",
		monitor.AlertResolved:     "resolve",
		monitor.AlertDismissed:    "resolve",
	} {
		for _, reason := range alerting.Reasons() {
			n := notifytest.InStatus(status)
			n.Reason = reason
			check.Equal(t, fmt.Sprintf("%s, %s", status, reason), receive(t, n).EventAction, want)
		}
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	for severity, want := range map[monitor.Severity]string{
		monitor.SeverityCritical: "critical",
		monitor.SeverityHigh:     "error",
		monitor.SeverityMedium:   "warning",
		monitor.SeverityLow:      "warning",
		monitor.SeverityInfo:     "info",
	} {
		n := notifytest.Notification()
		n.Alert.Severity = severity
		p := receive(t, n).Payload
		if p.Severity != want || p.Summary != "["+severity.String()+", active] Suspicious Pattern Detected: FAILED_AUTH" ||
			p.Source != "audit-monitoring" || p.Timestamp != "2026-03-01T02:30:00Z" || p.Group != "acme" || p.Class != "failed_auth" {
			t.Errorf("payload %+v", p)
		}
		text, _ := p.Details["text"].(string)
		if !strings.Contains(text, n.Alert.Description) {
			t.Errorf("details %v", p.Details)
		}
		check.Equal(t, "details", p.Details, map[string]any{
			"text": text, "organization": "acme", "rule": "failed_auth", "severity": severity.String(), "status": "active",
			"counted": n.Alert.Finding.Describe(), "when": notify.Occurrences(n.Alert),
			"reason": "opened", "occurrences": 3.0, "firstSeen": "2026-03-01T02:29:00Z", "lastSeen": "2026-03-01T02:30:00Z", "alert": "alert-1",
		})
	}
	n := notifytest.Notification()
	check.Equal(t, "links", len(receive(t, n).Links), 0)
	n.Alert.Finding.Guidance = &monitor.Guidance{Runbook: "https://example.com/runbook"}
	check.Equal(t, "links", fmt.Sprint(receive(t, n).Links), "[map[href:https://example.com/runbook text:Runbook]]")
	n.Alert.Source, n.Alert.Title, n.Alert.Description = "", notifytest.Hostile, strings.Repeat(notifytest.Hostile, 10_000)
	p := receive(t, n).Payload
	check.Equal(t, "source", p.Source, "auditwarden")
	check.Equal(t, "length of the text", len(p.Details["text"].(string)), 4096)
	if strings.ContainsAny(p.Summary, "\r\n\x00") || len(p.Summary) > 400 {
		t.Errorf("payload %+v", p)
	}
}

// TestUnexpectedResponse: a page to log in at, say, is no delivery.
func TestUnexpectedResponse(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("<html>Please log in</html>"))
	}))
	t.Cleanup(s.Close)
	n := check.Must(destination.New(s.URL, notifytest.Loopback(nil)))(t)
	e := check.ErrorAs[*alerting.DeliveryError](t, "Notify", n.Notify(t.Context(), notifytest.Notification()))
	check.Equal(t, "permanent", e.Permanent, false)
}

// TestDedupKey: PagerDuty takes up to 255 characters.
func TestDedupKey(t *testing.T) {
	t.Parallel()
	for id, own := range map[string]bool{
		"alert-1": true, strings.Repeat("a", 255): true, strings.Repeat("a", 256): false, "a\r\nb": false,
	} {
		n := notifytest.Notification()
		n.Alert.ID = id
		var e event
		check.NoError(t, "decode", json.Unmarshal([]byte(destination.Receive(t, n).Body), &e))
		check.Equal(t, "the ID is the key", e.DedupKey == id, own)
		check.Equal(t, "the key is one line", e.DedupKey, notify.Line(e.DedupKey))
		if len(e.DedupKey) > 255 || e.DedupKey == "" {
			t.Errorf("dedup_key %q", e.DedupKey)
		}
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination, func(t *testing.T, _ *alerting.Notification, harmless, got notifytest.Received) {
		check.Equal(t, "shape", notifytest.Shape(t, got.Body), notifytest.Shape(t, harmless.Body))
		var want, e event
		check.NoError(t, "decode", json.Unmarshal([]byte(harmless.Body), &want))
		check.NoError(t, "decode", json.Unmarshal([]byte(got.Body), &e))
		for name, value := range map[string]string{
			"dedup_key": e.DedupKey, "summary": e.Payload.Summary, "source": e.Payload.Source, "group": e.Payload.Group, "class": e.Payload.Class,
		} {
			check.Equal(t, name, value, notify.Line(value))
		}
		if e.EventAction != want.EventAction || e.RoutingKey != routingKey || len(e.DedupKey) > 255 || len(e.Payload.Summary) > 1024 || len(got.Body) > 512_000 {
			t.Errorf("event %s", got.Body)
		}
		text, wantText := e.Payload.Details["text"].(string), want.Payload.Details["text"].(string)
		if strings.Count(text, "\n") > strings.Count(wantText, "\n") {
			t.Errorf("too many lines: %q", text)
		}
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination) }

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key, url string
		want     string
	}{
		"no key":  {"", "", "routing key"},
		"bad key": {routingKey + "\n", "", "routing key"},
		"bad URL": {routingKey, "events.pagerduty.com", "URL"},
		"http":    {routingKey, "http://events.pagerduty.com/v2/enqueue", "URL"},
	} {
		_, err := pagerduty.New(notify.NewSecret(tt.key), &pagerduty.Options{URL: tt.url})
		if err == nil || !strings.HasPrefix(err.Error(), "pagerduty: make notifier: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), routingKey) {
			t.Errorf("%s: New = %v, want an error about %s", name, err, tt.want)
		}
	}
	if _, err := pagerduty.New(notify.NewSecret(routingKey), nil); err != nil {
		t.Errorf("New = %v", err)
	}
}
