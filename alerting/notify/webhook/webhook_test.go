package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/internal/check"
)

const (
	oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	path      = "/hooks/T0KEN"
)

func secrets(texts ...string) []notify.Secret {
	var all []notify.Secret
	for _, text := range texts {
		all = append(all, notify.NewSecret(text))
	}
	return all
}

var destination = notifytest.HTTP{
	New: func(url string, t notify.Transport) (alerting.Notifier, error) {
		return webhook.New(url+path, secrets(oldSecret, newSecret), &webhook.Options{Transport: t})
	},
	Status:  http.StatusNoContent,
	Secrets: []string{oldSecret[6:], newSecret[6:], "T0KEN"},
}

func TestDestination(t *testing.T) {
	t.Parallel()
	notifytest.RunHTTP(t, destination)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	n := notifytest.InStatus("acknowledged")
	n.Alert.Title = notifytest.Hostile
	r := destination.Receive(t, n)
	if r.Path != path || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("path %q, header %v", r.Path, r.Header)
	}
	if id := r.Header.Get("Webhook-Id"); id != n.Key {
		t.Errorf("webhook-id = %q, want %q", id, n.Key)
	}
	for _, secret := range []string{oldSecret, newSecret} {
		if err := webhook.Verify(r.Header, []byte(r.Body), secrets(secret), nil); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
	var got webhook.Payload
	check.NoError(t, "decode", json.Unmarshal([]byte(r.Body), &got))
	if got.Key != n.Key || got.Reason != n.Reason || !got.CreatedAt.Equal(n.CreatedAt) {
		t.Errorf("payload %+v", got)
	}
	want := check.Must(json.Marshal(n.Alert))(t)
	if text, err := json.Marshal(got.Alert); err != nil || !bytes.Equal(text, want) {
		t.Errorf("alert %s, %v, want %s", text, err, want)
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.Body), &names); err != nil || len(names) != 4 || string(names["alert"]) != string(want) {
		t.Errorf("the body has %d names: %s", len(names), r.Body)
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, key := range []string{"a.b", "a b", "a\r\nX-Injected: yes", "schlüssel", "", strings.Repeat("k", 256)} {
		n := notifytest.Notification()
		n.Key = key
		r := destination.Receive(t, n)
		id := r.Header.Get("Webhook-Id")
		if !strings.HasPrefix(id, "msg_") || len(id) != 68 || r.Header.Get("X-Injected") != "" {
			t.Errorf("webhook-id of %q = %q", key, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %q have the same id", key, other)
		}
		seen[id] = key
		if err := webhook.Verify(r.Header, []byte(r.Body), secrets(newSecret), nil); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
	for _, key := range []string{"a", "!~", strings.Repeat("k", 255)} {
		n := notifytest.Notification()
		n.Key = key
		check.Equal(t, "webhook-id", destination.Receive(t, n).Header.Get("Webhook-Id"), key)
	}
}

// TestVerify has the example of the specification's libraries, besides what
// changes in it.
func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		body      = `{"test": 2432232314}`
		signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	at := time.Unix(1614265330, 0)
	other := "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	header := func(id, timestamp, signature string) http.Header {
		h := http.Header{}
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", timestamp)
		h.Set("Webhook-Signature", signature)
		return h
	}
	const id, stamp = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
	good := header(id, stamp, signature)
	for name, tt := range map[string]struct {
		header  http.Header
		body    string
		secrets []string
		options webhook.VerifyOptions
		want    error
		text    string // of an error that is none of those
	}{
		"good":                    {header: good},
		"without prefix":          {header: good, secrets: []string{oldSecret[6:]}},
		"several secrets":         {header: good, secrets: []string{newSecret, oldSecret}},
		"several signatures":      {header: header(id, stamp, other+" v1a,xyz v1,### "+signature)},
		"late, tolerated":         {header: good, options: webhook.VerifyOptions{Now: at.Add(5 * time.Minute)}},
		"early, tolerated":        {header: good, options: webhook.VerifyOptions{Now: at.Add(-5 * time.Minute)}},
		"too late":                {header: good, options: webhook.VerifyOptions{Now: at.Add(301 * time.Second)}, want: webhook.ErrExpired},
		"too early":               {header: good, options: webhook.VerifyOptions{Now: at.Add(-301 * time.Second)}, want: webhook.ErrExpired},
		"too late for this":       {header: good, options: webhook.VerifyOptions{Now: at.Add(2 * time.Second), Tolerance: time.Second}, want: webhook.ErrExpired},
		"other secret":            {header: good, secrets: []string{newSecret}, want: webhook.ErrSignature},
		"other body":              {header: good, body: body + " ", want: webhook.ErrSignature},
		"other id":                {header: header("msg_x", stamp, signature), want: webhook.ErrSignature},
		"other time":              {header: header(id, "1614265331", signature), want: webhook.ErrSignature},
		"no version":              {header: header(id, stamp, signature[3:]), want: webhook.ErrSignature},
		"other version":           {header: header(id, stamp, "v2"+signature[2:]), want: webhook.ErrSignature},
		"no signature":            {header: header(id, stamp, ""), want: webhook.ErrSignature},
		"empty signature":         {header: header(id, stamp, "v1,"), want: webhook.ErrSignature},
		"cut signature":           {header: header(id, stamp, "v1,g0hM9SsE"), want: webhook.ErrSignature},
		"behind many signatures":  {header: header(id, stamp, strings.Repeat(other+" ", 16)+signature), want: webhook.ErrSignature},
		"no id":                   {header: header("", stamp, signature), text: "header webhook-id: missing"},
		"no time":                 {header: header(id, "", signature), text: "header webhook-timestamp: is not"},
		"time that is not one":    {header: header(id, "1614265330.5", signature), text: "header webhook-timestamp: is not"},
		"time out of range":       {header: header(id, "99999999999999999999", signature), text: "header webhook-timestamp: is not"},
		"no header":               {header: http.Header{}, text: "header webhook-id: missing"},
		"no secrets":              {header: good, secrets: []string{}, text: "secrets: missing"},
		"empty secret":            {header: good, secrets: []string{""}, text: "secrets[0]: is not"},
		"longest secret":          {header: good, secrets: []string{oldSecret, strings.Repeat("QUFB", 21) + "QQ=="}},
		"secret that is too long": {header: good, secrets: []string{strings.Repeat("QUFB", 21) + "QUE="}, text: "secrets[0]: is not"},
		"secret that is short":    {header: good, secrets: []string{"whsec_QUFB"}, text: "secrets[0]: is not"},
		"secret that is no code":  {header: good, secrets: []string{"whsec_s3cret!"}, text: "secrets[0]: is not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.body == "" {
				tt.body = body
			}
			if tt.secrets == nil {
				tt.secrets = []string{oldSecret}
			}
			if tt.options.Now.IsZero() {
				tt.options.Now = at
			}
			err := webhook.Verify(tt.header, []byte(tt.body), secrets(tt.secrets...), &tt.options)
			if tt.text != "" {
				check.ErrorText(t, "verify", err, "webhook: verify request: "+tt.text)
			} else {
				check.ErrorIs(t, "verify", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	good := secrets(newSecret)
	for name, tt := range map[string]struct {
		url     string
		secrets []notify.Secret
		options *webhook.Options
		want    string
	}{
		"no URL":       {"", good, nil, "URL"},
		"bad URL":      {"https://exa mple/T0KEN", good, nil, "URL"},
		"no secrets":   {"https://example.com", nil, nil, "secrets"},
		"bad secret":   {"https://example.com", secrets(newSecret, "T0KEN"), nil, "secrets[1]"},
		"bad timeout":  {"https://example.com", good, &webhook.Options{Transport: notify.Transport{Timeout: -1}}, "transport: option Timeout"},
		"user on http": {"http://ann:T0KEN@example.com", good, nil, "URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook.New(tt.url, tt.secrets, tt.options)
			check.ErrorText(t, "new", err, "webhook: make notifier: ", tt.want)
			if err != nil && strings.Contains(err.Error(), "T0KEN") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	notifytest.FuzzText(f, destination, func(t *testing.T, n *alerting.Notification, harmless, got notifytest.Received) {
		check.NoError(t, "verify", webhook.Verify(got.Header, []byte(got.Body), secrets(newSecret), nil))
		check.Equal(t, "path", got.Path, harmless.Path)
		var names, want map[string]json.RawMessage
		check.NoError(t, "decode", json.Unmarshal([]byte(harmless.Body), &want))
		check.NoError(t, "decode", json.Unmarshal([]byte(got.Body), &names))
		if len(names) != len(want) {
			t.Errorf("the body has other names: %s", got.Body)
		}
		alert := check.Must(json.Marshal(n.Alert))(t)
		check.Equal(t, "alert", string(names["alert"]), string(alert))
	})
}

func FuzzResponse(f *testing.F) { notifytest.FuzzResponse(f, destination) }

func FuzzVerify(f *testing.F) {
	f.Add("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", `{"test": 2432232314}`)
	f.Add("", "-1", "v1, v1,= ,", "")
	f.Fuzz(func(t *testing.T, id, timestamp, signature, body string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		err := webhook.Verify(h, []byte(body), secrets(oldSecret), &webhook.VerifyOptions{Now: time.Unix(1614265330, 0)})
		want := []string{"msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`}
		if err == nil && !reflect.DeepEqual([]string{id, body}, want) {
			t.Errorf("%s was accepted", fmt.Sprintf("%q", []string{id, timestamp, signature, body}))
		}
	})
}
