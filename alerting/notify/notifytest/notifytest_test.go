package notifytest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/monitor"
)

func newNotifier(url string, t notify.Transport) (alerting.Notifier, error) {
	client, err := notify.NewClient(url+"/hook", t)
	return alerting.NotifierFunc(func(ctx context.Context, n *alerting.Notification) error {
		return client.Post(ctx, notify.Request{Body: []byte(n.Key)})
	}), err
}

func TestSuite(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, notifytest.HTTP{New: newNotifier, Status: http.StatusAccepted})
}

func TestReceive(t *testing.T) {
	t.Parallel()
	r := notifytest.HTTP{New: newNotifier}.Receive(t, notifytest.Notification())
	if r.Path != "/hook" || r.Body != "notification-1" || r.Header.Get("User-Agent") == "" {
		t.Errorf("received %+v", r)
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	for _, status := range []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged, monitor.AlertResolved, monitor.AlertDismissed} {
		a := notifytest.InStatus(status).Alert
		if a.Status != status || a.AcknowledgedAt.IsZero() == (status == monitor.AlertAcknowledged) || a.ResolvedAt.IsZero() != status.Open() {
			t.Errorf("%s: %+v", status, a)
		}
	}
	if n := notifytest.Notification(); !strings.Contains(n.Alert.Title, "FAILED_AUTH") || n.Alert == notifytest.Notification().Alert {
		t.Errorf("notification %+v", n)
	}
}
