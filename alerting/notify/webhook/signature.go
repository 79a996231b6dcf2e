package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting/notify"
)

const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	secretPrefix     = "whsec_"
	signaturePrefix  = "v1,"
	defaultTolerance = 5 * time.Minute
	maxSignatures    = 16 // more are ignored
)

// The errors of [Verify]. Test for them with [errors.Is].
var (
	// ErrSignature means that no signature was made with one of the secrets.
	ErrSignature = errors.New("signature does not verify")
	// ErrExpired means that the timestamp is too far in the past or the future.
	ErrExpired = errors.New("timestamp is outside the tolerance")
)

// VerifyOptions are the options of [Verify]. Zero fields have defaults.
type VerifyOptions struct {
	// Tolerance is how far the timestamp may be from Now. Defaults to 5 minutes.
	Tolerance time.Duration
	// Now is the time to compare the timestamp with. Defaults to the current time.
	Now time.Time
}

// Verify returns nil if a request with this header and body was recently signed
// with one of the secrets. A receiver should call it before it decodes the body.
// To recognize repeated requests, it should remember each webhook-id for longer
// than the tolerance. The error wraps [ErrSignature] or [ErrExpired], or names the
// invalid header or secret. If o is nil, the defaults apply.
func Verify(h http.Header, body []byte, secrets []notify.Secret, o *VerifyOptions) error {
	if err := verify(h, body, secrets, o); err != nil {
		return fmt.Errorf("webhook: verify request: %w", err)
	}
	return nil
}

func verify(h http.Header, body []byte, secrets []notify.Secret, o *VerifyOptions) error {
	o = cmp.Or(o, &VerifyOptions{})
	keys, err := parseSecrets(secrets)
	if err != nil {
		return err
	}
	id, timestamp := h.Get(headerID), h.Get(headerTimestamp)
	if id == "" {
		return errors.New("header webhook-id: missing")
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("header webhook-timestamp: is not a number of seconds")
	}
	if !signedBy(keys, h.Get(headerSignature), id, timestamp, body) {
		return ErrSignature
	}
	now := o.Now
	if now.IsZero() {
		now = time.Now()
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > cmp.Or(o.Tolerance, defaultTolerance) {
		return ErrExpired
	}
	return nil
}

// signedBy reports whether one of the signatures was made with one of the keys.
func signedBy(keys [][]byte, signatures, id, timestamp string, body []byte) bool {
	macs := make([][]byte, len(keys))
	for i, key := range keys {
		macs[i] = mac(key, id, timestamp, body)
	}
	valid := false
	for i, text := range strings.Fields(signatures) {
		text, ok := strings.CutPrefix(text, signaturePrefix)
		signature, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || i >= maxSignatures {
			continue
		}
		for _, mac := range macs {
			valid = hmac.Equal(signature, mac) || valid
		}
	}
	return valid
}

// sign returns the signatures with all keys, separated by spaces.
func sign(keys [][]byte, id, timestamp string, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		signatures[i] = signaturePrefix + base64.StdEncoding.EncodeToString(mac(key, id, timestamp, body))
	}
	return strings.Join(signatures, " ")
}

// mac is HMAC-SHA256 over id, timestamp and body, with periods between them.
func mac(key []byte, id, timestamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + timestamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// messageID returns an idempotency key as a message ID: the key itself, or its hash
// if it has characters that an ID must not have, such as a period.
func messageID(key string) string {
	ok := key != "" && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '.'
	})
	if ok {
		return key
	}
	hash := sha256.Sum256([]byte(key))
	return "msg_" + hex.EncodeToString(hash[:])
}

// parseSecrets returns the keys. The error does not quote them.
func parseSecrets(secrets []notify.Secret) ([][]byte, error) {
	if len(secrets) == 0 {
		return nil, errors.New("secrets: missing")
	}
	keys := make([][]byte, len(secrets))
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
		if err != nil || len(key) < 24 || len(key) > 64 {
			return nil, fmt.Errorf("secrets[%d]: is not 24 to 64 bytes in base64", i)
		}
		keys[i] = key
	}
	return keys, nil
}
