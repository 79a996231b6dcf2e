package alertingtest

import (
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// A storeTest is one test case. It has a manager for the store under test, and
// methods that fail the test if an operation fails.
type storeTest struct {
	*testing.T
	*alerting.Manager
	store  driver.Store
	reopen func(*testing.T, driver.Store) driver.Store
}

// use replaces the store under test.
func (t *storeTest) use(s driver.Store) {
	t.Helper()
	m := check.Must(alerting.NewManager(s, nil))(t)
	t.store, t.Manager = s, m
}

// put stores occurrences and then overwrites them, since a store must not keep them.
func (t *storeTest) put(os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds := check.Must(t.StoreOccurrences(t.Context(), os))(t)
	if len(ds) != len(os) {
		t.Fatalf("StoreOccurrences returned %d dispositions for %d occurrences", len(ds), len(os))
	}
	for _, o := range os {
		clear(o.Finding.References)
		*o = monitor.Occurrence{Source: "spoiled", Finding: monitor.Finding{OrganizationID: "spoiled"}}
	}
	return ds
}

// one stores an occurrence.
func (t *storeTest) one(o *monitor.Occurrence) monitor.Disposition {
	t.Helper()
	return t.put(o)[0]
}

// opened stores an occurrence that opens an alert, and returns the alert.
func (t *storeTest) opened(organization, key, event string, at time.Time) *monitor.Alert {
	t.Helper()
	d := t.one(Occurrence(organization, key, event, at))
	if d.Stored != monitor.StoredNew || d.AlertID == "" {
		t.Fatalf("occurrence %s of %s was %v in alert %q, want a new one", event, key, d.Stored, d.AlertID)
	}
	return t.get(monitor.AlertRef{Organization: organization, ID: d.AlertID})
}

func (t *storeTest) get(ref monitor.AlertRef) *monitor.Alert {
	t.Helper()
	return check.Must(t.Get(t.Context(), ref))(t)
}

// ok returns the alert of a change of status that must succeed.
func (t *storeTest) ok(a *monitor.Alert, err error) *monitor.Alert {
	t.Helper()
	return check.Must(a, err)(t)
}

func (t *storeTest) list(q alerting.Query) []*monitor.Alert {
	t.Helper()
	var as []*monitor.Alert
	for a, err := range t.List(t.Context(), q) {
		as = append(as, check.Must(a, err)(t))
	}
	return as
}

func (t *storeTest) count(q alerting.Query) int {
	t.Helper()
	return check.Must(t.Count(t.Context(), q))(t)
}

func (t *storeTest) save(organization string, s alerting.Settings) alerting.Settings {
	t.Helper()
	return check.Must(t.SaveSettings(t.Context(), organization, s, ann))(t)
}

// letClockMove waits until the clock has advanced.
func letClockMove() {
	for began := time.Now(); time.Since(began) < time.Millisecond; {
	}
}
