// Command first finds five failed logins in a row.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func main() {
	ctx := context.Background()
	rules, err := detect.New(&detect.Options{Rules: detect.Modern()})
	if err != nil {
		log.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{
		AllowUnverified: true, // nobody signs these events
		Detectors:       []monitor.Detector{rules},
		Alerts:          monitor.AlertHandlerFunc(tell),
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		if _, err := m.Process(ctx, &monitor.Event{
			Timestamp:      time.Now(),
			OrganizationID: "clinic",
			PrincipalID:    "mallory",
			Action:         monitor.ActionLoginFailure,
			Status:         monitor.StatusFailure,
		}); err != nil {
			log.Fatal(err)
		}
	}
	if err := m.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func tell(_ context.Context, a *monitor.Alert) error {
	fmt.Println(a.Severity, a.Title)
	fmt.Println(a.Description)
	return nil
}
