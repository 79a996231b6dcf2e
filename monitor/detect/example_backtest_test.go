package detect_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// yesterday is a history in which somebody guesses a password and somebody else
// forgot one.
func yesterday() []*monitor.Event {
	var es []*monitor.Event
	for _, login := range []struct {
		at        string
		principal string
	}{
		{"10:00:00", "mallory"}, {"10:00:20", "mallory"}, {"10:00:40", "mallory"}, {"10:01:00", "mallory"},
		{"10:01:20", "mallory"}, {"10:01:40", "mallory"},
		{"11:00:00", "ada"}, {"11:00:30", "ada"}, {"11:01:00", "ada"},
	} {
		at, err := time.Parse(time.DateTime, "2026-03-10 "+login.at)
		if err != nil {
			panic(err)
		}
		es = append(es, &monitor.Event{
			Timestamp: at, Action: "auth.login.failure", Status: monitor.StatusFailure,
			PrincipalID: login.principal, OrganizationID: "acme",
		})
	}
	return es
}

func ExampleBacktest() {
	report, err := detect.Backtest(context.Background(), nil, slices.Values(yesterday()))
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Events, "events")
	for _, f := range report.Findings {
		fmt.Printf("event %d: %s by %s, %d within %s\n", f.Event.Sequence, f.Rule, f.Key, f.Count, f.Window)
	}
	// Output:
	// 9 events
	// event 5: failed_auth by mallory, 5 within 5m0s
	// event 6: failed_auth by mallory, 6 within 5m0s
}

func ExampleBacktester() {
	b, err := detect.NewBacktester(&detect.BacktestOptions{Cooldown: 5 * time.Minute})
	if err != nil {
		panic(err)
	}
	for i, e := range yesterday() {
		line := uint64(100 + i)
		result, err := b.Process(context.Background(), line, e)
		if err != nil {
			fmt.Printf("line %d: %v\n", line, err)
		}
		for _, f := range result.Findings {
			fmt.Printf("line %d: %s by %s\n", f.Event.Sequence, f.Rule, f.Key)
		}
	}
	// Output:
	// line 104: failed_auth by mallory
}

// What would a lower threshold change?
func ExampleCompare() {
	lower := detect.Defaults()
	for i := range lower {
		if lower[i].Name == detect.FailedAuth {
			lower[i].Threshold = 3
		}
	}
	c, err := detect.Compare(context.Background(), nil, &detect.Options{Rules: lower}, slices.Values(yesterday()))
	if err != nil {
		panic(err)
	}
	for _, i := range c.Added {
		fmt.Printf("new: %s by %s at %s\n", i.Rule, i.Key, i.First.Format(time.TimeOnly))
	}
	for _, m := range c.Changed {
		fmt.Printf("changed: %s by %s from %s to %s\n", m.After.Rule, m.After.Key,
			m.Before.First.Format(time.TimeOnly), m.After.First.Format(time.TimeOnly))
	}
	// Output:
	// new: failed_auth by ada at 11:01:00
	// changed: failed_auth by mallory from 10:01:20 to 10:00:40
}
