// Command quickstart is a small HTTP service that embeds a monitor. It watches its
// own audit trail during a day of traffic that contains attacks.
//
// Run it with
//
//	go run ./examples/quickstart
//
// The wiring of the monitor is in this file, the service in service.go and the
// traffic in traffic.go.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	// The key with which events are signed.
	key, err := crypto.NewHMACKey("2026-11", []byte("a secret of at least 32 bytes, from a vault"), nil)
	if err != nil {
		return err
	}
	keyring, err := crypto.NewKeyring(key)
	if err != nil {
		return err
	}
	rules, err := detect.New(&detect.Options{Rules: detect.Modern()}) // six patterns
	if err != nil {
		return err
	}
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
		Routes: []alerting.Route{{Name: "terminal", Notifier: printTo(out)}},
	})
	if err != nil {
		return err
	}
	counted := memmetrics.New()
	m, err := monitor.New(monitor.Config{
		Verifier:          crypto.NewChecker(keyring, nil),
		Detectors:         []monitor.Detector{rules},
		Alerts:            alerts,
		Metrics:           counted,
		RedeliveryHorizon: redeliveryHorizon, // short, so that the demonstration need not wait long
	})
	if err != nil {
		return err
	}

	background := make(chan error, 1)
	go func() { background <- m.Run(ctx) }()

	if err := serveTraffic(ctx, m, key); err != nil {
		return err
	}
	if err := m.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-background; err != nil {
		return err
	}
	return summarize(ctx, out, alerts, counted)
}
