package redisclaim_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/redisclaim"
)

// All instances that are set up like this know which alerts the others opened.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()
	claims, err := redisclaim.New(client, &redisclaim.Options{Prefix: "payments:alerts"})
	if err != nil {
		fmt.Println(err)
		return
	}
	store := memalerts.New(nil) // in production one that instances share, as in package pgalerts
	alerts, err := alerting.NewManager(store, &alerting.ManagerOptions{Claims: claims})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = alerts // goes into monitor.Config.Alerts
}
