package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// newEvent returns a valid event; the time is noon plus the offset.
func newEvent(id string, offset time.Duration) *monitor.Event {
	return &monitor.Event{
		ID:             id,
		Timestamp:      noon.Add(offset),
		Action:         "data.read",
		Status:         monitor.StatusSuccess,
		PrincipalID:    "ann",
		OrganizationID: "org-1",
		CorrelationID:  "c-1",
	}
}

func deliveries(es ...*monitor.Event) []monitor.Delivery {
	var ds []monitor.Delivery
	for _, e := range es {
		ds = append(ds, monitor.Delivery{Event: e})
	}
	return ds
}

// newMonitor returns a monitor of history: events of any time are not ahead of
// the clock, and Submit waits for room.
func newMonitor(t testing.TB, change func(*monitor.Config)) *monitor.Monitor {
	t.Helper()
	c := monitor.Config{AllowUnverified: true, MaxSkew: -1, QueuePolicy: monitor.QueueBlock}
	if change != nil {
		change(&c)
	}
	m, err := monitor.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// detector reports a finding on every event whose action is its trigger, and
// remembers the IDs that it was shown.
type detector struct {
	name    string
	trigger string
	shadow  bool
	// fail is called first; its error is returned.
	fail func(e *monitor.Event) error

	mu   sync.Mutex
	seen []string
}

func (d *detector) Name() string { return d.name }

func (d *detector) Detect(_ context.Context, e *monitor.Event, r *monitor.Reporter) error {
	if d.trigger == "" || e.Action == d.trigger {
		r.Report(monitor.Finding{
			Rule:      d.name,
			Severity:  monitor.SeverityHigh,
			Key:       e.PrincipalID,
			KeyField:  "principalId",
			Event:     monitor.EventRef{ID: e.ID, Timestamp: e.Timestamp, Sequence: r.Arrival().Sequence},
			Count:     1,
			Threshold: 1,
			Shadow:    d.shadow,
		})
	}
	if d.fail != nil {
		if err := d.fail(e); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, e.ID)
	return nil
}

func (d *detector) events() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.seen...)
}

// batchDetector counts the calls.
type batchDetector struct {
	detector
	batches []int
}

func (d *batchDetector) DetectBatch(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	d.batches = append(d.batches, len(es))
	for i, e := range es {
		if err := d.Detect(ctx, e, rs[i]); err != nil {
			return err
		}
	}
	return nil
}

// store keeps occurrences by fingerprint.
type store struct {
	mu     sync.Mutex
	fail   error
	calls  int
	alerts map[monitor.Fingerprint]*monitor.Alert
	keys   map[monitor.EventKey]bool
	order  []*monitor.Alert
}

func (s *store) StoreOccurrences(_ context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fail != nil {
		return nil, s.fail
	}
	if s.alerts == nil {
		s.alerts, s.keys = map[monitor.Fingerprint]*monitor.Alert{}, map[monitor.EventKey]bool{}
	}
	ds := make([]monitor.Disposition, len(os))
	for i, o := range os {
		open, ok := s.alerts[o.Fingerprint]
		switch {
		case !ok:
			open = o.Alert()
			s.alerts[o.Fingerprint] = open
			s.order = append(s.order, open)
			ds[i] = monitor.Disposition{AlertID: open.ID, Stored: monitor.StoredNew, Notify: monitor.NotifyDue}
		case s.keys[o.EventKey]:
			ds[i] = monitor.Disposition{AlertID: open.ID, Stored: monitor.StoredBefore}
		default:
			open.Occurrences += o.Count
			ds[i] = monitor.Disposition{AlertID: open.ID, Stored: monitor.StoredRepeat}
		}
		s.keys[o.EventKey] = true
	}
	return ds, nil
}

func (s *store) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *store) setFail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *store) list() []*monitor.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*monitor.Alert(nil), s.order...)
}

// counters is a collector.
type counters struct {
	mu     sync.Mutex
	values map[string]int64
	wrong  string // a measurement that no collector should get
}

