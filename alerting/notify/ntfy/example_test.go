package ntfy_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/ntfy"
)

func Example() {
	notifier, err := ntfy.New("https://ntfy.example.com", &ntfy.Options{
		Token: notify.NewSecret("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *ntfy.Notifier
}
