// Package webhook delivers notifications as signed JSON to a server of your own,
// according to Standard Webhooks 1.0 (https://www.standardwebhooks.com). The body
// is a [Payload]. The headers are webhook-id, which is the notification's
// idempotency key, webhook-timestamp and webhook-signature. The server checks them
// with [Verify] or a library for that standard.
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

// Options are the settings of a [Notifier]. The zero value of a field is its
// default.
type Options struct {
	Transport notify.Transport
}

// A Payload is the body of a request, as JSON. Times are in RFC 3339 and UTC.
type Payload struct {
	// Key is the idempotency key. It is the same in every delivery of a
	// notification.
	Key       string          `json:"key"`
	Reason    alerting.Reason `json:"reason"`
	CreatedAt time.Time       `json:"createdAt"`
	// Alert is the alert as it was when the delivery began.
	Alert *monitor.Alert `json:"alert"`
}

// A Notifier delivers to one URL. It is safe for concurrent use.
type Notifier struct {
	client *notify.Client
	keys   *[][]byte // behind a pointer, package fmt does not print them
}

// New returns a notifier that posts to a URL and signs with each of the secrets.
// One secret is enough; with two of them the receiver can change from one to the
// other. A secret is 24 to 64 random bytes in base64, with or without the prefix
// whsec_. Options may be nil.
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
	_, err = w.client.Post(ctx, r)
	return err
}
