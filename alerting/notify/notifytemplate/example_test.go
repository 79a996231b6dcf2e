package notifytemplate_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytemplate"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/slack"
)

func Example() {
	text, err := notifytemplate.Templates{
		Title: "{{.Alert.Severity}} for {{.Alert.OrganizationID}}: {{.Alert.Finding.Rule}}",
		Body:  "{{.Alert.Occurrences}} times since {{time .Alert.FirstSeen}}",
	}.Parse()
	if err != nil {
		fmt.Println(err)
		return
	}
	webhook := notify.NewSecret("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX")
	if _, err := slack.New(webhook, &slack.Options{Text: text}); err != nil {
		fmt.Println(err)
		return
	}
	title, body, err := text(notifytest.Notification())
	fmt.Println(title)
	fmt.Println(body, err)
	// Output:
	// HIGH for acme: failed_auth
	// 3 times since 2026-03-01 02:29:00 UTC <nil>
}
