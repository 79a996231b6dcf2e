package alertingtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// testPurgeAll checks that one call deletes what is old of every tenant.
func testPurgeAll(t *storeTest) {
	for i := range 6 {
		organization := fmt.Sprint("tenant", i/2)
		a := t.opened(organization, fmt.Sprint("k", i), fmt.Sprint("e", i), minutes(0))
		if i%2 == 0 {
			t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
		}
	}
	all := alerting.AllOrganizations
	check.Equal(t, "purged before that", check.Must(t.Purge(t.Context(), all, time.Now().Add(-time.Hour)))(t), 0)
	check.Equal(t, "purged", check.Must(t.Purge(t.Context(), all, time.Now().Add(time.Hour)))(t), 3)
	check.Equal(t, "alerts", ids(t.list(alerting.Query{Organization: all})), "k5 k3 k1")
	check.Equal(t, "purged again", check.Must(t.Purge(t.Context(), all, time.Now().Add(time.Hour)))(t), 0)
}

// testErase checks that the name of a principal is nowhere after it was erased, and that
// nothing else changes.
func testErase(t *storeTest) {
	const name = `bob "<the\ 1st>`
	// An open alert and a closed one are about the principal.
	t.opened(acme, name, "e1", minutes(0))
	closed := Occurrence(acme, name, "e2", minutes(0))
	closed.Finding.Rule, closed.Fingerprint = "other_rule", monitor.FingerprintOf("other_rule", acme, name)
	t.ok(t.Resolve(t.Context(), monitor.AlertRef{Organization: acme, ID: t.one(closed).AlertID}, ann, ""))
	// One has the name in the texts of its finding, which are also in its description.
	mentioned := Occurrence(acme, "203.0.113.9", "e3", minutes(0))
	mentioned.Finding.Detail = "logins of bobby, " + name + ", " + name + "x and " + name
	mentioned.CorrelationID = name
	mentioned.Finding.Guidance = &monitor.Guidance{NextSteps: "Compare: {detail}"}
	texts := monitor.AlertRef{Organization: acme, ID: t.one(mentioned).AlertID}
	// One was worked on by somebody with this name.
	worked := t.opened(acme, "mallory", "e4", minutes(0))
	t.ok(t.Acknowledge(t.Context(), worked.Ref(), name, "I am "+name))
	t.ok(t.Resolve(t.Context(), worked.Ref(), name, "by "+name))
	// Neither one with a longer name nor another tenant's is concerned.
	longer := t.opened(acme, name+"2", "e5", minutes(0))
	theirs := t.opened(other, name, "e6", minutes(0))

	got := check.Must(t.Erase(t.Context(), acme, name))(t)
	check.Equal(t, "erased", got, alerting.Erased{Alerts: 2, Changed: 2})
	check.Equal(t, "alerts", ids(t.list(alerting.Query{Organization: acme})), strings.Join([]string{longer.Finding.Key, "mallory", "203.0.113.9"}, " "))
	check.Equal(t, "detail", t.get(texts).Finding.Detail, "logins of bobby, [erased], "+name+"x and [erased]")
	check.Equal(t, "next steps", t.get(texts).Guidance().NextSteps, "Compare: logins of bobby, [erased], "+name+"x and [erased]")
	check.Equal(t, "correlation", t.get(texts).CorrelationID, "[erased]")
	after := t.get(worked.Ref())
	check.Equal(t, "AcknowledgedBy", after.AcknowledgedBy, "[erased]")
	check.Equal(t, "ResolvedBy", after.ResolvedBy, "[erased]")
	check.Equal(t, "ResolutionNotes", after.ResolutionNotes, "by [erased]")
	check.Equal(t, "Version", after.Version, 3)
	check.Equal(t, "note", check.Must(t.History(t.Context(), worked.Ref()))(t)[1].Note, "I am [erased]")
	check.Equal(t, "key of the longer name", t.get(longer.Ref()).Finding.Key, name+"2")
	check.Equal(t, "key of the other tenant's", t.get(theirs.Ref()).Finding.Key, name)
	for _, ref := range []monitor.AlertRef{texts, worked.Ref()} {
		history := check.Must(t.History(t.Context(), ref))(t)
		text := string(check.Must(json.Marshal([]any{t.get(ref), history}))(t))
		text = strings.ReplaceAll(text, t.quoted(name)+"x", "")
		if strings.Contains(text, t.quoted(name)) {
			t.Errorf("the name is still there: %s", text)
		}
	}
	check.Equal(t, "erased again", check.Must(t.Erase(t.Context(), acme, name))(t), alerting.Erased{})
	// The next event of the principal opens a new alert.
	t.opened(acme, name, "e7", minutes(1))
	for _, bad := range []string{"", " ", "\xff", "a\x00b"} {
		_, err := t.Erase(t.Context(), acme, bad)
		if _, ok := errors.AsType[*alerting.InvalidError](err); !ok {
			t.Errorf("erasing %q: error %v", bad, err)
		}
	}
}

// quoted returns a text as it stands in JSON.
func (t *storeTest) quoted(text string) string {
	t.Helper()
	q := check.Must(json.Marshal(text))(t)
	return string(q[1 : len(q)-1])
}
