package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/internal/check"
)

// with is a destination with options.
func with(o webhook.Options, hidden ...string) notifytest.HTTP {
	return notifytest.HTTP{
		New: func(url string, t notify.Transport) (alerting.Notifier, error) {
			o := o
			o.Transport = t
			return webhook.New(url+path, secrets(newSecret), &o)
		},
		Secrets: hidden,
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	r := with(webhook.Options{
		Headers:  map[string]notify.Secret{"x-api-key": notify.NewSecret("k3y of mine"), "Content-Type": notify.NewSecret("text/plain")},
		Username: "ann", Password: notify.NewSecret("p:ssw0rd"),
		Body: func(n *alerting.Notification) ([]byte, error) { return []byte(n.Reason), nil },
	}).Receive(t, notifytest.Notification())
	check.Equal(t, "header", r.Header.Get("X-Api-Key"), "k3y of mine")
	check.Equal(t, "type", r.Header.Get("Content-Type"), "text/plain")
	name, password, ok := (&http.Request{Header: r.Header}).BasicAuth()
	if name != "ann" || password != "p:ssw0rd" || !ok {
		t.Errorf("basic authentication %q, %q, %v", name, password, ok)
	}
	check.Equal(t, "body", r.Body, "opened")
	check.NoError(t, "Verify", webhook.Verify(r.Header, []byte(r.Body), secrets(newSecret), nil))
}

// TestHeadersAreSecret: an error quotes none of them from a response.
func TestHeadersAreSecret(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, with(webhook.Options{
		Headers:  map[string]notify.Secret{"X-Api-Key": notify.NewSecret("k3y-of-mine")},
		Username: "ann", Password: notify.NewSecret("p4ssword"),
	}, "k3y-of-mine", "p4ssword", "YW5uOnA0c3N3b3Jk"))
}

func TestBodyFails(t *testing.T) {
	t.Parallel()
	n := check.Must(webhook.New("https://example.com", secrets(newSecret), &webhook.Options{
		Body: func(*alerting.Notification) ([]byte, error) { return nil, errors.New("no such field: 10.1.2.3") },
	}))(t)
	e := check.ErrorAs[*alerting.DeliveryError](t, "Notify", n.Notify(t.Context(), notifytest.Notification()))
	if !e.Permanent || e.Error() != "refused permanently: webhook: the body cannot be written" || e.Detail != "no such field: 10.1.2.3" {
		t.Errorf("Notify = %v (%s)", e, e.Detail)
	}
}

func TestBadHeaders(t *testing.T) {
	t.Parallel()
	secret := notify.NewSecret("s3cret")
	headers := func(name string, value notify.Secret) webhook.Options {
		return webhook.Options{Headers: map[string]notify.Secret{name: value}}
	}
	for want, o := range map[string]webhook.Options{
		`"a b" is not the name of a header`:    headers("a b", secret),
		`"" is not the name of a header`:       headers("", secret),
		`"host" cannot be set`:                 headers("host", secret),
		`"webhook-id" cannot be set`:           headers("webhook-id", secret),
		`the value of "X" has a character`:     headers("X", notify.NewSecret("s3cret\r\nY: z")),
		"is there twice":                       {Headers: map[string]notify.Secret{"x-a": secret, "X-A": secret}},
		"one is missing":                       {Username: "ann"},
		"options Username and Password":        {Password: secret},
		"has a colon":                          {Username: "a:b", Password: secret},
		"Password: has a control character":    {Username: "a", Password: notify.NewSecret("s3cret\n")},
		"the option Headers has Authorization": {Headers: map[string]notify.Secret{"authorization": secret}, Username: "a", Password: secret},
	} {
		_, err := webhook.New("https://example.com", secrets(newSecret), &o)
		check.ErrorText(t, want, err, "webhook: make notifier: option", want)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	o := headers("X-Api-Key", secret)
	_, err := webhook.New("http://example.com", secrets(newSecret), &o)
	check.ErrorText(t, "plain http", err, "a secret may not be sent over plain http")
}
