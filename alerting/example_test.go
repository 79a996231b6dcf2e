package alerting_test

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

func Example() {
	ctx := context.Background()
	pager := alerting.NotifierFunc(func(_ context.Context, n *alerting.Notification) error {
		fmt.Printf("pager: %s: %v %s\n", n.Reason, n.Alert.Severity, n.Alert.Title)
		return nil
	})
	alerts, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
		Routes: []alerting.Route{{Name: "pager", MinSeverity: monitor.SeverityMedium, Notifier: pager}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The monitor does this: monitor.Config{Alerts: alerts}.
	began := time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range 3 {
		event := fmt.Sprint("event-", i)
		o := alertingtest.Occurrence("acme", "mallory", event, began.Add(time.Duration(i)*time.Second))
		if _, err := alerts.StoreOccurrences(ctx, []*monitor.Occurrence{o}); err != nil {
			fmt.Println(err)
		}
	}
	// Somebody looks at what is open.
	for a, err := range alerts.List(ctx, alerting.Query{
		Organization: "acme",
		Statuses:     []monitor.AlertStatus{monitor.AlertActive, monitor.AlertAcknowledged},
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d occurrences\n", a.Status, a.Occurrences)
		a, err = alerts.Resolve(ctx, a.Ref(), "ann", "a forgotten password")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s by %s\n", a.Status, a.ResolvedBy)
		if _, err := alerts.Acknowledge(ctx, a.Ref(), "bob", ""); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// pager: opened: MEDIUM Suspicious Pattern Detected: FAILED_AUTH
	// active: 3 occurrences
	// resolved by ann
	// alerting: acknowledge alert: an alert that is resolved cannot become acknowledged
}

func ExampleManager_List() {
	ctx := context.Background()
	alerts, err := alerting.NewManager(memalerts.New(nil), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 5 {
		o := alertingtest.Occurrence("acme", fmt.Sprint("user-", i), fmt.Sprint("event-", i), time.Unix(int64(i), 0))
		if _, err := alerts.StoreOccurrences(ctx, []*monitor.Occurrence{o}); err != nil {
			fmt.Println(err)
		}
	}
	q := alerting.Query{Organization: "acme", Limit: 2}
	for {
		var page []string
		for a, err := range alerts.List(ctx, q) {
			if err != nil {
				fmt.Println(err)
				return
			}
			page = append(page, a.Finding.Key)
			q.After = alerting.Cursor(a)
		}
		fmt.Println(page)
		if len(page) < q.Limit {
			return
		}
	}
	// Output:
	// [user-4 user-3]
	// [user-2 user-1]
	// [user-0]
}

func ExampleSettings() {
	ctx := context.Background()
	alerts, err := alerting.NewManager(memalerts.New(nil), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	settings, err := alerts.Settings(ctx, "acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	settings.Cooldown = 15 * time.Minute
	settings.Suppressions = append(settings.Suppressions, alerting.Suppression{
		Start: "22:00", End: "02:00", TimeZone: "Europe/Berlin", Reason: "backups",
	})
	settings, err = alerts.SaveSettings(ctx, "acme", settings, "ann")
	fmt.Println(settings.Version, settings.UpdatedBy, err)
	// Output: 1 ann <nil>
}
