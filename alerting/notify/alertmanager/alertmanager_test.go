package alertmanager_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/alertmanager"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

const token = "s3cret"

func destination(o alertmanager.Options) notifytest.HTTP {
	return notifytest.HTTP{
		New: func(url string, t notify.Transport) (alerting.Notifier, error) {
			o := o
			o.Transport = t
			return alertmanager.New(url+"/prefix/", &o)
		},
		Secrets: []string{token},
	}
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination(alertmanager.Options{Token: notify.NewSecret(token)}))
}

type alert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

func receive(t *testing.T, o alertmanager.Options, n *alerting.Notification) []alert {
	t.Helper()
	r := destination(o).Receive(t, n)
	if r.Path != "/prefix/api/v2/alerts" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("path %q, header %v", r.Path, r.Header)
	}
	var want string
	if !o.Token.IsZero() {
		want = "Bearer " + o.Token.Reveal()
	}
	check.Equal(t, "Authorization", r.Header.Get("Authorization"), want)
	var all []alert
	check.NoError(t, "decode", json.Unmarshal([]byte(r.Body), &all))
	for _, a := range all {
		if a.StartsAt.IsZero() || a.EndsAt.Before(a.StartsAt) {
			t.Errorf("from %v to %v", a.StartsAt, a.EndsAt)
		}
	}
	return all
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged} {
		n := notifytest.InStatus(status)
		n.Reason = alerting.ReasonResolved // and reopened since
		n.Alert.Occurrences = 64
		n.Alert.Finding.Guidance = &monitor.Guidance{Runbook: "https://example.com/runbook"}
		o := alertmanager.Options{Token: notify.NewSecret(token), Labels: map[string]string{"team": "soc"}, Expiry: time.Hour}
		before := time.Now()
		all := receive(t, o, n)
		after := time.Now()
		if len(all) != 1 {
			t.Fatalf("%d alerts", len(all))
		}
		a := all[0]
		if want := map[string]string{
			"alertname": "failed_auth", "organization": "acme", "severity": "critical", "alert": "alert-1", "team": "soc",
		}; !maps.Equal(a.Labels, want) {
			t.Errorf("labels %v, want %v", a.Labels, want)
		}
		if a.Annotations["status"] != string(status) || a.Annotations["occurrences"] != "64" ||
			!strings.Contains(a.Annotations["summary"], n.Alert.Title) || !strings.Contains(a.Annotations["description"], n.Alert.Description) {
			t.Errorf("annotations %v", a.Annotations)
		}
		check.Equal(t, "counted", a.Annotations["counted"], n.Alert.Finding.Describe())
		check.Equal(t, "when", a.Annotations["when"], notify.Occurrences(n.Alert))
		check.Equal(t, "runbook", a.Annotations["runbook_url"], "https://example.com/runbook")
		if !a.StartsAt.Equal(n.Alert.FirstSeen) {
			t.Errorf("it starts at %v", a.StartsAt)
		}
		if a.EndsAt.Before(before.Add(time.Hour)) || a.EndsAt.After(after.Add(time.Hour)) {
			t.Errorf("it ends at %v", a.EndsAt)
		}
	}
}

func TestDefaultExpiry(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	before := time.Now()
	a := receive(t, alertmanager.Options{}, notifytest.Notification())[0]
	if a.EndsAt.Before(before.Add(week)) || a.EndsAt.After(time.Now().Add(week)) {
		t.Errorf("it ends at %v", a.EndsAt)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertResolved, monitor.AlertDismissed} {
		n := notifytest.InStatus(status)
		n.Reason = alerting.ReasonOpened // it comes late
		a := receive(t, alertmanager.Options{}, n)[0]
		if !a.EndsAt.Equal(n.Alert.ResolvedAt) {
			t.Errorf("%s: it ends at %v, want %v", status, a.EndsAt, n.Alert.ResolvedAt)
		}
		n.Alert.ResolvedAt = n.Alert.FirstSeen.Add(-time.Second) // by another clock
		if a := receive(t, alertmanager.Options{}, n)[0]; !a.EndsAt.Equal(n.Alert.ResolvedAt) {
			t.Errorf("%s: it ends at %v, want %v", status, a.EndsAt, n.Alert.ResolvedAt)
		}
	}
}

