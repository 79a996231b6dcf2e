package alertmanager_test

import (
	"fmt"
	"net/netip"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/alertmanager"
)

func Example() {
	notifier, err := alertmanager.New("http://alertmanager:9093", &alertmanager.Options{
		Labels:    map[string]string{"team": "soc"},
		Transport: notify.Transport{AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var destination alerting.Notifier = notifier // for an alerting.Route
	fmt.Printf("%T\n", destination)
	// Output: *alertmanager.Notifier
}
