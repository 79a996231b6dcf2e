package pagerduty_test

import (
	"encoding/json"
	"errors"
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

func newNotifier(tb testing.TB, url string, t notify.Transport) alerting.Notifier {
	n := check.Must(pagerduty.New(notify.NewSecret(routingKey), &pagerduty.Options{URL: url + "/v2/enqueue", Transport: t}))(tb)
	return n
}

var destination = notifytest.HTTP{
	New:     newNotifier,
	Status:  http.StatusAccepted,
	Body:    `{"status":"success","message":"Event processed","dedup_key":"alert-1"}`,
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
			"reason": "opened", "occurrences": 3.0, "firstSeen": "2026-03-01T02:29:00Z", "lastSeen": "2026-03-01T02:30:00Z", "alert": "alert-1",
		})
	}
	n := notifytest.Notification()
	n.Alert.Source, n.Alert.Title, n.Alert.Description = "", notifytest.Hostile, strings.Repeat(notifytest.Hostile, 10_000)
	p := receive(t, n).Payload
	check.Equal(t, "source", p.Source, "auditwarden")
	check.Equal(t, "length of the text", len(p.Details["text"].(string)), 4096)
	if strings.ContainsAny(p.Summary, "\r\n\x00") || len(p.Summary) > 400 {
		t.Errorf("payload %+v", p)
	}
}

func TestUnexpectedResponse(t *testing.T) {
	t.Parallel()
	for _, response := range []string{"", "<html>Please log in</html>", "{}", `{"status":"confidential"}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(response))
		}))
		err := newNotifier(t, s.URL, notifytest.Loopback(nil)).Notify(t.Context(), notifytest.Notification())
		if e, ok := errors.AsType[*alerting.DeliveryError](err); !ok || e.Permanent || strings.Contains(err.Error(), "confidential") {
			t.Errorf("Notify = %v after %q", err, response)
		}
		s.Close()
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key, url string
		want     string
	}{
		"no key":  {"", "", "routing key"},
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
