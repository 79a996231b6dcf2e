package driver_test

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
)

// A store opens an alert for the first occurrence of a fingerprint, adds the others
// to it, and asks the organization's policy which of them are due for notification.
func Example() {
	policy, err := driver.NewPolicy(alerting.Settings{Cooldown: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	began := time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)
	first := alertingtest.Occurrence("acme", "mallory", "event-1", began)
	a, opening := driver.Open(first, began)
	timer := policy.StartTimer(a, driver.Timer{}, began)
	notify, timer := policy.Notify(a, timer, first.LastSeen, began)
	fmt.Println(opening.To, notify)
	for i := range 3 {
		next := alertingtest.Occurrence("acme", "mallory", fmt.Sprint("event-", i+2), began.Add(time.Duration(i)*40*time.Second))
		driver.Join(a, next, began)
		notify, timer = policy.Notify(a, timer, next.LastSeen, next.LastSeen)
		fmt.Println(a.Occurrences, notify)
	}
	// Output:
	// active due
	// 2 none
	// 3 none
	// 4 due
}
