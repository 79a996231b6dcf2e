package alerting_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// operations are the methods of a manager that end at its store, by what errors and
// traces call them, for an organization.
func operations(ctx context.Context, m *alerting.Manager, organization string) map[string]func() error {
	ref := monitor.AlertRef{Organization: organization, ID: "1"}
	return map[string]func() error{
		"store occurrences": func() error {
			o := occurrence("mallory", "e0", 0)
			o.Finding.OrganizationID = organization
			_, err := m.StoreOccurrences(ctx, []*monitor.Occurrence{o})
			return err
		},
		"acknowledge alert": func() error { _, err := m.Acknowledge(ctx, ref, "ann", ""); return err },
		"resolve alert":     func() error { _, err := m.Resolve(ctx, ref, "ann", ""); return err },
		"dismiss alert":     func() error { _, err := m.Dismiss(ctx, ref, "ann", ""); return err },
		"reopen alert":      func() error { _, err := m.Reopen(ctx, ref, "ann", ""); return err },
		"get alert":         func() error { _, err := m.Get(ctx, ref); return err },
		"read history":      func() error { _, err := m.History(ctx, ref); return err },
		"list alerts": func() (err error) {
			for _, err = range m.List(ctx, alerting.Query{Organization: organization}) {
			}
			return err
		},
		"count alerts": func() error { _, err := m.Count(ctx, alerting.Query{Organization: organization}); return err },
		"compute statistics": func() error {
			_, err := m.Statistics(ctx, alerting.StatisticsQuery{Organization: organization})
			return err
		},
		"read evidence":     func() error { _, err := m.Evidence(ctx, ref); return err },
		"erase name":        func() error { _, err := m.Erase(ctx, organization, "mallory"); return err },
		"read all settings": func() error { _, err := m.AllSettings(ctx); return err },
		"purge alerts":      func() error { _, err := m.Purge(ctx, organization, at(0)); return err },
		"read settings":     func() error { _, err := m.Settings(ctx, organization); return err },
		"save settings":     func() error { _, err := m.SaveSettings(ctx, organization, alerting.Settings{}, "ann"); return err },
		"list dead letters": func() (err error) {
			for _, err = range m.DeadLetters(ctx, alerting.DeadLetterQuery{Organization: organization}) {
			}
			return err
		},
		"redrive dead letters": func() error { _, err := m.Redrive(ctx, organization, "pager"); return err },
		"read backlog":         func() error { _, err := m.Backlog(ctx); return err },
	}
}

// An absentStore fails whatever it is asked, and counts.
type absentStore struct {
	driver.Store
	calls []string
}

func (s *absentStore) fail(method string) error {
	s.calls = append(s.calls, method)
	return errAway
}

func (s *absentStore) StoreOccurrences(context.Context, []*monitor.Occurrence) ([]monitor.Disposition, error) {
	return nil, s.fail("StoreOccurrences")
}

func (s *absentStore) Change(context.Context, monitor.AlertRef, monitor.AlertStatus, string, string) (*monitor.Alert, error) {
	return nil, s.fail("Change")
}

func (s *absentStore) Get(context.Context, monitor.AlertRef) (*monitor.Alert, []alerting.Change, error) {
	return nil, nil, s.fail("Get")
}

func (s *absentStore) List(context.Context, alerting.Query) ([]*monitor.Alert, error) {
	return nil, s.fail("List")
}

func (s *absentStore) Count(context.Context, alerting.Query) (int, error) { return 0, s.fail("Count") }

func (s *absentStore) Statistics(context.Context, alerting.StatisticsQuery) (*alerting.Statistics, error) {
	return nil, s.fail("Statistics")
}

func (s *absentStore) Purge(context.Context, string, time.Time) (int, error) {
	return 0, s.fail("Purge")
}

func (s *absentStore) Evidence(context.Context, monitor.AlertRef) ([]string, error) {
	return nil, s.fail("Evidence")
}

func (s *absentStore) Erase(context.Context, string, string) (alerting.Erased, error) {
	return alerting.Erased{}, s.fail("Erase")
}

func (s *absentStore) AllSettings(context.Context) (map[string]alerting.Settings, error) {
	return nil, s.fail("AllSettings")
}

func (s *absentStore) Settings(context.Context, string) (alerting.Settings, error) {
	return alerting.Settings{}, s.fail("Settings")
}

