// Package webhook delivers notifications as signed JSON to your own server,
// according to Standard Webhooks 1.0 (https://www.standardwebhooks.com). The body
// is a [Payload], or what [Options.Body] returns. The headers are webhook-id, webhook-timestamp and
// webhook-signature; webhook-id is the notification's idempotency key, or a hash
// of it. The server checks the signature with [Verify] or a library for the
// standard.
package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
	// Headers are further headers of every request, such as X-Api-Key. Their values are
	// secret: unless they go to this machine, the URL must begin with https. The headers
	// of Standard Webhooks and those of the connection cannot be set.
	Headers map[string]notify.Secret
	// Username and Password are sent by HTTP's basic authentication, to https only.
	// Default to those in the URL, or to none.
	Username string
	Password notify.Secret
	// Body returns the body of a request, in place of that of a [Payload]; package
	// notifytemplate makes one of a template. It is signed like any other. Its type is
	// application/json, or the header Content-Type. After an error the notification
	// becomes a dead letter.
	Body      func(*alerting.Notification) ([]byte, error)
	Transport notify.Transport
}

// A Payload is the JSON body of a request. Times are in UTC (RFC 3339).
type Payload struct {
	// Key is the idempotency key. It is the same in every delivery of a
	// notification.
	Key       string          `json:"key"`
	Reason    alerting.Reason `json:"reason"`
	CreatedAt time.Time       `json:"createdAt"`
	// Alert is the state of the alert when the delivery began.
	Alert *monitor.Alert `json:"alert"`
}

// A Notifier posts notifications to one URL. It is safe for concurrent use.
type Notifier struct {
	client  *notify.Client
	keys    *[][]byte // behind a pointer, package fmt does not print them
	headers map[string]notify.Secret
	secrets []notify.Secret // in the headers
	body    func(*alerting.Notification) ([]byte, error)
}

// New returns a notifier that posts to url and signs each request with each of the
// secrets. Usually there is one secret; use two while the receiver changes from
// one to the other. A secret is 24 to 64 random bytes in base64, with or without
// the prefix whsec_. If o is nil, the defaults apply.
func New(url string, secrets []notify.Secret, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, clientErr := notify.NewClient(url, o.Transport)
	keys, keysErr := parseSecrets(secrets)
	headers, headersErr := allHeaders(o.Headers, o.Username, o.Password)
	err := errors.Join(clientErr, keysErr, headersErr)
	if err == nil && len(headers) > 0 {
		err = client.RequireTLS()
	}
	if err != nil {
		return nil, fmt.Errorf("webhook: make notifier: %w", err)
	}
	body := o.Body
	if body == nil {
		body = payload
	}
	known := slices.AppendSeq([]notify.Secret{o.Password}, maps.Values(headers))
	return &Notifier{client, &keys, headers, known, body}, nil
}

// Notify posts the notification.
func (w *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	body, err := w.body(n)
	if err != nil {
		return &alerting.DeliveryError{Permanent: true, Err: errBody, Detail: err.Error()}
	}
	r := notify.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Secrets: w.secrets}
	for name, value := range w.headers {
		r.Header.Set(name, value.Reveal())
	}
	id, timestamp := messageID(n.Key), strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, timestamp)
	r.Header.Set(headerSignature, sign(*w.keys, id, timestamp, body))
	return w.client.Post(ctx, r)
}

var errBody = errors.New("webhook: the body cannot be written")

// payload returns the JSON of a [Payload].
func payload(n *alerting.Notification) ([]byte, error) {
	return json.Marshal(Payload{n.Key, n.Reason, n.CreatedAt.UTC(), n.Alert})
}
