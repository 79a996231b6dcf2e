// Package webhook delivers notifications as signed JSON to your own server,
// according to Standard Webhooks 1.0 (https://www.standardwebhooks.com). The body
// is a [Payload]. The headers are webhook-id, webhook-timestamp and
// webhook-signature; webhook-id is the notification's idempotency key, or a hash
// of it. The server checks the signature with [Verify] or a library for the
// standard.
package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options are the settings of a [Notifier]. Zero fields have defaults.
type Options struct {
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
	client *notify.Client
	keys   *[][]byte // behind a pointer, package fmt does not print them
}

// New returns a notifier that posts to url and signs each request with each of the
// secrets. Usually there is one secret; use two while the receiver changes from
// one to the other. A secret is 24 to 64 random bytes in base64, with or without
// the prefix whsec_. If o is nil, the defaults apply.
func New(url string, secrets []notify.Secret, o *Options) (*Notifier, error) {
	o = cmp.Or(o, &Options{})
	client, clientErr := notify.NewClient(url, o.Transport)
	keys, keysErr := parseSecrets(secrets)
	if err := errors.Join(clientErr, keysErr); err != nil {
		return nil, fmt.Errorf("webhook: make notifier: %w", err)
	}
	return &Notifier{client, &keys}, nil
}

// Notify posts the notification.
func (w *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	r, err := notify.JSON(Payload{n.Key, n.Reason, n.CreatedAt.UTC(), n.Alert})
	if err != nil {
		return err
	}
	id, timestamp := messageID(n.Key), strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, timestamp)
	r.Header.Set(headerSignature, sign(*w.keys, id, timestamp, r.Body))
	return w.client.Post(ctx, r)
}
