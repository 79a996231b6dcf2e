package fleet_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// The names of the hostile tenant and of its keys.
const (
	hostileName = "hostile"
	stolenKey   = "stolen" // may sign for everybody
	deadKey     = "dead"   // its authority does not answer
)

// An attack is something that a hostile tenant does as fast as it can.
type attack struct {
	name string
	send func(ctx context.Context, to *host, n int)
}

// harmless returns a tenant that sends as fast as it can what nothing comes of.
func harmless(t *testing.T) attack {
	t.Helper()
	by := newSigner(t, hmacKey(t, hostileName, hostileName))
	return attack{"", func(ctx context.Context, to *host, n int) {
		e := &monitor.Event{OrganizationID: hostileName, Action: "menu.open", Status: monitor.StatusSuccess, PrincipalID: fmt.Sprint(n % 100), Timestamp: time.Now()}
		if by.Sign(ctx, e) == nil {
			limited, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			_ = to.monitor.Submit(limited, e) // it is no matter whether it gets in
		}
	}}
}

// hostileTenants returns everything that was ever seen to stop, hide or slow what
// others send.
func hostileTenants(t *testing.T) []attack {
	t.Helper()
	own, stolen := newSigner(t, hmacKey(t, hostileName, hostileName)), newSigner(t, hmacKey(t, stolenKey, ""))
	// submit sends an event that is signed by that signer, or by none.
	submit := func(ctx context.Context, to *host, by signer, e *monitor.Event) {
		if e.OrganizationID == "" {
			e.OrganizationID = hostileName
		}
		if e.Action == "" {
			e.Action = "menu.open"
		}
		if e.Timestamp.IsZero() {
			e.Timestamp = time.Now()
		}
		if e.Status == "" {
			e.Status = monitor.StatusSuccess
		}
		if by.Signer != nil && by.Sign(ctx, e) != nil {
			return
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		_ = to.monitor.Submit(limited, e) // it is no matter whether it gets in
	}
	each := func(by signer, event func(n int) *monitor.Event) func(context.Context, *host, int) {
		return func(ctx context.Context, to *host, n int) { submit(ctx, to, by, event(n)) }
	}
	id := func(what string, n int) string { return fmt.Sprintf("%s-%d-%d", what, n, time.Now().UnixNano()) }
	atNight := func(e *monitor.Event, day int) *monitor.Event {
		e.Action, e.Timestamp = "data.read", time.Date(2024, 1, 1+day%28, 2, 30, 0, 0, time.UTC)
		return e
	}
	big := strings.Repeat("x", 60<<10)
	return []attack{
		{"long names", each(stolen, func(n int) *monitor.Event {
			return atNight(&monitor.Event{OrganizationID: strings.Repeat("o", 1000+n%2), PrincipalID: id("p", n)}, n)
		})},
		{"long keys", each(own, func(n int) *monitor.Event {
			return &monitor.Event{
				Action: "auth.login.failure", Status: monitor.StatusFailure,
				PrincipalID: id("p", n) + strings.Repeat("k", monitor.MaxFieldSize-100),
			}
		})},
		{"many keys", each(own, func(n int) *monitor.Event {
			return &monitor.Event{ID: id("key", n), Action: "auth.login.failure", Status: monitor.StatusFailure, PrincipalID: id("p", n)}
		})},
		{"many alerts", each(own, func(n int) *monitor.Event {
			return atNight(&monitor.Event{ID: id("alert", n), PrincipalID: id("p", n)}, n)
		})},
		{"many organizations", each(stolen, func(n int) *monitor.Event {
			return &monitor.Event{
				ID: id("org", n), OrganizationID: hostileName + id("-", n),
				Action: "auth.login.failure", Status: monitor.StatusFailure, PrincipalID: "p",
			}
		})},
		{"a dead authority", each(signer{}, func(n int) *monitor.Event {
			return undecided(&monitor.Event{ID: id("dead", n), OrganizationID: honestName(n % honestTenants)})
		})},
		{"dead made-up tenants", each(signer{}, func(n int) *monitor.Event {
			return undecided(&monitor.Event{ID: id("dead", n), OrganizationID: hostileName + id("-", n)})
		})},
		{"forgeries in others' names", each(signer{}, func(n int) *monitor.Event {
			e := &monitor.Event{ID: id("forged", n), OrganizationID: hostileName, Signature: strings.Repeat("0", 64)}
			e.Timestamp = [...]time.Time{{}, time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 2, 30, 0, 0, time.UTC)}[n%3]
			return e
		})},
		{"large events", each(own, func(n int) *monitor.Event {
			e := atNight(&monitor.Event{ID: id("large", n), PrincipalID: id("p", n)}, n)
			e.Details = map[string]any{}
			for i := range 16 {
				e.Details[fmt.Sprint(i)] = big
			}
			return e
		})},
		{"the far future", each(own, func(n int) *monitor.Event {
			return &monitor.Event{ID: id("far", n), Action: "data.read", Timestamp: time.Date(2261, 1, 1, 2, 30, n, 0, time.UTC), PrincipalID: "p"}
		})},
		{"the near future", each(own, func(n int) *monitor.Event {
			return &monitor.Event{ID: id("near", n), Action: "auth.login.failure", Status: monitor.StatusFailure, PrincipalID: "p", Timestamp: time.Now().Add(119 * time.Second)}
		})},
		{"the same event", each(own, func(n int) *monitor.Event { return &monitor.Event{ID: fmt.Sprint("same-", n%10)} })},
		{"a detector that panics", each(own, func(n int) *monitor.Event { return &monitor.Event{ID: id("panic", n), Action: panicsDetector} })},
		{"a detector that fails", each(own, func(n int) *monitor.Event { return &monitor.Event{ID: id("fail", n), Action: failsDetector} })},
		{"a finding without a time", each(own, func(n int) *monitor.Event {
			return &monitor.Event{ID: id("timeless", n), Action: timeless, PrincipalID: id("p", n)}
		})},
		{"a store that panics", each(own, func(n int) *monitor.Event { return &monitor.Event{ID: id("store", n), Action: panicsStore} })},
		{"settings", func(ctx context.Context, to *host, n int) {
			s, err := to.alerts.Settings(ctx, hostileName)
			if err == nil {
				s.AutoResolve = map[monitor.Severity]time.Duration{monitor.SeverityLow: time.Duration(1+n%60) * time.Hour}
				_, _ = to.alerts.SaveSettings(ctx, hostileName, s, "mallory") // another instance may have been faster
			}
		}},
		{"resolving", func(ctx context.Context, to *host, _ int) {
			for a, err := range to.alerts.List(ctx, alerting.Query{Organization: hostileName, Statuses: []monitor.AlertStatus{monitor.AlertActive}, Limit: 10}) {
				if err == nil {
					_, _ = to.alerts.Resolve(ctx, a.Ref(), "mallory", "") // as above
				}
			}
		}},
	}
}

// undecided gives an event a signature that nobody can check now.
func undecided(e *monitor.Event) *monitor.Event {
	e.KeyID, e.SignatureAlgorithm, e.Signature = deadKey, "Ed25519", strings.Repeat("A", 86)+"=="
	return e
}