// TestRisenSeverity: the alert with the former label would stand.
func TestRisenSeverity(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		severity func(monitor.Severity) string
		from, to monitor.Severity
		want     map[string]bool // whether each label stands
	}{
		"to another label":   {nil, monitor.SeverityInfo, monitor.SeverityCritical, map[string]bool{"critical": true, "warning": false, "info": false}},
		"to the same label":  {nil, monitor.SeverityHigh, monitor.SeverityCritical, map[string]bool{"critical": true}},
		"with labels of own": {monitor.Severity.String, monitor.SeverityMedium, monitor.SeverityCritical, map[string]bool{"CRITICAL": true, "HIGH": false, "MEDIUM": false}},
	} {
		n := notifytest.Notification()
		n.Alert.Finding.Severity, n.Alert.Severity = tt.from, tt.to
		all := receive(t, alertmanager.Options{Severity: tt.severity}, n)
		got := map[string]bool{}
		for _, a := range all {
			got[a.Labels["severity"]] = a.EndsAt.After(time.Now())
		}
		if len(all) != len(tt.want) || !maps.Equal(got, tt.want) {
			t.Errorf("%s: labels that stand: %v, want %v", name, got, tt.want)
		}
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for severity, want := range map[monitor.Severity]string{
		monitor.SeverityCritical: "critical",
		monitor.SeverityHigh:     "critical",
		monitor.SeverityMedium:   "warning",
		monitor.SeverityLow:      "info",
		monitor.SeverityInfo:     "info",
	} {
		n := notifytest.Notification()
		n.Alert.Severity, n.Alert.Finding.Severity = severity, severity
		check.Equal(t, severity.String(), receive(t, alertmanager.Options{}, n)[0].Labels["severity"], want)
	}
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.ID, n.Alert.Title, n.Alert.OrganizationID, n.Alert.Finding.Rule =
		notifytest.Hostile, notifytest.Hostile, notifytest.Hostile, notifytest.Hostile
	a := receive(t, alertmanager.Options{}, n)[0]
	if len(a.Labels) != 4 {
		t.Errorf("labels %v", a.Labels)
	}
	for name, value := range a.Labels {
		if strings.ContainsAny(value, "\r\n\x00") || value == "" {
			t.Errorf("label %s is %q", name, value)
		}
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination(alertmanager.Options{Token: notify.NewSecret(token)}), func(t *testing.T, _ *alerting.Notification, harmless, got notifytest.Received) {
		check.Equal(t, "path", got.Path, harmless.Path)
		check.Equal(t, "shape", notifytest.Shape(t, got.Body), notifytest.Shape(t, harmless.Body))
		var want, all []alert
		check.NoError(t, "decode", json.Unmarshal([]byte(harmless.Body), &want))
		check.NoError(t, "decode", json.Unmarshal([]byte(got.Body), &all))
		for name, value := range all[0].Labels {
			check.Equal(t, "label "+name, value, notify.Line(value))
		}
		check.Equal(t, "severity", all[0].Labels["severity"], want[0].Labels["severity"])
		for name, value := range all[0].Annotations {
			if lines := strings.Count(want[0].Annotations[name], "\n"); strings.Count(value, "\n") > lines {
				t.Errorf("annotation %s has too many lines: %q", name, value)
			}
		}
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination(alertmanager.Options{})) }

func TestBadOptions(t *testing.T) {
	t.Parallel()
	secret := notify.NewSecret(token)
	for name, tt := range map[string]struct {
		url     string
		options *alertmanager.Options
		want    string
	}{
		"no URL":          {"", nil, "URL"},
		"token over http": {"http://alertmanager.example.com", &alertmanager.Options{Token: secret}, "URL"},
		"user over http":  {"http://ann:s3cret@alertmanager.example.com", nil, "URL"},
		"empty label":     {"https://example.com", &alertmanager.Options{Labels: map[string]string{"": "x"}}, "Labels"},
		"bad label":       {"https://example.com", &alertmanager.Options{Labels: map[string]string{"a-b": "x"}}, "a-b"},
		"label of digits": {"https://example.com", &alertmanager.Options{Labels: map[string]string{"1a": "x"}}, "1a"},
		"own label":       {"https://example.com", &alertmanager.Options{Labels: map[string]string{"severity": "x"}}, "severity"},
		"negative expiry": {"https://example.com", &alertmanager.Options{Expiry: -1}, "Expiry"},
		"bad token":       {"https://example.com", &alertmanager.Options{Token: notify.NewSecret(token + "\n")}, "option Token"},
	} {
		if _, err := alertmanager.New(tt.url, tt.options); err == nil || !strings.HasPrefix(err.Error(), "alertmanager: make notifier: ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: New = %v, want an error about %s", name, err, tt.want)
		}
	}
	for _, own := range []string{"alertname", "organization", "severity", "alert"} {
		_, err := alertmanager.New("https://example.com", &alertmanager.Options{Labels: map[string]string{own: "x"}})
		check.ErrorText(t, "new", err, fmt.Sprintf("option Labels: %q is set by the alert", own))
	}
	good := &alertmanager.Options{Labels: map[string]string{"_a1B": "x", "azAZ09_": "x", "Z": "x", "A": "x", "z": "x"}}
	if _, err := alertmanager.New("http://alertmanager:9093", good); err != nil {
		t.Errorf("New = %v", err)
	}
}
