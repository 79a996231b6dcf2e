package notify_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
)

// How Post handles a response is tested by notifytest.RunHTTP, here and with every
// destination.

const secretPath = "/T0KEN?key=T0KEN"

var destination = notifytest.HTTP{
	New: func(tb testing.TB, url string, t notify.Transport) alerting.Notifier {
		url = strings.Replace(url, "://", "://ann:T0KEN@", 1) + secretPath
		c := check.Must(notify.NewClient(url, t))(tb)
		return notifier{c}
	},
	Body:    "thanks",
	Secrets: []string{"T0KEN"},
}

// A notifier is a destination as an application may write it.
type notifier struct{ client *notify.Client }

func (d notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	r, err := notify.JSON(n.Alert)
	if err != nil {
		return err
	}
	r.Path = []string{n.Alert.OrganizationID, "alerts"}
	_, err = d.client.Post(ctx, r)
	return err
}

func TestClient(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := notifytest.Notification()
	n.Alert.OrganizationID = ".."
	r := destination.Receive(t, n)
	if r.Path != "/T0KEN/%2E%2E/alerts" {
		t.Errorf("path %q", r.Path)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "auditwarden"} {
		check.Equal(t, name, r.Header.Get(name), want)
	}
	if user := r.Header.Get("Authorization"); !strings.HasPrefix(user, "Basic ") {
		t.Errorf("Authorization: %q", user)
	}
}

func TestHeaderCannotBeInjected(t *testing.T) {
	t.Parallel()
	c := check.Must(notify.NewClient("https://example.com"+secretPath, notify.Transport{}))(t)
	r := check.Must(notify.JSON("x"))(t)
	r.Header.Set("Title", "T0KEN\r\nX-Injected: yes")
	if _, err := c.Post(t.Context(), r); err == nil || strings.Contains(err.Error(), "T0KEN") {
		t.Errorf("Post = %v", err)
	}
}

func TestJSONThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := notify.JSON(math.Inf(1))
	check.Equal(t, "permanent", check.ErrorAs[*alerting.DeliveryError](t, "encode", err).Permanent, true)
}

func TestUnexpected(t *testing.T) {
	t.Parallel()
	c := check.Must(notify.NewClient("https://example.com"+secretPath, notify.Transport{}))(t)
	e, ok := errors.AsType[*alerting.DeliveryError](c.Unexpected())
	if !ok || e.Permanent || !strings.Contains(e.Error(), "https://example.com:") || strings.Contains(e.Error(), "T0KEN") {
		t.Errorf("Unexpected = %v", e)
	}
}
