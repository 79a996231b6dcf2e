package notify_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/alerting/notify/ntfy"
	"github.com/auditwarden/auditwarden/alerting/notify/pagerduty"
	"github.com/auditwarden/auditwarden/monitor"
)

func Example() {
	pager, err := pagerduty.New(notify.NewSecret("e93facc04764012d7bfb002500d5d1a6"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	push, err := ntfy.New("https://ntfy.example.com", &ntfy.Options{Token: notify.NewSecret("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{Routes: []alerting.Route{
		{Name: "pager", MinSeverity: monitor.SeverityHigh, Reasons: alerting.Reasons(), Notifier: pager},
		{Name: "push", Notifier: push},
	}})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleTemplates() {
	texts, err := notify.Templates{
		Title: "{{.Alert.Severity}} for {{.Alert.OrganizationID}}: {{.Alert.Finding.Rule}}",
		Body:  "{{.Alert.Occurrences}} times since {{time .Alert.FirstSeen}}",
	}.Parse()
	if err != nil {
		fmt.Println(err)
		return
	}
	title, body, err := texts.Render(notifytest.Notification())
	fmt.Println(title)
	fmt.Println(body, err)
	// Output:
	// HIGH for acme: failed_auth
	// 3 times since 2026-03-01 02:29:00 UTC <nil>
}

func ExampleSecret() {
	type options struct{ Token notify.Secret }
	o := options{Token: notify.NewSecret("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")}
	fmt.Printf("%+v\n", o)
	// Output: {Token:[REDACTED]}
}
