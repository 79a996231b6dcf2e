package pagerduty_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/pagerduty"
)

func Example() {
	notifier, err := pagerduty.New(notify.NewSecret("e93facc04764012d7bfb002500d5d1a6"), &pagerduty.Options{
		URL: "https://events.eu.pagerduty.com/v2/enqueue",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *pagerduty.Notifier
}
