package alertingtest

import (
	"errors"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// A storeTest is one case: a manager for its store, and the ways to ask for
// something that must succeed.
type storeTest struct {
	*testing.T
	*alerting.Manager
	store  driver.Store
	reopen func(*testing.T, driver.Store) driver.Store
}

// use makes the case go on with that store.
func (t *storeTest) use(s driver.Store) {
	t.Helper()
	m, err := alerting.NewManager(s, nil)
	if err != nil {
		t.Fatalf("NewManager: %v", err)
	}
	t.store, t.Manager = s, m
}

// put stores occurrences. Afterwards it spoils them, since a store may use them
// during the call only.
func (t *storeTest) put(os ...*monitor.Occurrence) []monitor.Disposition {
	t.Helper()
	ds, err := t.StoreOccurrences(t.Context(), os)
	if err != nil {
		t.Fatalf("StoreOccurrences: %v", err)
	}
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

// opened opens an alert and returns it.
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
	a, err := t.Get(t.Context(), ref)
	if err != nil {
		t.Fatalf("Get %v: %v", ref, err)
	}
	return a
}

// ok returns the alert that a change of status returned.
func (t *storeTest) ok(a *monitor.Alert, err error) *monitor.Alert {
	t.Helper()
	if err != nil {
		t.Fatalf("change of status: %v", err)
	}
	return a
}

func (t *storeTest) list(q alerting.Query) []*monitor.Alert {
	t.Helper()
	var as []*monitor.Alert
	for a, err := range t.List(t.Context(), q) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		as = append(as, a)
	}
	return as
}

func (t *storeTest) count(q alerting.Query) int {
	t.Helper()
	n, err := t.Count(t.Context(), q)
	if err != nil {
		t.Fatalf("Count: %v", err)
	}
	return n
}

func (t *storeTest) save(organization string, s alerting.Settings) alerting.Settings {
	t.Helper()
	saved, err := t.SaveSettings(t.Context(), organization, s, ann)
	if err != nil {
		t.Fatalf("SaveSettings: %v", err)
	}
	return saved
}

// want reports an error if got is something else.
func want[T comparable](t *storeTest, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func (t *storeTest) wantTime(what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func (t *storeTest) wantError(what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

func (t *storeTest) wantInvalid(what string, err error, field string) {
	t.Helper()
	if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field != field {
		t.Errorf("%s: error %v, want one about %s", what, err, field)
	}
}

// letClockMove returns when the clock shows another time, so that what happens
// afterwards has later timestamps.
func letClockMove() {
	for began := time.Now(); time.Since(began) < time.Millisecond; {
	}
}
