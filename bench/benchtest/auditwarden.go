package benchtest

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// Auditwarden is the rule in a [detect.Engine].
func Auditwarden() Contender {
	return Contender{Name: "auditwarden", New: newAuditwarden}
}

// Rule returns the built-in rule for failed logins.
func Rule() detect.Rule {
	rules := detect.Defaults()
	return rules[slices.IndexFunc(rules, func(r detect.Rule) bool { return r.Name == detect.FailedAuth })]
}

// Events returns a failed login of each user.
func Events(users int) []monitor.Event {
	events := make([]monitor.Event, users)
	for i := range events {
		events[i] = monitor.Event{
			Action:         "auth.login.failure",
			Status:         monitor.StatusFailure,
			PrincipalID:    "user-" + strconv.Itoa(i),
			OrganizationID: "acme",
			Session:        monitor.Session{IPAddress: "192.0.2.7"},
		}
	}
	return events
}

type auditwarden struct {
	tb       testing.TB
	engine   *detect.Engine
	events   []monitor.Event
	reporter *monitor.Reporter
	sequence uint64
}

func newAuditwarden(tb testing.TB, users int) Engine {
	tb.Helper()
	engine, err := detect.New(&detect.Options{Rules: []detect.Rule{Rule()}})
	if err != nil {
		tb.Fatal(err)
	}
	return &auditwarden{
		tb:       tb,
		engine:   engine,
		events:   Events(users),
		reporter: monitor.NewReporter(monitor.Arrival{}),
	}
}

// Login does what a monitor does for the engine.
func (a *auditwarden) Login(user int, at time.Time) {
	e := &a.events[user]
	e.Timestamp = at
	a.sequence++
	*a.reporter.Arrival() = monitor.Arrival{
		OrganizationID: e.OrganizationID,
		Sequence:       a.sequence,
		Watermark:      at,
		Lateness:       time.Minute,
	}
	if err := a.engine.Detect(context.Background(), e, a.reporter); err != nil {
		a.tb.Fatal(err)
	}
}

func (a *auditwarden) Close() int { return len(a.reporter.Findings()) }
