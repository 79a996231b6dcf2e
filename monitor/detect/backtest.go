package detect

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// BacktestOptions configure a back-test. The zero value of a field stands for its
// documented default.
type BacktestOptions struct {
	// Rules are the options to test, as in [New]. MaxEventsPerKey and MaxKeys
	// default to no limit here, and shared windows are not used.
	Rules *Options
	// Verifier checks every event, as it does in a monitor. Nil accepts all events.
	Verifier monitor.Verifier
	// DefaultOrganization is the organization of events that name none, as in
	// [monitor.Config].
	DefaultOrganization string
	// Lateness is how far the timestamp of an event may lie behind the newest one
	// of its organization for the event to be counted in its place. Defaults to 10
	// minutes; -1 means 0, which is right for events in order of time.
	Lateness time.Duration
	// Cooldown is the time after a finding during which further findings of the
	// same rule, organization and key are left out. It is measured by the
	// timestamps of the events. With 0, every qualifying event is a finding.
	Cooldown time.Duration
}

// withDefaults returns the options with their defaults filled in.
func (o *BacktestOptions) withDefaults() BacktestOptions {
	var filled BacktestOptions
	if o != nil {
		filled = *o
	}
	if filled.Lateness == 0 {
		filled.Lateness = 10 * time.Minute
	}
	var rules Options
	if filled.Rules != nil {
		rules = *filled.Rules
	}
	if rules.MaxEventsPerKey == 0 {
		rules.MaxEventsPerKey = -1
	}
	if rules.MaxKeys == 0 {
		rules.MaxKeys = -1
	}
	rules.Windows = nil
	filled.Rules = &rules
	return filled
}

// A Backtester judges past events one by one. [Backtest] does the same for all
// events at once. A Backtester is a [monitor.Monitor] with an [Engine], and finds
// what they would have found at the time, with these differences:
//
//   - No timestamp is in the future, because there is no clock.
//   - Every event counts, even if it has the ID of another event.
//   - Nothing is stored.
//   - A finding about an event that failed verification is filed under the
//     organization and the principal that the event claims, because there is no
//     operator who receives it.
//
// It is not safe for concurrent use.
type Backtester struct {
	monitor             *monitor.Monitor
	rules               *numbered
	defaultOrganization string
	cooldown            time.Duration
	// due are the times of the last findings that were not left out.
	due map[monitor.Fingerprint]time.Time
	// qualifying counts the findings of each rule, left out or not.
	qualifying map[string]int
}

// nobody is an organization that no valid event names, because it is not UTF-8.
const nobody = "\xff"

// NewBacktester returns a backtester with empty windows. Nil options stand for the
// rules of [Defaults].
func NewBacktester(o *BacktestOptions) (*Backtester, error) {
	filled := o.withDefaults()
	if filled.Cooldown < 0 {
		return nil, fmt.Errorf("detect: back-test: Cooldown: %s is negative", filled.Cooldown)
	}
	engine, err := New(filled.Rules)
	if err != nil {
		return nil, err
	}
	b := &Backtester{
		rules:               &numbered{engine: engine},
		defaultOrganization: filled.DefaultOrganization,
		cooldown:            filled.Cooldown,
		due:                 map[monitor.Fingerprint]time.Time{},
		qualifying:          map[string]int{},
	}
	b.monitor, err = monitor.New(monitor.Config{
		Verifier:             filled.Verifier,
		AllowUnverified:      filled.Verifier == nil,
		DefaultOrganization:  filled.DefaultOrganization,
		OperatorOrganization: nobody,
		Detectors:            []monitor.Detector{b.rules},
		Lateness:             filled.Lateness,
		MaxSkew:              -1,
		DuplicateCapacity:    -1,
	})
	if err != nil {
		return nil, fmt.Errorf("detect: back-test: %w", err)
	}
	return b, nil
}

// Process judges one event, as [monitor.Monitor.Process] does. In this result and
// in later ones the event has the given number ([monitor.EventRef.Sequence]), for
// example that of its line in a file. Numbers begin at 1 and need not be in order.
func (b *Backtester) Process(ctx context.Context, number uint64, e *monitor.Event) (monitor.Result, error) {
	b.rules.number = number
	r, err := b.monitor.Process(ctx, e)
	r.Sequence = number
	if r.Verification.Decision == monitor.DecisionFail {
		for i := range r.Findings {
			b.claim(&r.Findings[i], number, e)
		}
	}
	for i := range r.Findings {
		b.qualifying[r.Findings[i].Rule]++
	}
	if b.cooldown > 0 {
		r.Findings = slices.DeleteFunc(r.Findings, b.cooling)
	}
	return r, err
}

