package monitor

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config configures a [Monitor]. Zero fields have defaults.
type Config struct {
	// Verifier checks every event before anything else looks at it. Either it
	// or AllowUnverified must be set.
	Verifier Verifier
	// AllowUnverified accepts events without checking their hash and signature. The
	// application vouches for the origin of the events.
	AllowUnverified bool
	// DefaultOrganization is the organization of events that name none and were not
	// signed with a key. If it is empty, such events are invalid. An event that was
	// signed belongs to the organization of its key
	// ([Verification.OrganizationID]).
	DefaultOrganization string

	// Detectors judge every accepted event, in this order. Their names must be
	// unique. A monitor has at most 64 detectors.
	Detectors []Detector
	// Alerts stores the occurrences of alerts. If it is nil, the monitor only returns
	// the findings in the [Result].
	Alerts AlertStorer
	// Evidence gives every occurrence the JSON of its event, so that the store can keep
	// the first ones with the alert. These may have personal data. Defaults to none.
	Evidence bool
	// Metrics collects the metrics. Defaults to none.
	Metrics MetricsCollector
	// Tracer traces every call that processes events. Defaults to none.
	Tracer Tracer
	// ReportStages makes the monitor fill in [Result.Stages]. The clock is then
	// read once or twice more for each call.
	ReportStages bool
	// Logger receives the log records of the monitor. By default they are discarded.
	Logger *slog.Logger
	// Source names this monitor in alerts. Defaults to "audit-monitoring".
	Source string
	// OperatorOrganization receives the alerts about events that failed
	// verification, because nothing that such an event says about its
	// organization can be trusted. Defaults to "operator". An event that names
	// this organization is invalid.
	OperatorOrganization string
	// IntegrityAlertRate limits how many occurrences of failed verification are
	// stored per second and verdict. Occurrences over the limit are aggregated: they
	// are added to the count of the next one that is stored, or stored together
	// within a second while Run is active. Defaults to 100.
	IntegrityAlertRate int

	// Lateness is how far an event's timestamp may lie behind the watermark of its
	// organization for rules with windows to count the event. Defaults to 1 minute;
	// -1 allows no lateness.
	Lateness time.Duration
	// MaxSkew is how far an event's timestamp may lie ahead of the clock for rules
	// with windows to count the event. Such an event raises the watermark no further
	// than to the clock, so that MaxSkew may be more than Lateness. Defaults to 2
	// minutes; -1 makes the monitor ignore the clock, as is right for history that is
	// processed again.
	MaxSkew time.Duration

	// DuplicateCapacity is the number of events that the dedup cache remembers in
	// order to recognize duplicates. Defaults to 65,536; -1 turns the cache off.
	DuplicateCapacity int
	// RedeliveryHorizon is the time after the first arrival of an event during
	// which the same event counts as a harmless second delivery. After it, the
	// event counts as a replay. Defaults to 15 minutes.
	RedeliveryHorizon time.Duration

	// QuarantineCapacity is the number of events that the quarantine can hold, of each
	// of two kinds. While Run is active, the monitor keeps events there and tries them
	// again: events that could not be verified, and submitted events that fail while
	// others succeed. When it is full, [Monitor.Submit] treats an organization that has
	// its share of it as if the queue were full. Defaults to 1,024; -1 turns the
	// quarantine off, so that an event that fails holds up those behind it.
	//
	// Like every capacity in events, it counts an event once for each 8 KiB of memory
	// that it uses.
	QuarantineCapacity int
	// QuarantineInterval is the time between two attempts to process the quarantined
	// events. Defaults to 5 s.
	QuarantineInterval time.Duration

	// QueueCapacity is how many submitted events can wait, counted as
	// QuarantineCapacity is. Organizations take turns, and share the capacity: when it
	// is used up, those that have less than their share still get in. Organizations
	// that few events were accepted from have one share together. Defaults to 1,024.
	QueueCapacity int
	// QueuePolicy is what Submit does when the queue is full for the organization that
	// the event names. Defaults to [QueueReject].
	QueuePolicy QueuePolicy
	// DrainTimeout is how long Run continues to handle accepted events after its
	// context is canceled. Defaults to 30 s.
	DrainTimeout time.Duration
	// Workers is the number of goroutines that handle submitted events. Defaults to
	// 1, which preserves the order of the events of each organization.
	Workers int
}

// QueuePolicy determines what [Monitor.Submit] does when the queue is full.
type QueuePolicy uint8