func (s *absentStore) SaveSettings(context.Context, string, alerting.Settings, string) (alerting.Settings, error) {
	return alerting.Settings{}, s.fail("SaveSettings")
}

func (s *absentStore) DeadLetters(context.Context, alerting.DeadLetterQuery) ([]*alerting.Notification, error) {
	return nil, s.fail("DeadLetters")
}

func (s *absentStore) Redrive(context.Context, string, string) (int, error) {
	return 0, s.fail("Redrive")
}

func (s *absentStore) Backlog(context.Context) (alerting.Backlog, error) {
	return alerting.Backlog{}, s.fail("Backlog")
}

// TestOperationsWrapOnce has every method fail at the store, and tell what it was
// doing, once.
func TestOperationsWrapOnce(t *testing.T) {
	t.Parallel()
	store := &absentStore{}
	m := newManager(t, store, nil)
	for name, call := range operations(t.Context(), m, "acme") {
		err := call()
		if want := "alerting: " + name + ": " + errAway.Error(); err == nil || err.Error() != want || !errors.Is(err, errAway) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if len(store.calls) != len(operations(t.Context(), m, "acme")) {
		t.Errorf("calls of the store: %q", store.calls)
	}
}

// TestOperationsNeedAnOrganization has every method refuse none and, unless it is
// for all, all of them.
func TestOperationsNeedAnOrganization(t *testing.T) {
	t.Parallel()
	store := &absentStore{}
	m := newManager(t, store, nil)
	forAll := map[string]bool{
		"list alerts": true, "count alerts": true, "compute statistics": true, "list dead letters": true, "redrive dead letters": true, "purge alerts": true,
	}
	for organization, field := range map[string]string{"": "", alerting.AllOrganizations: "Organization", "ac\x00me": "Organization"} {
		for name, call := range operations(t.Context(), m, organization) {
			if name == "read backlog" || name == "read all settings" || organization == alerting.AllOrganizations && forAll[name] {
				continue
			}
			err := call()
			bad, invalid := errors.AsType[*alerting.InvalidError](err)
			if field == "" && !errors.Is(err, monitor.ErrNoOrganization) || field != "" && (!invalid || bad.Field != field) ||
				!strings.HasPrefix(err.Error(), "alerting: "+name+": ") || strings.Count(err.Error(), "alerting:") != 1 {
				t.Errorf("%s of %q: error %v", name, organization, err)
			}
		}
	}
	if len(store.calls) != 0 {
		t.Errorf("the store was called: %q", store.calls)
	}
}

// TestOperationsValidate has methods refuse bad input before the store sees it.
func TestOperationsValidate(t *testing.T) {
	t.Parallel()
	store := &absentStore{}
	m := newManager(t, store, nil)
	ref := monitor.AlertRef{Organization: "acme", ID: "1"}
	check := func(what, field string, err error) {
		t.Helper()
		if bad, ok := errors.AsType[*alerting.InvalidError](err); !ok || bad.Field != field {
			t.Errorf("%s: error %v, want one about %s", what, err, field)
		}
	}
	for field, spoil := range map[string]func(o *monitor.Occurrence){
		"Organization":                func(o *monitor.Occurrence) { o.Finding.OrganizationID = "ac\x00me" },
		"Occurrence.Fingerprint":      func(o *monitor.Occurrence) { o.Fingerprint = monitor.Fingerprint{} },
		"Occurrence.EventKey":         func(o *monitor.Occurrence) { o.EventKey = monitor.EventKey{} },
		"Occurrence.Finding.Severity": func(o *monitor.Occurrence) { o.Finding.Severity = monitor.SeverityCritical + 1 },
		"Occurrence.Count":            func(o *monitor.Occurrence) { o.Count = 0 },
		"Occurrence.FirstSeen":        func(o *monitor.Occurrence) { o.FirstSeen = time.Time{} },
		"Occurrence.LastSeen":         func(o *monitor.Occurrence) { o.LastSeen = o.FirstSeen.Add(-1) },
	} {
		o := occurrence("mallory", "e1", 0)
		spoil(o)
		_, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{o})
		check("StoreOccurrences", field, err)
	}
	_, err := m.StoreOccurrences(t.Context(), []*monitor.Occurrence{nil})
	check("StoreOccurrences", "Occurrence", err)
	for name, change := range map[string]func(context.Context, monitor.AlertRef, string, string) (*monitor.Alert, error){
		"Acknowledge": m.Acknowledge, "Resolve": m.Resolve, "Dismiss": m.Dismiss, "Reopen": m.Reopen,
	} {
		for _, by := range []string{"", "  ", "a\x00b", "\xff", strings.Repeat("x", 300)} {
			_, err := change(t.Context(), ref, by, "")
			check(fmt.Sprintf("%s by %.10q", name, by), "by", err)
		}
		for _, note := range []string{"a\x00b", "\xff", strings.Repeat("x", 20_000)} {
			_, err := change(t.Context(), ref, "ann", note)
			check(fmt.Sprintf("%s with note %.10q", name, note), "note", err)
		}
	}
	for _, bad := range []struct {
		field string
		query alerting.Query
	}{
		{"Query.Limit", alerting.Query{Limit: alerting.MaxLimit + 1}},
		{"Query.Limit", alerting.Query{Limit: -1}},
		{"Query.After", alerting.Query{After: "nonsense"}},
	} {
		bad.query.Organization = "acme"
		n := 0
		for a, err := range m.List(t.Context(), bad.query) {
			n++
			check("List", bad.field, err)
			if a != nil {
				t.Errorf("List yields %v beside an error", a)
			}
		}
		if n != 1 {
			t.Errorf("List yields %d errors", n)
		}
		_, err := m.Count(t.Context(), bad.query)
		check("Count", bad.field, err)
	}
	for _, limit := range []int{-1, alerting.MaxLimit + 1} {
		for _, err := range m.DeadLetters(t.Context(), alerting.DeadLetterQuery{Organization: "acme", Limit: limit}) {
			check("DeadLetters", "DeadLetterQuery.Limit", err)
		}
	}
	for field, s := range map[string]alerting.Settings{
		"Cooldown":                 {Cooldown: -2},
		"Suppressions[0].Reason":   {Suppressions: []alerting.Suppression{{Start: "01:00", End: "02:00"}}},
		"Suppressions[0].TimeZone": {Suppressions: []alerting.Suppression{{Start: "01:00", End: "02:00", TimeZone: "Mars/Olympus", Reason: "r"}}},
		"Thresholds[r].Count":      {Thresholds: map[string]alerting.Threshold{"r": {Count: -1}}},
	} {
		_, err := m.SaveSettings(t.Context(), "acme", s, "ann")
		check("SaveSettings", field, err)
	}
	_, err = m.SaveSettings(t.Context(), "acme", alerting.Settings{}, "")
	check("SaveSettings", "by", err)
	if len(store.calls) != 0 {
		t.Errorf("the store was called: %q", store.calls)
	}
}

