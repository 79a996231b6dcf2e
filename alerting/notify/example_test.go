package notify_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/ntfy"
	"github.com/auditwarden/auditwarden/alerting/notify/pagerduty"
	"github.com/auditwarden/auditwarden/alerting/notify/slack"
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

func ExampleTextFunc() {
	// The title is this one, and the body is that of the destination.
	short := func(n *alerting.Notification) (title, body string, err error) {
		return n.Alert.Severity.String() + ": " + n.Alert.Title, "", nil
	}
	notifier, err := slack.New(notify.NewSecret("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX"),
		&slack.Options{Text: short})
	fmt.Printf("%T %v\n", notifier, err)
	// Output: *slack.Notifier <nil>
}

func ExampleSecret() {
	type options struct{ Token notify.Secret }
	o := options{Token: notify.NewSecret("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")}
	fmt.Printf("%+v\n", o)
	// Output: {Token:[REDACTED]}
}
