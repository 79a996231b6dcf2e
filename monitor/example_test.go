package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// printed prints alerts, where a service has an alerting.Manager.
var printed = monitor.AlertHandlerFunc(func(_ context.Context, a *monitor.Alert) error {
	fmt.Println(a.Severity, a.Finding.Rule, a.Finding.Key)
	return nil
})

// Process judges an event before it returns.
func ExampleMonitor_Process() {
	ctx := context.Background()
	rules, err := detect.New(&detect.Options{Rules: detect.Modern()})
	if err != nil {
		log.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{
		AllowUnverified: true, // the events are made here, and nobody signs them
		Detectors:       []monitor.Detector{rules},
		Alerts:          printed,
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		result, err := m.Process(ctx, &monitor.Event{
			Timestamp:      time.Now(),
			Action:         monitor.ActionLoginFailure,
			Status:         monitor.StatusFailure,
			PrincipalID:    "mallory",
			OrganizationID: "clinic",
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.State, len(result.Findings))
	}
	if err := m.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// done 0
	// done 0
	// done 0
	// done 0
	// HIGH failed_auth mallory
	// done 1
}

// Submit keeps a request path free: it never waits, and Run judges the events. Run
// begins before the server and ends after it, so that no event of a request is lost.
func ExampleMonitor_Submit() {
	ctx := context.Background() // of the process; in main, signal.NotifyContext
	m, err := monitor.New(monitor.Config{
		AllowUnverified:     true,
		DefaultOrganization: "clinic",
		Alerts:              printed,
		QueueCapacity:       10_000,
	})
	if err != nil {
		log.Fatal(err)
	}
	running := make(chan error, 1)
	go func() { running <- m.Run(context.WithoutCancel(ctx)) }()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := m.Submit(r.Context(), &monitor.Event{
			Timestamp:   time.Now(),
			Action:      "menu.open",
			Status:      monitor.StatusSuccess,
			PrincipalID: "ann",
			Session:     monitor.Session{IPAddress: r.RemoteAddr},
		})
		if errors.Is(err, monitor.ErrOverloaded) { // the event is still the caller's
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "welcome")
	}))
	response, err := http.Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode)
	_ = response.Body.Close()

	// When the process ends: first no more requests, then no more events.
	server.Close()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	fmt.Println(m.Shutdown(limited), <-running)
	// Output:
	// 200
	// <nil> <nil>
}

// ProcessBatch is for a consumer of a queue. The state of each result says what to do
// with its message, and Flush comes before the acknowledgment.
func ExampleMonitor_ProcessBatch() {
	ctx := context.Background()
	m, err := monitor.New(monitor.Config{AllowUnverified: true, Alerts: printed})
	if err != nil {
		log.Fatal(err)
	}
	received := []monitor.Delivery{
		{ID: "audit-1", Attempt: 1, Event: &monitor.Event{
			Timestamp: time.Now(), Action: monitor.ActionDataRead, Status: monitor.StatusSuccess, OrganizationID: "clinic",
		}},
		{ID: "audit-2", Attempt: 1, Event: &monitor.Event{
			Timestamp: time.Now(), Action: monitor.ActionDataRead, Status: "maybe", OrganizationID: "clinic",
		}},
	}
	results, _ := m.ProcessBatch(ctx, received) // the results have the errors
	flushed := m.Flush(ctx)
	for i, r := range results {
		switch {
		case r.State == monitor.StateRetry || flushed != nil:
			fmt.Println(received[i].ID, "deliver again")
		case r.State == monitor.StateRejected:
			fmt.Println(received[i].ID, "dead letter:", r.Err)
		default:
			fmt.Println(received[i].ID, "acknowledge")
		}
	}
	// Output:
	// audit-1 acknowledge
	// audit-2 dead letter: monitor: invalid event: field "status": "maybe" is not attempt, success or failure
}
