package rediswindow_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/detect/rediswindow"
)

// All instances that are set up like this detect as one.
func Example() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	windows, err := rediswindow.New(client, &rediswindow.Options{
		Prefix: "payments:windows", OnUnavailable: rediswindow.Local,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := detect.New(&detect.Options{Windows: windows})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, Detectors: []monitor.Detector{engine}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = m // Process, ProcessBatch, Submit
}
