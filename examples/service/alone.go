package main

import (
	"context"
	"log"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// alone returns the service as one instance that keeps everything in memory.
func alone() (*service, error) {
	signer, verifier, err := keys()
	if err != nil {
		return nil, err
	}
	rules, err := detect.New(&detect.Options{Rules: detect.Modern()})
	if err != nil {
		return nil, err
	}
	counts := memmetrics.New()
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
		Metrics: counts,
		Routes: []alerting.Route{{
			Name:        "on-call",
			MinSeverity: monitor.SeverityHigh,
			Notifier:    alerting.NotifierFunc(tell),
		}},
	})
	if err != nil {
		return nil, err
	}
	m, err := monitor.New(monitor.Config{
		Verifier:  verifier,
		Detectors: []monitor.Detector{rules},
		Alerts:    alerts,
		Metrics:   counts,
	})
	if err != nil {
		return nil, err
	}
	return &service{m, signer, counts}, nil
}

// keys returns who signs events and who verifies them. Where events are made elsewhere,
// only their makers have a signer.
func keys() (*crypto.Signer, monitor.Verifier, error) {
	key, err := crypto.NewHMACKey("2026-11", []byte("a secret of at least 32 bytes, from a vault"), nil)
	if err != nil {
		return nil, nil, err
	}
	signer, err := crypto.NewSigner(key)
	if err != nil {
		return nil, nil, err
	}
	ring, err := crypto.NewKeyring(key)
	if err != nil {
		return nil, nil, err
	}
	return signer, crypto.NewChecker(ring, nil), nil
}

// tell stands for a destination of alerting/notify.
func tell(_ context.Context, n *alerting.Notification) error {
	log.Print(n.Reason, ": ", n.Alert.Severity, " ", n.Alert.Title, ", ", n.Alert.Description)
	return nil
}
