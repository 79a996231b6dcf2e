//go:build !race

package monitor_test

import (
	"context"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// TestProcessDoesNotAllocate pins what the benchmarks report. The race detector
// makes pools forget, so that it is left out there.
func TestProcessDoesNotAllocate(t *testing.T) {
	check := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations an event", name, n)
		}
	}
	quiet := newBench(t, 100, 1300*time.Millisecond, nil)
	quiet.warm(t, 20_000)
	check("unverified", func() { quiet.process(t, quiet.next()) })

	verified := newBench(t, 100, 1300*time.Millisecond, func(c *monitor.Config, _ *detect.Options) {
		c.AllowUnverified, c.Verifier = false, checker(t)
	})
	signer, err := crypto.NewSigner(hmacKey(t))
	if err != nil {
		t.Fatal(err)
	}
	events := make([]monitor.Event, 22_000)
	for i := range events {
		events[i] = *verified.next()
		if err := signer.Sign(t.Context(), &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	next := func() {
		verified.process(t, &events[i])
		i++
	}
	for range 20_000 {
		next()
	}
	check("hmac", next)

	night := newBench(t, 1, 2*time.Second, nil)
	night.event.Action = "data.read"
	night.event.Timestamp = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	night.warm(t, 5000)
	check("repeat", func() {
		r, err := night.m.Process(context.Background(), night.next())
		if err != nil || len(r.Findings) != 1 {
			t.Fatal(r.Findings, err)
		}
	})
}
