package bench_test

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/auditwarden/auditwarden/bench/benchtest"
	"github.com/auditwarden/auditwarden/monitor"
)

// timeRate is a token bucket for each user. It lets through a login less than
// the threshold at once, and as many more in a window as have leaked out. It is
// told the time of the login.
func timeRate() benchtest.Contender {
	return benchtest.Contender{
		Name: "x-time-rate",
		New:  newLimiters(func(l *rate.Limiter, at time.Time) bool { return l.AllowN(at, 1) }),
	}
}

// timeRateNow is timeRate by the wall clock, as a limiter is mostly used. It has
// to ask for the time.
func timeRateNow() benchtest.Contender {
	return benchtest.Contender{
		Name:      "x-time-rate-now",
		New:       newLimiters(func(l *rate.Limiter, _ time.Time) bool { return l.Allow() }),
		WallClock: true,
	}
}

type limiters struct {
	match  func(*monitor.Event) bool
	allow  func(*rate.Limiter, time.Time) bool
	events []monitor.Event
	alerts int

	mu     sync.Mutex
	byUser map[string]*rate.Limiter
}

func newLimiters(allow func(*rate.Limiter, time.Time) bool) func(testing.TB, int) benchtest.Engine {
	return func(_ testing.TB, users int) benchtest.Engine {
		return &limiters{
			match:  benchtest.Rule().Match,
			allow:  allow,
			events: benchtest.Events(users),
			byUser: map[string]*rate.Limiter{},
		}
	}
}

func (l *limiters) Login(user int, at time.Time) {
	e := &l.events[user]
	e.Timestamp = at
	if l.match(e) && !l.allow(l.of(e.PrincipalID), e.Timestamp) {
		l.alerts++
	}
}

func (l *limiters) of(user string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.byUser[user]
	if limiter == nil {
		const most = benchtest.Threshold - 1
		limiter = rate.NewLimiter(rate.Every(benchtest.Window/most), most)
		l.byUser[user] = limiter
	}
	return limiter
}

func (l *limiters) Close() int { return l.alerts }
