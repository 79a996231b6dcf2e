package auditwarden_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/metrics/redismetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// The wiring of the README.
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

// Example_instances wires a service that runs as any number of instances.
func Example_instances() {
	ctx := context.Background()
	verifier, secret := configured()

	// The application's own connections, with the limits that it sets.
	db := must(pgxpool.New(ctx, os.Getenv("DATABASE_URL")))
	cache := redis.NewClient(must(redis.ParseURL(os.Getenv("REDIS_URL"))))
	if err := pgalerts.Migrate(ctx, db); err != nil {
		log.Fatal(err)
	}

	// One set of windows, alerts and totals for all instances.
	rules := must(detect.New(&detect.Options{Windows: must(rediswindow.New(cache, nil))}))
	totals := must(redismetrics.New(cache, nil))
	alerts := must(alerting.NewManager(must(pgalerts.New(db, nil)), &alerting.ManagerOptions{
		Claims:  must(redisclaim.New(cache, nil)),
		Metrics: totals,
		Routes: []alerting.Route{{
			Name:     "siem",
			Notifier: must(webhook.New("https://siem.example.com/alerts", []notify.Secret{secret}, nil)),
			Reasons:  alerting.Reasons(), // the whole lifecycle
		}},
	}))
	m := must(monitor.New(monitor.Config{
		Verifier:  verifier,
		Detectors: []monitor.Detector{rules},
		Alerts:    alerts,
		Metrics:   totals,
	}))

	if err := m.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// configured stands for what the application has from its vault.
func configured() (monitor.Verifier, notify.Secret) {
	keys := must(crypto.NewKeyring(must(crypto.NewHMACKey("2026-11", []byte(os.Getenv("AUDIT_CRYPTO_SECRET")), nil))))
	return crypto.NewChecker(keys, nil), notify.NewSecret(os.Getenv("SIEM_SECRET"))
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