const (
	// QueueReject makes Submit return [ErrOverloaded] at once. It is for callers that
	// must not wait, such as the handlers of requests.
	QueueReject QueuePolicy = iota
	// QueueBlock makes Submit wait for room until its context ends. It is for callers
	// that can wait as long as it takes, such as a job that reads a file.
	QueueBlock
	// QueueDropOldest drops the oldest event of an organization that has its share of
	// the queue: see [EventsDropped].
	QueueDropOldest
)

var queuePolicyNames = [...]string{"reject", "block", "drop_oldest"}

// String returns the policy in snake case.
func (p QueuePolicy) String() string { return name(queuePolicyNames[:], p) }

// withDefaults returns the configuration with its defaults filled in, or
// everything that is wrong with it.
func (c Config) withDefaults() (Config, error) {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	switch {
	case c.Verifier == nil && !c.AllowUnverified:
		bad("Verifier", "missing; set it, or AllowUnverified")
	case c.Verifier != nil && c.AllowUnverified:
		bad("AllowUnverified", "contradicts Verifier")
	}
	if len(c.Detectors) > 64 {
		bad("Detectors", "%d are more than 64", len(c.Detectors))
	}
	seen := map[string]bool{}
	for i, d := range c.Detectors {
		switch {
		case d == nil:
			bad("Detectors", "number %d is nil", i)
		case seen[d.Name()]:
			bad("Detectors", "two are named %q", d.Name())
		default:
			seen[d.Name()] = true
		}
	}
	if c.Source == "" {
		c.Source = "audit-monitoring"
	}
	if c.OperatorOrganization == "" {
		c.OperatorOrganization = "operator"
	}
	if err := CheckOrganization(c.OperatorOrganization); err != nil && c.Alerts != nil {
		bad("OperatorOrganization", "%v", err)
	}
	if err := CheckOrganization(c.DefaultOrganization); err != nil && c.DefaultOrganization != "" {
		bad("DefaultOrganization", "%v", err)
	}
	if err := checkText(c.Source, MaxFieldSize); err != nil {
		bad("Source", "%v", err)
	}
	if c.DefaultOrganization == c.OperatorOrganization {
		bad("DefaultOrganization", "must not be the OperatorOrganization")
	}
	setDefault(&c.Lateness, time.Minute, "Lateness", bad)
	setDefault(&c.MaxSkew, 2*time.Minute, "MaxSkew", bad)
	setDefault(&c.QuarantineInterval, 5*time.Second, "QuarantineInterval", bad)
	setDefault(&c.RedeliveryHorizon, 15*time.Minute, "RedeliveryHorizon", bad)
	setDefault(&c.IntegrityAlertRate, 100, "IntegrityAlertRate", bad)
	setDefault(&c.DuplicateCapacity, 65536, "DuplicateCapacity", bad)
	setDefault(&c.QuarantineCapacity, 1024, "QuarantineCapacity", bad)
	setDefault(&c.QueueCapacity, 1024, "QueueCapacity", bad)
	setDefault(&c.Workers, 1, "Workers", bad)
	setDefault(&c.DrainTimeout, 30*time.Second, "DrainTimeout", bad)
	for _, f := range []struct {
		field string
		value int64
		least string
	}{
		{"QuarantineInterval", int64(c.QuarantineInterval), "more than 0"},
		{"RedeliveryHorizon", int64(c.RedeliveryHorizon), "more than 0"},
		{"DrainTimeout", int64(c.DrainTimeout), "more than 0"},
		{"IntegrityAlertRate", int64(c.IntegrityAlertRate), "at least 1"},
		{"QueueCapacity", int64(c.QueueCapacity), "at least 1"},
		{"Workers", int64(c.Workers), "at least 1"},
	} {
		if f.value == -1 {
			bad(f.field, "must be %s", f.least)
		}
	}
	if int(c.QueuePolicy) >= len(queuePolicyNames) {
		bad("QueuePolicy", "%d is not a QueuePolicy", c.QueuePolicy)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if errs != nil {
		return c, fmt.Errorf("monitor: configuration: %w", errors.Join(errs...))
	}
	return c, nil
}

// setDefault puts the default in place of zero and refuses negative values
// except for -1, "off".
func setDefault[T ~int | ~int64](v *T, def T, field string, bad func(field, format string, args ...any)) {
	switch {
	case *v == 0:
		*v = def
	case *v < -1:
		bad(field, "%v is negative", *v)
	}
}
