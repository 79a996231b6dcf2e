package email_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/email"
)

func Example() {
	notifier, err := email.New("smtp.example.com:587", "Audit <audit@example.com>", []string{"soc@example.com"}, &email.Options{
		Username: "audit",
		Password: notify.NewSecret("correct horse battery staple"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *email.Notifier
}