func (c *counters) Record(_ context.Context, m monitor.Measurement) {
	d := m.Metric.Description()
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.Attribute == "" && m.Attribute != "" || d.Values != nil && !slices.Contains(d.Values, m.Attribute) {
		c.wrong = fmt.Sprintf("%s is recorded for %q", m.Metric, m.Attribute)
	}
	if c.values == nil {
		c.values = map[string]int64{}
	}
	key := m.Metric.String()
	switch m.Metric.Description().Kind {
	case monitor.MetricGauge:
		c.values[key] = m.Value
	case monitor.MetricHistogram:
		c.values[key]++
	case monitor.MetricCounter:
		c.values[key] += m.Value
		if m.Attribute != "" {
			c.values[key+"/"+m.Attribute] += m.Value
		}
	}
}

func (c *counters) get(key string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong != "" {
		panic(c.wrong)
	}
	return c.values[key]
}

// verdicts is a verifier that answers by the event's action.
func verdicts(answers map[string]monitor.Verification) monitor.Verifier {
	return monitor.VerifierFunc(func(_ context.Context, e *monitor.Event) monitor.Verification {
		if v, ok := answers[e.Action]; ok {
			return v
		}
		return monitor.Verification{Decision: monitor.DecisionAccept, Verdict: monitor.VerdictVerified, Covered: monitor.FieldAction}
	})
}

var errDown = errors.New("down")

func process(t *testing.T, m *monitor.Monitor, e *monitor.Event) monitor.Result {
	t.Helper()
	r, err := m.Process(t.Context(), e)
	if err != nil {
		t.Fatalf("Process(%s): %v", e.ID, err)
	}
	return r
}

func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var invalid *monitor.InvalidEventError
	if !errors.As(err, &invalid) {
		t.Fatalf("error %v, want an InvalidEventError", err)
	}
	if invalid.Field != field {
		t.Errorf("field %q, want %q (%v)", invalid.Field, field, err)
	}
}

// advance lets the time of a synctest bubble pass.
func advance(d time.Duration) { <-time.After(d) }

func list(v ...any) string { return fmt.Sprint(v...) }

// eventTexts are the fields of an event that hold text, by their JSON names.
var eventTexts = map[string]func(e *monitor.Event) *string{
	"id":                         func(e *monitor.Event) *string { return &e.ID },
	"action":                     func(e *monitor.Event) *string { return &e.Action },
	"principalId":                func(e *monitor.Event) *string { return &e.PrincipalID },
	"organizationId":             func(e *monitor.Event) *string { return &e.OrganizationID },
	"targetResourceType":         func(e *monitor.Event) *string { return &e.TargetResourceType },
	"targetResourceId":           func(e *monitor.Event) *string { return &e.TargetResourceID },
	"outcomeDescription":         func(e *monitor.Event) *string { return &e.OutcomeDescription },
	"sessionContext.sessionId":   func(e *monitor.Event) *string { return &e.Session.ID },
	"sessionContext.ipAddress":   func(e *monitor.Event) *string { return &e.Session.IPAddress },
	"sessionContext.userAgent":   func(e *monitor.Event) *string { return &e.Session.UserAgent },
	"sessionContext.geolocation": func(e *monitor.Event) *string { return &e.Session.Geolocation },
	"correlationId":              func(e *monitor.Event) *string { return &e.CorrelationID },
	"eventVersion":               func(e *monitor.Event) *string { return &e.EventVersion },
	"retentionPolicy":            func(e *monitor.Event) *string { return &e.RetentionPolicy },
	"dataClassification":         func(e *monitor.Event) *string { return (*string)(&e.DataClassification) },
	"hash":                       func(e *monitor.Event) *string { return &e.Hash },
	"hashAlgorithm":              func(e *monitor.Event) *string { return &e.HashAlgorithm },
	"signature":                  func(e *monitor.Event) *string { return &e.Signature },
	"algorithm":                  func(e *monitor.Event) *string { return &e.SignatureAlgorithm },
	"keyId":                      func(e *monitor.Event) *string { return &e.KeyID },
}
