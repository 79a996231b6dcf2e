package teams_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/teams"
)

func Example() {
	workflow := notify.NewSecret("https://prod-00.westeurope.logic.azure.com/workflows/XXXX/triggers/manual/paths/invoke?sig=XXXX")
	notifier, err := teams.New(workflow, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *teams.Notifier
}