// claim files a finding about an event that failed verification under what the
// event says of itself.
func (b *Backtester) claim(f *monitor.Finding, number uint64, e *monitor.Event) {
	f.Event.Sequence, f.Event.Timestamp = number, e.Timestamp
	if f.OrganizationID = e.OrganizationID; f.OrganizationID == "" {
		f.OrganizationID = b.defaultOrganization
	}
	f.Key, f.KeyField = b.rules.engine.set.Load().normal.name(e.PrincipalID, func(error) {}), "principalId"
	if f.Key == "" {
		f.Key = Unknown
	}
}

// cooling reports whether a finding is in the cooldown of another. An earlier one
// is as well, as for notifications.
func (b *Backtester) cooling(f monitor.Finding) bool {
	alert, at := monitor.FingerprintOf(f.Rule, f.OrganizationID, f.Key), f.Event.Timestamp
	if at.Before(b.due[alert].Add(b.cooldown)) {
		return true
	}
	b.due[alert] = at
	return false
}

// numbered is an engine to which events have the numbers of the caller, not those
// of the monitor.
type numbered struct {
	engine *Engine
	number uint64
}

func (n *numbered) Name() string { return n.engine.Name() }

func (n *numbered) Detect(ctx context.Context, e *monitor.Event, r *monitor.Reporter) error {
	r.Arrival().Sequence = n.number
	return n.engine.Detect(ctx, e, r)
}

// A Report tells what a back-test found.
type Report struct {
	// Events is the number of events, including those that were refused.
	Events int
	// TooLate is the number of events that were older than the lateness allows.
	// Rules with windows did not count them.
	TooLate int
	// First and Last are the earliest and the latest timestamp of the accepted
	// events.
	First, Last time.Time
	// Refused are the events that could not be judged, or not by all rules. They
	// did not end the test.
	Refused []Refusal
	// Findings are in the order in which they were made. A sequence number in them
	// is the place of an event in the history, from 1.
	Findings []monitor.Finding
	// Qualifying counts the qualifying events of each rule, including those that
	// the cooldown left out of Findings.
	Qualifying map[string]int
	// Rules tells what each rule held at the end, and what the caps in the options
	// cut off, if there were any.
	Rules []RuleStats
}

// A Refusal is an event that could not be judged, or not by all rules.
type Refusal struct {
	// Sequence is the place of the event in the history, from 1.
	Sequence uint64
	// Err is what [monitor.Monitor.Process] returned for it.
	Err error
}

// Backtest tells what the rules would have found in the past. It gives the events to
// a [Backtester] one after the other. An event that is refused is part of the
// report. Backtest returns an error for invalid options, and, together with the
// report up to there, for a context that has ended.
func Backtest(ctx context.Context, o *BacktestOptions, events iter.Seq[*monitor.Event]) (Report, error) {
	t, err := newTest(o)
	if err != nil {
		return Report{}, err
	}
	err = feed(ctx, events, t)
	return t.done(), err
}

// A test is a back-test that is running.
type test struct {
	backtester *Backtester
	report     Report
}

func newTest(o *BacktestOptions) (*test, error) {
	b, err := NewBacktester(o)
	if err != nil {
		return nil, err
	}
	return &test{backtester: b, report: Report{Qualifying: b.qualifying}}, nil
}

// feed hands every event to every test.
func feed(ctx context.Context, events iter.Seq[*monitor.Event], tests ...*test) error {
	for e := range events {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("detect: back-test: %w", err)
		}
		for _, t := range tests {
			t.add(ctx, e)
		}
	}
	return nil
}

func (t *test) add(ctx context.Context, e *monitor.Event) {
	r := &t.report
	r.Events++
	result, err := t.backtester.Process(ctx, uint64(r.Events), e)
	if err != nil {
		r.Refused = append(r.Refused, Refusal{Sequence: uint64(r.Events), Err: err})
	}
	if result.Timing == monitor.TimingTooLate {
		r.TooLate++
	}
	if err == nil && result.Verification.Decision == monitor.DecisionAccept {
		r.see(e.Timestamp.UTC())
	}
	for _, f := range result.Findings {
		// The event's own strings may be parts of something much larger.
		f.OrganizationID, f.Key = strings.Clone(f.OrganizationID), strings.Clone(f.Key)
		id := strings.Clone(e.ID)
		release(&f.Event, id)
		release(&f.CompletedBy, id)
		for i := range f.References {
			release(&f.References[i], id)
		}
		r.Findings = append(r.Findings, f)
	}
}

// release has a reference to an event use a copy of its ID.
func release(ref *monitor.EventRef, id string) {
	if ref.ID == id {
		ref.ID = id
	}
}

func (r *Report) see(at time.Time) {
	if r.First.IsZero() || at.Before(r.First) {
		r.First = at
	}
	if at.After(r.Last) {
		r.Last = at
	}
}

func (t *test) done() Report {
	t.report.Rules = t.backtester.rules.engine.Stats()
	return t.report
}
