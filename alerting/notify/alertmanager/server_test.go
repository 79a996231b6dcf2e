package alertmanager_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting/notify/alertmanager"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// TestServer follows an alert through the real Alertmanager: it is found by the label
// that routes match, has its new label alone when its severity rises, and ends.
func TestServer(t *testing.T) {
	t.Parallel()
	s := testservice.Alertmanager(t)
	notifier := check.Must(alertmanager.New(s.URL(), &alertmanager.Options{Transport: notifytest.Loopback(nil)}))(t)
	active := func(severity string) int {
		t.Helper()
		req := check.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+`/api/v2/alerts?filter=severity="`+severity+`"&filter=organization="acme"`, http.NoBody))(t)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var alerts []struct{ Annotations map[string]string }
		check.NoError(t, "decode", json.NewDecoder(resp.Body).Decode(&alerts))
		return len(alerts)
	}
	now := time.Now()
	n := notifytest.Notification()
	n.Alert.Finding.Severity, n.Alert.Severity = monitor.SeverityMedium, monitor.SeverityMedium
	n.Alert.FirstSeen, n.Alert.LastSeen, n.Alert.UpdatedAt = now.Add(-time.Minute), now, now
	check.NoError(t, "Notify", notifier.Notify(t.Context(), n))
	check.Equal(t, "warning", active("warning"), 1)

	n.Alert.Severity, n.Alert.UpdatedAt = monitor.SeverityHigh, time.Now()
	check.NoError(t, "Notify", notifier.Notify(t.Context(), n))
	check.Equal(t, "warning", active("warning"), 0)
	check.Equal(t, "critical", active("critical"), 1)

	n.Alert.Status, n.Alert.ResolvedAt, n.Alert.ResolvedBy = monitor.AlertResolved, time.Now(), "bob"
	check.NoError(t, "Notify", notifier.Notify(t.Context(), n))
	check.Equal(t, "critical", active("critical"), 0)
}
