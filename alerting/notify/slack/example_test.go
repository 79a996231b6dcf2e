package slack_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/slack"
)

func Example() {
	webhook := notify.NewSecret("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX")
	notifier, err := slack.New(webhook, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *slack.Notifier
}