// TestListWithoutLimit has a page of the default size.
func TestListWithoutLimit(t *testing.T) {
	t.Parallel()
	m := newManager(t, newSpy(), nil)
	for i := range alerting.DefaultLimit + 1 {
		put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
	}
	n := 0
	for range m.List(t.Context(), alerting.Query{Organization: "acme"}) {
		n++
	}
	if n != alerting.DefaultLimit {
		t.Errorf("a page without a limit has %d alerts", n)
	}
}

// TestListStops has whoever reads a page write, and leave.
func TestListStops(t *testing.T) {
	t.Parallel()
	m := newManager(t, newSpy(), nil)
	for i := range 5 {
		put(t, m, occurrence(fmt.Sprint("k", i), fmt.Sprint("e", i), 0))
	}
	n := 0
	for a, err := range m.List(t.Context(), alerting.Query{Organization: "acme"}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Acknowledge(t.Context(), a.Ref(), "ann", ""); err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	q := alerting.Query{Organization: "acme", Statuses: []monitor.AlertStatus{monitor.AlertAcknowledged}}
	if n, err := m.Count(t.Context(), q); n != 2 || err != nil {
		t.Errorf("%d were acknowledged, %v", n, err)
	}
}

type traceKey struct{}

// A spyTracer writes down what it is told, and marks contexts.
type spyTracer struct{ log []string }

func (s *spyTracer) TraceOperationStart(ctx context.Context, data alerting.TraceOperationStart) context.Context {
	if data.Time.IsZero() {
		s.log = append(s.log, "no time")
	}
	s.log = append(s.log, "start "+data.Operation)
	return context.WithValue(ctx, traceKey{}, data.Operation)
}

func (s *spyTracer) TraceOperationEnd(ctx context.Context, data alerting.TraceOperationEnd) {
	line := fmt.Sprintf("end %s after %v: %v", data.Operation, data.Duration, data.Err)
	if data.Delivery != nil {
		line += fmt.Sprintf(", %s attempt %d, outcome %d", data.Delivery.Notification.Route, data.Delivery.Notification.Attempts, data.Delivery.Outcome)
	}
	if ctx.Value(traceKey{}) != data.Operation {
		line += ", in another context"
	}
	s.log = append(s.log, line)
}

// TestTracer has operations and deliveries nest.
func TestTracer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer := &spyTracer{}
		slow := alerting.NotifierFunc(func(ctx context.Context, _ *alerting.Notification) error {
			if ctx.Value(traceKey{}) != "deliver notification" {
				t.Error("the notifier has another context")
			}
			<-time.After(2 * time.Second)
			return errPager
		})
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Tracer: tracer, Routes: []alerting.Route{{Name: "slow", Notifier: slow, Concurrency: 1, ExpireAfter: time.Second}},
		})
		put(t, m, occurrence("mallory", "e0", 0))
		want := []string{
			"start store occurrences", "end store occurrences after 0s: <nil>",
			"start claim notifications", "end claim notifications after 0s: <nil>",
			"start deliver notification", "end deliver notification after 2s: the pager is off, slow attempt 1, outcome 2",
			"start settle notifications", "end settle notifications after 0s: <nil>",
			"start claim notifications", "end claim notifications after 0s: <nil>",
			"start read backlog", "end read backlog after 0s: <nil>",
		}
		if got := strings.Join(tracer.log, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("the tracer was told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		tracer.log = nil
		for name, call := range operations(t.Context(), m, "acme") {
			_ = call() // it may fail
			if got := strings.Join(tracer.log, " "); !strings.Contains(got, "start "+name+" end "+name) {
				t.Errorf("the tracer was told %q of %s", got, name)
			}
			tracer.log = nil
		}
	})
}

