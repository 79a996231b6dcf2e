// Package benchtest puts engines that look for failed logins to the same test
// and the same benchmarks.
package benchtest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The rule: as many failed logins of a user as Threshold within Window are an
// attack.
const (
	Threshold = 5
	Window    = 5 * time.Minute
)

// An Engine looks for attacks. It is for one goroutine.
type Engine interface {
	// Login takes a failed login of a user.
	Login(user int, at time.Time)
	// Close ends the engine and returns the number of alerts it has raised.
	Close() (alerts int)
}

// A Contender is a kind of engine.
type Contender struct {
	Name string
	// New returns an engine that has seen nothing yet, for the users from 0 to
	// users-1.
	New func(tb testing.TB, users int) Engine
	// WallClock is set if the engine goes by the wall clock and not by the time
	// of the login.
	WallClock bool
}

// Alerts returns how many alerts an engine raises on failed logins of one user
// at these seconds after midnight. They run through at once, with a clock that
// says the time of the login.
func (c Contender) Alerts(t *testing.T, seconds ...int) int {
	t.Helper()
	var alerts int
	synctest.Test(t, func(t *testing.T) {
		engine := c.New(t, 1)
		midnight := time.Now() // of the day on which the clock of synctest starts
		for _, s := range seconds {
			at := midnight.Add(time.Duration(s) * time.Second)
			time.Sleep(time.Until(at))
			engine.Login(0, at)
		}
		alerts = engine.Close()
	})
	return alerts
}

// quiet is how far apart a user's logins are in a stream in which nothing is to
// be found: four of them fit into the window.
const quiet = Window/(Threshold-1) + 5*time.Second

var start = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

// Benchmark measures a login of a user that the engine knows, among 1, 100 and
// 10,000 of them.
func Benchmark(b *testing.B, contenders ...Contender) {
	for _, users := range []int{1, 100, 10_000} {
		for _, c := range contenders {
			b.Run(fmt.Sprintf("%s/keys=%d", c.Name, users), func(b *testing.B) {
				b.ReportAllocs()
				engine := c.New(b, users+1)
				at, step := start, quiet/time.Duration(users)
				for range Threshold {
					for user := range users {
						engine.Login(user, at)
						at = at.Add(step)
					}
				}
				user := 0
				for b.Loop() {
					engine.Login(user, at)
					at = at.Add(step)
					if user++; user == users {
						user = 0
					}
				}
				for range Threshold { // by somebody new
					engine.Login(users, at)
				}
				c.check(b, engine.Close())
			})
		}
	}
}

// check fails unless the one attack was found.
func (c Contender) check(b *testing.B, alerts int) {
	b.Helper()
	// By the wall clock the whole stream is an attack.
	if alerts != 1 && (alerts == 0 || !c.WallClock) {
		b.Errorf("%s raised %d alerts on one attack", c.Name, alerts)
	}
}
