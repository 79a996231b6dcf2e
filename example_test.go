package auditwarden_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// The wiring of a service that keeps everything in memory. The file
// examples/service/shared.go has the same for many instances.
func Example() {
	ctx := context.Background()
	secret := []byte("a secret of at least 32 bytes, from a vault")
	tell := func(_ context.Context, n *alerting.Notification) error {
		fmt.Println(n.Alert.Severity, n.Alert.Title)
		return nil
	}

	// Verify events with the keys that may sign them.
	key, err := crypto.NewHMACKey("2026-11", secret, nil)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := crypto.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}
	// Detect five patterns; nil means their default thresholds.
	rules, err := detect.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	// Store alerts, and notify somebody of the severe ones.
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
		Routes: []alerting.Route{{
			Name:        "on-call",
			MinSeverity: monitor.SeverityHigh,
			Notifier:    alerting.NotifierFunc(tell),
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{
		Verifier:  crypto.NewChecker(keys, nil),
		Detectors: []monitor.Detector{rules},
		Alerts:    alerts,
		Metrics:   memmetrics.New(),
	})
	if err != nil {
		log.Fatal(err)
	}

	// On the request path: sign the event, and process it.
	signer, err := crypto.NewSigner(key)
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		event := &monitor.Event{
			Timestamp:      time.Now(),
			Action:         "auth.login.failure",
			Status:         monitor.StatusFailure,
			PrincipalID:    "ann",
			OrganizationID: "clinic",
		}
		if err := signer.Sign(ctx, event); err != nil {
			log.Fatal(err)
		}
		if _, err := m.Process(ctx, event); err != nil {
			log.Fatal(err)
		}
	}
	if err := m.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: HIGH Suspicious Pattern Detected: FAILED_AUTH
}
