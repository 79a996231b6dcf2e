package monitor_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/metrics/memmetrics"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// conflicting is the action, the organization and the ID of events that differ.
const conflicting = "conflicting"

// A keeper is a monitor and what its events are like.
type keeper struct {
	action    string                                         // of the events
	same      bool                                           // they are all about the same
	configure func(c *monitor.Config, s monitor.AlertStorer) // without it the alerts are those of a manager
	refused   bool                                           // processing them fails
}

// TestLargeEventsAreNotKept has the largest legal events go through everything that
// keeps something of an event: the dedup cache, watermarks, windows of every kind,
// the rate limit, the repeats that a manager holds, the store of alerts and the
// metrics. Their strings share the memory of a line of 1 MiB.
func TestLargeEventsAreNotKept(t *testing.T) { //nolint:paralleltest // it measures the heap
	keepers := map[string]keeper{
		"accepted":           {action: "data.read"},
		"accepted, repeats":  {action: "data.read", same: true},
		"forged":             {action: "forged"},
		"forged, one a time": {action: "forged", configure: func(c *monitor.Config, s monitor.AlertStorer) { c.Alerts, c.IntegrityAlertRate = s, 1 }},
		"unfinished":         {action: "data.read", refused: true, configure: func(c *monitor.Config, _ monitor.AlertStorer) { c.Alerts = &store{fail: errDown} }},
		"undecided":          {action: "undecided", refused: true},
		"conflicting":        {action: conflicting},
	}
	const events = 40
	for _, size := range []int{16, monitor.MaxFieldSize} {
		for name, k := range keepers {
			synctest.Test(t, func(t *testing.T) {
				m := k.start(t)
				before := heap()
				for i := range events {
					k.send(t, m, i, size)
				}
				synctest.Wait()
				kept := int(heap()-before) / events
				// There are five alerts for an accepted event, with its key in their
				// texts.
				most := 32<<10 + 25*size
				if kept > most {
					t.Errorf("%s with fields of %d bytes: %d bytes are kept of an event of 1 MiB, want up to %d", name, size, kept, most)
				}
				runtime.KeepAlive(m)
			})
		}
	}
}

func (k *keeper) start(t *testing.T) *monitor.Monitor {
	t.Helper()
	target := func(e *monitor.Event) string { return e.TargetResourceID }
	engine, err := detect.New(&detect.Options{Rules: []detect.Rule{
		{Name: "stateless", Match: anything},
		{Name: "principal", Match: anything, Threshold: 1, Window: time.Hour},
		{Name: "resource", Match: anything, Threshold: 1, Window: time.Hour, GroupBy: detect.ByResource},
		{Name: "distinct", Match: anything, Threshold: 1, Window: time.Hour, Distinct: target},
		{Name: "sequence", Window: time.Hour, Sequence: []detect.Step{{Match: anything}, {Match: anything}}},
	}})
	check.NoError(t, "engine", err)
	metrics := memmetrics.New()
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{CoalesceInterval: time.Hour, Metrics: metrics})
	check.NoError(t, "manager", err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- alerts.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		check.NoError(t, "Run", <-ended)
	})
	return newMonitor(t, func(c *monitor.Config) {
		c.AllowUnverified, c.Detectors, c.Alerts, c.Metrics = false, []monitor.Detector{engine}, alerts, metrics
		c.Verifier = verdicts(map[string]monitor.Verification{
			"forged":    {Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged},
			"undecided": {Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errDown},
		})
		if k.configure != nil {
			k.configure(c, alerts)
		}
	})
}

// send has the event with that number processed: a line of 1 MiB whose fields have
// that size.
func (k *keeper) send(t *testing.T, m *monitor.Monitor, number, size int) {
	t.Helper()
	text := func(name string) string {
		if !k.same || name == "id" {
			name += list("-", number)
		}
		return name + strings.Repeat("x", size-len(name))
	}
	organization := text("organization")[:min(size, monitor.MaxOrganizationSize)]
	if k.action == conflicting {
		organization = conflicting
	}
	var b strings.Builder
	fmt.Fprintf(&b, `{"action":%q,"status":"success","timestamp":"2026-05-04T12:00:%02dZ","organizationId":%q`,
		k.action, number%60, organization)
	for _, name := range []string{
		"principalId", "targetResourceType", "targetResourceId", "outcomeDescription", "correlationId",
		"eventVersion", "retentionPolicy", "dataClassification", "hash", "hashAlgorithm", "signature", "algorithm", "keyId",
	} {
		fmt.Fprintf(&b, `,%q:%q`, name, text("f"))
	}
	id := text("id")
	if k.action == conflicting {
		id = conflicting
	}
	fmt.Fprintf(&b, `,"id":%q,"sessionContext":{"sessionId":%q,"ipAddress":%q,"userAgent":%q,"geolocation":%q},"padding":"`,
		id, text("s"), text("s"), text("s"), text("s"))
	b.WriteString(strings.Repeat("p", monitor.MaxEventSize-b.Len()-2))
	b.WriteString(`"}`)
	var e monitor.Event
	check.NoError(t, "decode", monitor.DecodeEvent([]byte(b.String()), &e))
	if _, err := m.Process(t.Context(), &e); (err != nil) != k.refused {
		t.Fatal(err)
	}
}
