package alertingtest_test

import (
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
)

func ExampleOccurrence() {
	first := alertingtest.Occurrence("acme", "mallory", "event-1", time.Unix(0, 0))
	second := alertingtest.Occurrence("acme", "mallory", "event-2", time.Unix(60, 0))
	fmt.Println(first.Fingerprint == second.Fingerprint, first.EventKey == second.EventKey)
	// Output: true false
}
