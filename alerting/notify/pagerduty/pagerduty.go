// Package pagerduty delivers notifications to PagerDuty with the Events API v2
// (https://developer.pagerduty.com/docs/send-alert-event). Each alert is one
// incident in PagerDuty, with the alert's ID, or a hash of it, as its dedup_key. The
// status of the alert, and not the reason of the notification, determines the action:
//
//	active                trigger
//	acknowledged          acknowledge
//	resolved, dismissed   resolve
//
// The route needs all of [alerting.Reasons] to report all changes of the status.
//
// The severity is critical for CRITICAL alerts, error for HIGH, warning for MEDIUM
// and LOW, and info for INFO.
//
// An event is delivered if the status is 202 Accepted. Another 2xx is not PagerDuty's,
// and is tried again.
package pagerduty

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// maxText is the longest detail "text", in bytes. PagerDuty refuses events of more
// than 512 kB.
const maxText = 4096

const defaultURL = "https://events.pagerduty.com/v2/enqueue"

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// URL is the URL of the API. Defaults to https://events.pagerduty.com/v2/enqueue.
	// For the EU use https://events.eu.pagerduty.com/v2/enqueue.
	URL string
	// Text returns the summary and the custom detail "text". Defaults to [notify.Text].
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier sends events to one PagerDuty service. It is safe for concurrent use.
type Notifier struct {
	client     *notify.Client
	text       notify.TextFunc
	routingKey notify.Secret
}

// New returns a notifier for the integration with this key. Options may be nil.
func New(routingKey notify.Secret, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, err := notify.NewClient(cmp.Or(o.URL, defaultURL), o.Transport)
	if err == nil {
		err = client.RequireTLS()
	}
	if routingKey.IsZero() {
		err = errors.Join(err, errors.New("routing key: missing"))
	} else if keyErr := routingKey.CheckToken(); keyErr != nil {
		err = errors.Join(err, fmt.Errorf("routing key: %w", keyErr))
	}
	if err != nil {
		return nil, fmt.Errorf("pagerduty: make notifier: %w", err)
	}
	return &Notifier{client, o.Text.Or(notify.Text), routingKey}, nil
}

// Notify sends the event.
func (p *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, text, err := p.text.Render(n)
	if err != nil {
		return err
	}
	a := n.Alert
	r, err := notify.JSON(event{
		RoutingKey: p.routingKey.Reveal(),
		Action:     action(a.Status),
		DedupKey:   dedupKey(a.ID),
		Client:     "auditwarden",
		Links:      links(a.Guidance().Runbook),
		Payload: payload{
			Summary:   title,
			Source:    cmp.Or(notify.Line(a.Source), "auditwarden"),
			Severity:  severity(a.Severity),
			Timestamp: a.LastSeen.UTC(),
			Group:     notify.Line(a.OrganizationID),
			Class:     notify.Line(a.Finding.Rule),
			Details: map[string]any{
				"text":         notify.Clip(text, maxText),
				"organization": notify.Line(a.OrganizationID),
				"rule":         notify.Line(a.Finding.Rule),
				"severity":     a.Severity,
				"status":       a.Status,
				"reason":       n.Reason,
				"counted":      notify.Line(a.Finding.Describe()),
				"when":         notify.Occurrences(a),
				"occurrences":  a.Occurrences,
				"firstSeen":    a.FirstSeen.UTC(),
				"lastSeen":     a.LastSeen.UTC(),
				"alert":        a.ID,
			},
		},
	})
	if err != nil {
		return err
	}
	r.Status, r.Secrets = http.StatusAccepted, []notify.Secret{p.routingKey}
	return p.client.Post(ctx, r)
}

// event is one of the Events API v2 (https://developer.pagerduty.com/docs/send-alert-event).
type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Client     string  `json:"client"`
	Links      []link  `json:"links,omitempty"`
	Payload    payload `json:"payload"`
}

type link struct {
	URL  string `json:"href"`
	Text string `json:"text"`
}

// links returns the link to a runbook, if there is one.
func links(runbook string) []link {
	if runbook == "" {
		return nil
	}
	return []link{{notify.Line(runbook), "Runbook"}}
}

type payload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp time.Time      `json:"timestamp"`
	Group     string         `json:"group"`
	Class     string         `json:"class"`
	Details   map[string]any `json:"custom_details"`
}

// dedupKey returns the ID of an alert, or its hash if PagerDuty would not take it.
func dedupKey(id string) string {
	const longest = 255 // characters
	if len(id) <= longest && id == notify.Line(id) {
		return id
	}
	hash := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(hash[:])
}

func action(s monitor.AlertStatus) string {
	switch s {
	case monitor.AlertAcknowledged:
		return "acknowledge"
	case monitor.AlertResolved, monitor.AlertDismissed:
		return "resolve"
	}
	return "trigger"
}

func severity(s monitor.Severity) string {
	switch s {
	case monitor.SeverityCritical:
		return "critical"
	case monitor.SeverityHigh:
		return "error"
	case monitor.SeverityMedium, monitor.SeverityLow:
		return "warning"
	}
	return "info"
}
