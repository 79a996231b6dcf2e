package notify_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
)

// How Post handles a response is tested by notifytest.RunHTTP, here and with every
// destination.

const secretPath = "/T0KEN?key=T0KEN"

var destination = notifytest.HTTP{
	New: func(url string, t notify.Transport) (alerting.Notifier, error) {
		c, err := notify.NewClient(strings.Replace(url, "://", "://ann:T0KEN@", 1)+secretPath, t)
		return notifier{c}, err
	},
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
	return d.client.Post(ctx, r)
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

// post posts to a path of a server and returns the path that the server saw.
func post(t *testing.T, path string, r notify.Request, handle func(http.ResponseWriter)) (string, error) {
	t.Helper()
	var seen string
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.URL.EscapedPath()
		handle(w)
	}))
	t.Cleanup(s.Close)
	c := check.Must(notify.NewClient(s.URL+path, notifytest.Loopback(s)))(t)
	err := c.Post(t.Context(), r)
	return seen, err
}

func TestPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":          "/a%20b/%2E%2E/c%2Fd",
		"/":         "/a%20b/%2E%2E/c%2Fd",
		"/prefix":   "/prefix/a%20b/%2E%2E/c%2Fd",
		"/p%2Fq/?x": "/p%2Fq/a%20b/%2E%2E/c%2Fd",
	} {
		got, err := post(t, path, notify.Request{Path: []string{"a b", "..", "c/d"}}, func(http.ResponseWriter) {})
		check.NoError(t, "post", err)
		check.Equal(t, "path under "+path, got, want)
	}
}

// TestRetryAfter: which statuses have a Retry-After, and how it is read without
// the server's date.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]time.Duration{
		408: 10 * time.Second, 425: 10 * time.Second, 429: 10 * time.Second, 500: 10 * time.Second, 503: 10 * time.Second,
		302: 0, 400: 0, 409: 0, 600: 0,
	} {
		_, err := post(t, "", notify.Request{}, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "10")
			w.WriteHeader(status)
		})
		check.Equal(t, fmt.Sprint("retry after status ", status), check.ErrorAs[*alerting.DeliveryError](t, "post", err).RetryAfter, want)
	}
	_, err := post(t, "", notify.Request{}, func(w http.ResponseWriter) {
		w.Header()["Date"] = nil
		w.Header().Set("Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if got := check.ErrorAs[*alerting.DeliveryError](t, "post", err).RetryAfter; got < 50*time.Second || got > time.Minute {
		t.Errorf("retry after %v", got)
	}
}

func TestHeaderCannotBeInjected(t *testing.T) {
	t.Parallel()
	c := check.Must(notify.NewClient("https://example.com"+secretPath, notify.Transport{}))(t)
	for _, value := range []string{"T0KEN\r\nX-Injected: yes", "T0KEN\n", "T0KEN\x00"} {
		r := check.Must(notify.JSON("x"))(t)
		r.Header.Set("Title", value)
		e := check.ErrorAs[*alerting.DeliveryError](t, "post", c.Post(t.Context(), r))
		check.Equal(t, "text", e.Error(), "refused permanently: notify: post: header Title: has a control character")
	}
}

func TestJSONThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := notify.JSON(math.Inf(1))
	check.ErrorText(t, "encode", err, "notify: encode request: json: unsupported value")
	check.Equal(t, "permanent", check.ErrorAs[*alerting.DeliveryError](t, "encode", err).Permanent, true)
}

// TestStatus: a destination may know better which status accepts a request.
func TestStatus(t *testing.T) {
	t.Parallel()
	for status, accepted := range map[int]bool{200: false, 202: true, 204: false} {
		_, err := post(t, "", notify.Request{Status: http.StatusAccepted}, func(w http.ResponseWriter) { w.WriteHeader(status) })
		if accepted {
			check.NoError(t, "post", err)
		} else {
			check.Equal(t, "permanent", check.ErrorAs[*alerting.DeliveryError](t, "post", err).Permanent, false)
		}
	}
}

func TestBadURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                                "URL: missing",
		"https://exa mple.com/T0KEN":      "URL: is not a URL",
		"https://example.com/T0KEN\n":     "URL: is not a URL",
		"https://ann:T0KEN@localhost/":    "URL: address 127.0.0.1 is neither public nor in an allowed network",
		"https://[::1]/T0KEN":             "URL: address ::1 is neither public nor in an allowed network",
		"https://168.63.129.16/?T0KEN":    "URL: address 168.63.129.16 is neither public nor in an allowed network",
		"https://2130706433/T0KEN":        "URL: host is neither a name nor an address",
		"https://example.com:65536/T0KEN": "URL: has a port that does not exist",
		"http://ann:T0KEN@example.com/":   "URL: a secret may not be sent over plain http to another machine",
	} {
		_, err := notify.NewClient(url, notify.Transport{})
		check.ErrorText(t, "new for "+url, err, want)
		if err != nil && strings.Contains(err.Error(), "T0KEN") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}
