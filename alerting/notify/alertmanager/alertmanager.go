// Package alertmanager delivers notifications to Prometheus Alertmanager with its
// API v2
// (https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
//
// An alert has the labels alertname (the rule), organization, severity and alert
// (its ID), the labels in [Options.Labels], and the annotations summary,
// description, status, occurrences, counted and when (both in words), and runbook_url
// if the rule has a runbook. By default the severity is critical, warning or info, which
// the routes of most users match; see [Severity]. It ends in Alertmanager when it is resolved
// or dismissed, if the route has all of [alerting.Reasons]. Alertmanager
// distinguishes alerts by their labels. When the label of the severity
// rises, the request therefore also ends the alert with the former label.
//
// An open alert also ends [Options.Expiry] after its last notification.
//
// Every member of an Alertmanager cluster must get every alert. Create a notifier
// and a route for each member.
package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

const defaultExpiry = 7 * 24 * time.Hour

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Token is sent as the bearer token. Defaults to none.
	Token notify.Secret
	// Labels are additional labels of every alert. A name consists of ASCII letters,
	// digits and underscores, and does not begin with a digit.
	Labels map[string]string
	// Severity returns the label severity, such as critical. Alerts with different
	// labels are different alerts in Alertmanager, also those of a notifier with another
	// function. Defaults to [Severity].
	Severity func(monitor.Severity) string
	// Expiry is how long an open alert remains in Alertmanager after its last
	// notification. It must be longer than alerts stay open, or longer than the time
	// between two escalations. Defaults to 7 days.
	Expiry time.Duration
	// Text returns the annotations summary and description. Defaults to [notify.Text].
	Text      notify.TextFunc
	Transport notify.Transport
}

// A Notifier delivers to one Alertmanager. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	text   notify.TextFunc
	token  notify.Secret
	labels map[string]string
	expiry time.Duration

	severity func(monitor.Severity) string
}

// New returns a notifier for the Alertmanager at url, such as
// https://alertmanager.example.com. The URL must include the path of that
// Alertmanager's --web.external-url. If o is nil, the defaults apply.
func New(url string, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, clientErr := notify.NewClient(url, o.Transport)
	err := errors.Join(clientErr, checkLabels(o.Labels))
	if tokenErr := o.Token.CheckToken(); tokenErr != nil {
		err = errors.Join(err, fmt.Errorf("option Token: %w", tokenErr))
	}
	if o.Expiry < 0 {
		err = errors.Join(err, fmt.Errorf("option Expiry: %v is negative", o.Expiry))
	}
	if err == nil && !o.Token.IsZero() {
		err = client.RequireTLS()
	}
	if err != nil {
		return nil, fmt.Errorf("alertmanager: make notifier: %w", err)
	}
	severity := o.Severity
	if severity == nil {
		severity = Severity
	}
	return &Notifier{client, o.Text.Or(notify.Text), o.Token, maps.Clone(o.Labels), cmp.Or(o.Expiry, defaultExpiry), severity}, nil
}

// Notify posts the alert.
func (m *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	title, body, err := m.text.Render(n)
	if err != nil {
		return err
	}
	r, err := notify.JSON(m.alerts(n.Alert, title, body, time.Now()))
	if err != nil {
		return err
	}
	r.Path = []string{"api", "v2", "alerts"}
	if !m.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+m.token.Reveal())
	}
	return m.client.Post(ctx, r)
}

// Severity returns the label that Alertmanager's users give to a severity: critical for
// CRITICAL and HIGH, warning for MEDIUM, and info for LOW and INFO.
func Severity(s monitor.Severity) string {
	switch {
	case s >= monitor.SeverityHigh:
		return "critical"
	case s == monitor.SeverityMedium:
		return "warning"
	}
	return "info"
}

// alert is a postableAlert of the API.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// alerts returns the alert and, to end them, its former selves with a lower
// severity.
func (m *Notifier) alerts(a *monitor.Alert, title, body string, now time.Time) []alert {
	ends := now.Add(m.expiry)
	if !a.Status.Open() {
		ends = a.ResolvedAt
	}
	annotations := map[string]string{
		"summary":     title,
		"description": body,
		"status":      string(a.Status),
		"occurrences": strconv.FormatInt(a.Occurrences, 10),
		"counted":     notify.Line(a.Finding.Describe()),
		"when":        notify.Occurrences(a),
	}
	if runbook := a.Guidance().Runbook; runbook != "" {
		annotations["runbook_url"] = notify.Line(runbook)
	}
	labels := []string{m.severity(a.Severity)}
	all := []alert{m.alert(a, labels[0], annotations, ends)}
	for s := a.Finding.Severity; s < a.Severity; s++ {
		if label := m.severity(s); !slices.Contains(labels, label) {
			labels = append(labels, label)
			all = append(all, m.alert(a, label, annotations, a.UpdatedAt))
		}
	}
	return all
}

func (m *Notifier) alert(a *monitor.Alert, severity string, annotations map[string]string, ends time.Time) alert {
	labels := map[string]string{
		"alertname":    notify.Line(a.Finding.Rule),
		"organization": notify.Line(a.OrganizationID),
		"severity":     notify.Line(severity),
		"alert":        notify.Line(a.ID),
	}
	maps.Copy(labels, m.labels)
	starts := a.FirstSeen
	if ends.Before(starts) { // starts is an event's time, by another clock
		starts = ends
	}
	return alert{labels, annotations, starts.UTC(), ends.UTC()}
}

// labelName is from https://prometheus.io/docs/concepts/data_model.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// checkLabels returns an error if a label has a name that Prometheus does not
// allow, or that of a label which the alert sets.
func checkLabels(labels map[string]string) error {
	own := []string{"alertname", "organization", "severity", "alert"}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case !labelName.MatchString(name):
			return fmt.Errorf("option Labels: %q is not the name of a label", name)
		case slices.Contains(own, name):
			return fmt.Errorf("option Labels: %q is set by the alert", name)
		}
	}
	return nil
}
