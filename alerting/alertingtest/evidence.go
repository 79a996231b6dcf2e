package alertingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// withEvidence returns an occurrence that has the JSON of its event, in which a
// principal failed to log in, with a text of this size.
func (t *storeTest) withEvidence(organization, key, event, principal string, at time.Time, size int) *monitor.Occurrence {
	t.Helper()
	e := &monitor.Event{
		ID: event, Action: "auth.login.failure", Status: monitor.StatusFailure, Timestamp: at,
		OrganizationID: organization, PrincipalID: principal, OutcomeDescription: strings.Repeat("x", size),
	}
	o := Occurrence(organization, key, event, at)
	o.Evidence = string(check.Must(e.AppendJSON(nil))(t))
	return o
}

func (t *storeTest) evidence(ref monitor.AlertRef) (ids []string) {
	t.Helper()
	for _, e := range check.Must(t.Evidence(t.Context(), ref))(t) {
		ids = append(ids, e.ID)
	}
	return ids
}

// testEvidence checks that the events of an alert are kept, each once, and as long as
// the alert.
func testEvidence(t *storeTest) {
	odd := t.withEvidence(acme, "mallory", "e\u2028<\"\\\u00e9", "bob", minutes(1), 3)
	oddID := odd.Finding.Event.ID
	text := odd.Evidence
	d := t.put(
		t.withEvidence(acme, "mallory", "e2", "bob", minutes(2), 0), odd,
		t.withEvidence(acme, "eve", "e9", "bob", minutes(2), 0),
		t.withEvidence(other, "mallory", "e8", "bob", minutes(2), 0),
	)
	ref := monitor.AlertRef{Organization: acme, ID: d[0].AlertID}
	t.put(Occurrence(acme, "mallory", "without", minutes(3)), t.withEvidence(acme, "mallory", "e0", "bob", minutes(0), 0))
	t.put(t.withEvidence(acme, "mallory", "e0", "bob", minutes(0), 0)) // again
	check.Equal(t, "evidence", t.evidence(ref), []string{"e0", oddID, "e2"})
	e := check.Must(t.Evidence(t.Context(), ref))(t)[1]
	check.Equal(t, "JSON of an event", string(check.Must(e.AppendJSON(nil))(t)), text)
	check.Equal(t, "evidence of another alert", t.evidence(monitor.AlertRef{Organization: acme, ID: d[2].AlertID}), []string{"e9"})
	for _, nowhere := range []monitor.AlertRef{{Organization: other, ID: ref.ID}, {Organization: acme, ID: "nonsense"}} {
		_, err := t.Evidence(t.Context(), nowhere)
		check.ErrorIs(t, "Evidence", err, monitor.ErrNotFound)
	}
	none := t.opened(acme, "none", "e7", minutes(0))
	check.Equal(t, "evidence of an alert without", len(t.evidence(none.Ref())), 0)
	// It stays with a closed alert, and goes with it.
	t.ok(t.Resolve(t.Context(), ref, ann, ""))
	check.Equal(t, "evidence of a closed alert", len(t.evidence(ref)), 3)
	check.Must(t.Purge(t.Context(), acme, time.Now().Add(time.Hour)))(t)
	_, err := t.Evidence(t.Context(), ref)
	check.ErrorIs(t, "Evidence of a purged alert", err, monitor.ErrNotFound)
}

// testEvidenceLimits checks that an alert keeps the first events that fit.
func testEvidenceLimits(t *storeTest) {
	var many []*monitor.Occurrence
	for i := range driver.MaxEvidence + 5 {
		many = append(many, t.withEvidence(acme, "many", fmt.Sprint("e", i), "bob", minutes(float64(i)), 0))
	}
	half := driver.MaxEvidence / 2
	ref := monitor.AlertRef{Organization: acme, ID: t.put(many[:half]...)[0].AlertID}
	t.put(many[half:]...)
	ids := t.evidence(ref)
	check.Equal(t, "events", len(ids), driver.MaxEvidence)
	check.Equal(t, "last event", ids[len(ids)-1], fmt.Sprint("e", driver.MaxEvidence-1))
	check.Equal(t, "Occurrences", t.get(ref).Occurrences, driver.MaxEvidence+5)

	const size = 8000
	for i := range 2 * driver.MaxEvidenceBytes / size {
		large := t.withEvidence(acme, "large", fmt.Sprint("l", i), "bob", minutes(float64(i)), size)
		ref.ID = t.one(large).AlertID
	}
	t.put(t.withEvidence(acme, "large", "small", "bob", minutes(-1), 0)) // this one still fits
	bytes := 0
	for _, e := range check.Must(t.Evidence(t.Context(), ref))(t) {
		bytes += len(check.Must(e.AppendJSON(nil))(t))
	}
	if bytes > driver.MaxEvidenceBytes || bytes < driver.MaxEvidenceBytes-2*size {
		t.Errorf("an alert keeps %d bytes of evidence, the limit is %d", bytes, driver.MaxEvidenceBytes)
	}
	check.Equal(t, "first event", t.evidence(ref)[:2], []string{"small", "l0"})
}

// testEvidenceErased checks that events go in which the name of a principal was.
func testEvidenceErased(t *storeTest) {
	const name = `bob "the 1st`
	d := t.put(
		t.withEvidence(acme, "203.0.113.9", "e1", name, minutes(1), 0),
		t.withEvidence(acme, "203.0.113.9", "e2", name+"2", minutes(2), 0),
		t.withEvidence(acme, "203.0.113.9", "e3", name, minutes(3), 0),
		t.withEvidence(acme, name, "e4", name, minutes(4), 0),
	)
	check.Equal(t, "erased", check.Must(t.Erase(t.Context(), acme, name))(t), alerting.Erased{Alerts: 1, Evidence: 2})
	ref := monitor.AlertRef{Organization: acme, ID: d[0].AlertID}
	check.Equal(t, "evidence", t.evidence(ref), []string{"e2"})
	t.put(t.withEvidence(acme, "203.0.113.9", "e5", "eve", minutes(5), 0)) // there is room again
	check.Equal(t, "evidence", t.evidence(ref), []string{"e2", "e5"})
}
