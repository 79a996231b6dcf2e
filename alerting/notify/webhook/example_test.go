package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
)

func Example() {
	secrets := []notify.Secret{notify.NewSecret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")}

	// The receiver.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		err = webhook.Verify(r.Header, body, secrets, &webhook.VerifyOptions{Tolerance: time.Minute})
		switch {
		case errors.Is(err, webhook.ErrSignature), errors.Is(err, webhook.ErrExpired):
			w.WriteHeader(http.StatusUnauthorized)
			return
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var p webhook.Payload
		if err := json.Unmarshal(body, &p); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Println(p.Key, p.Reason, p.Alert.Title)
	}))
	defer server.Close()

	// The sender. It is on the same machine, which has to be allowed.
	notifier, err := webhook.New(server.URL, secrets, &webhook.Options{
		Transport: notify.Transport{AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(notifier.Notify(context.Background(), notifytest.Notification()))
	// Output:
	// notification-1 opened Suspicious Pattern Detected: FAILED_AUTH
	// <nil>
}