// contextual is a collector that counts what it is told in the context of a caller.
type contextual struct {
	mu      sync.Mutex
	callers map[any]int
}

func (c *contextual) Record(ctx context.Context, _ monitor.Measurement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.callers[ctx.Value(traceKey{})]++
}

// TestMeasurementsHaveTheCallersContext has a caller's call be measured in his
// context.
func TestMeasurementsHaveTheCallersContext(t *testing.T) {
	t.Parallel()
	c := &contextual{callers: map[any]int{}}
	m := newManager(t, newSpy(), &alerting.ManagerOptions{
		Metrics: c, Routes: []alerting.Route{{Name: "pager", Notifier: &recorder{}}},
	})
	ctx := context.WithValue(t.Context(), traceKey{}, "caller")
	if _, err := m.StoreOccurrences(ctx, []*monitor.Occurrence{occurrence("mallory", "e0", 0)}); err != nil {
		t.Fatal(err)
	}
	if c.callers["caller"] != 3 || len(c.callers) != 1 { // a duration, a delivery, the backlog
		t.Errorf("measurements by caller: %v", c.callers)
	}
}

// TestLogger has what fails in the background be logged, once while it lasts.
func TestLogger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		store := failingOutbox{newSpy()}
		m := newManager(t, store, &alerting.ManagerOptions{
			Logger: slog.New(slog.NewTextHandler(&text, nil)), Routes: []alerting.Route{{Name: "pager", Notifier: &recorder{}}},
		})
		stop := run(t, m)
		advance(time.Minute)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		for _, want := range []string{"component=outbox error=\"run timers: the store is away\"", "component=route/pager error=\"the store is away\""} {
			if strings.Count(text.String(), want) != 1 {
				t.Errorf("the log has\n%s\nwant %s once", text.String(), want)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		r := &recorder{err: &alerting.DeliveryError{Permanent: true, Err: errPager}}
		m := newManager(t, newSpy(), &alerting.ManagerOptions{
			Logger: slog.New(slog.NewTextHandler(&text, nil)), Routes: []alerting.Route{{Name: "pager", Notifier: r}},
		})
		put(t, m, occurrence("mallory", "e0", 0))
		if !strings.Contains(text.String(), `msg="notification became a dead letter" route=pager`) {
			t.Errorf("the log has\n%s", text.String())
		}
	})
}
