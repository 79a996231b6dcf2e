package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A pass is the way of one or several events through the monitor. It can be
// run again after an error and then goes on where it stopped.
type pass struct {
	m     *Monitor
	ctx   context.Context //nolint:containedctx // of the call that the pass serves
	items []item
	now   time.Time

	reporting  reporting
	events     []*Event // of a call to a detector
	reporters  []*Reporter
	occurrence []Occurrence // of a call to the store
	pointers   []*Occurrence
	owners     []owner
	stored     slab[Disposition]
}

// An item is one event on its way.
type item struct {
	event    *Event
	ctx      context.Context //nolint:containedctx // with the event's span
	reporter Reporter
	result   Result
	stage    stage
	done     uint64 // the detectors that have judged the event, a bit each
	raised   int    // findings that are dealt with
	unstored bool   // the store failed on the others
	known    uint64 // the event's key in the memory, if it is reserved there
	failed   error  // what stopped it; the next run tries again
}

// stage is how far an event has come.
type stage uint8

const (
	arrived  stage = iota // to be validated, verified and looked up
	admitted              // to be judged by the detectors
	judged                // its findings are to be stored
	settled               // handled to the end
)

// An owner is the finding that an occurrence stands for.
type owner struct {
	item    *item
	finding int
}

func (m *Monitor) begin(ctx context.Context) *pass {
	p := m.passes.Get().(*pass) //nolint:errcheck,forcetypeassert // the pool's only type
	p.ctx = ctx
	p.reporting.metrics = m.config.Metrics
	return p
}

func (p *pass) add(e *Event) {
	n := len(p.items)
	p.items = slices.Grow(p.items, 1)[:n+1] // it is cleared
	it := &p.items[n]
	it.event, it.ctx = e, p.ctx
	if t := p.m.config.Tracer; t != nil {
		it.ctx = t.StartProcess(p.ctx, e)
	}
	it.reporter.ctx, it.reporter.shared = it.ctx, &p.reporting
}

// end gives the pass back. What its results hold stays theirs.
func (m *Monitor) end(p *pass) {
	for i := range p.items {
		it := &p.items[i]
		if it.known != 0 {
			m.seen.release(it.known, it.halt())
		}
		if t := m.config.Tracer; t != nil {
			t.EndProcess(it.ctx, it.event, &it.result, it.result.Err)
		}
	}
	clear(p.items)
	clear(p.events)
	clear(p.reporters)
	clear(p.occurrence)
	clear(p.owners)
	p.items, p.ctx = p.items[:0], nil
	m.passes.Put(p)
}

// halt returns what the next attempt must know of an event that was stopped.
func (it *item) halt() *halted {
	if it.stage == settled {
		return nil
	}
	return &halted{arrival: it.reporter.arrival, findings: it.result.Findings, done: it.done, raised: it.raised}
}

// run takes every event as far as it goes.
func (p *pass) run() {
	p.now = time.Now()
	for i := range p.items {
		it := &p.items[i]
		it.failed = nil
		if it.stage == arrived {
			p.admit(it)
		}
	}
	for n, d := range p.m.config.Detectors {
		p.detect(d, 1<<n)
	}
	for i := range p.items {
		if it := &p.items[i]; it.stage == admitted && it.failed == nil {
			it.stage = judged
		}
	}
	p.raise()
	p.settle()
}

// detect has one detector judge the events that it has not judged yet.
func (p *pass) detect(d Detector, bit uint64) {
	p.events, p.reporters = p.events[:0], p.reporters[:0]
	for i := range p.items {
		if it := &p.items[i]; it.stage == admitted && it.done&bit == 0 {
			p.events, p.reporters = append(p.events, it.event), append(p.reporters, &it.reporter)
		}
	}
	detect(p.ctx, d, p.events, p.reporters)
	for i := range p.items {
		it := &p.items[i]
		if it.stage != admitted || it.done&bit != 0 {
			continue
		}
		it.result.Findings = it.reporter.findings
		if err := it.reporter.err; err != nil {
			it.failed = errors.Join(it.failed, err)
		} else {
			it.done |= bit
		}
	}
}

// admit validates and verifies the event and looks it up among the known ones.
func (p *pass) admit(it *item) {
	m, r := p.m, &it.result
	if err := it.event.Validate(); err != nil {
		p.refuse(it, err)
		return
	}
	if r.Sequence == 0 {
		r.Sequence = m.sequence.Add(1)
		it.reporter.arrival.Sequence = r.Sequence
	}
	r.Verification = p.verify(it)
	switch r.Verification.Decision {
	case DecisionAccept:
		p.accept(it)
	case DecisionFail:
		m.count(it.ctx, IntegrityViolations, r.Verification.Verdict.String())
		p.report(it, m.tampered(it))
	default:
		p.quarantine(it)
	}
}

// refuse ends the way of an invalid event.
func (p *pass) refuse(it *item, err error) {
	it.result.Err = err
	it.stage = settled
	p.m.count(it.ctx, Errors, "invalid")
}

// verify asks the verifier. An event that makes it panic is not trusted.
func (p *pass) verify(it *item) (v Verification) {
	m := p.m
	if m.config.Verifier == nil {
		return Verification{Decision: DecisionAccept, Verdict: VerdictUnverified, Covered: ^Fields(0)}
	}
	defer func() {
		if r := recover(); r != nil {
			m.count(it.ctx, Errors, "panic")
			v = Verification{Decision: DecisionFail, Verdict: VerdictUnverified, Err: recovered("verifier", r)}
		}
		m.count(it.ctx, Verifications, v.Verdict.String())
	}()
	return m.config.Verifier.Verify(it.ctx, it.event)
}

// quarantine keeps an undecided event, or leaves it to the caller.
func (p *pass) quarantine(it *item) {
	m := p.m
	m.count(it.ctx, EventsUndecided, "")
	if m.work.quarantine.keep(it.event) {
		it.result.Quarantined = true
		it.stage = judged
		return
	}
	it.failed = fmt.Errorf("monitor: verify event: %w: %w", ErrUndecided, it.result.Verification.Err)
}

// accept lets an event whose content is authentic on to the detectors, unless
// it is known already.
func (p *pass) accept(it *item) {
	m, a := p.m, &it.reporter.arrival
	a.OrganizationID = it.event.OrganizationID
	if a.OrganizationID == "" {
		a.OrganizationID = m.config.DefaultOrganization
	}
	switch {
	case a.OrganizationID == "":
		p.refuse(it, invalid("organizationId", "missing"))
		return
	case a.OrganizationID == m.config.OperatorOrganization, strings.ContainsRune(a.OrganizationID, 0):
		p.refuse(it, invalid("organizationId", "%q is reserved", a.OrganizationID))
		return
	}
	a.Verified, a.Covered = m.config.Verifier != nil, it.result.Verification.Covered
	if m.seen != nil && it.event.ID != "" && !p.reserve(it) {
		return
	}
	m.tide.judge(a, it.event.Timestamp, p.now)
	it.result.Timing = a.Timing
	switch a.Timing {
	case TimingTooLate:
		m.count(it.ctx, EventsTooLate, "")
	case TimingFuture:
		m.count(it.ctx, EventsFuture, "")
	}
	it.stage = admitted
}

// reserve looks the event up in the memory and reports whether it is new.
func (p *pass) reserve(it *item) bool {
	m := p.m
	key := m.seen.key(it.reporter.arrival.OrganizationID, it.event.ID)
	found := m.seen.reserve(p, key, it.event.digest(m.seen.seed), p.now)
	if found.forgot {
		m.count(it.ctx, DuplicatesForgotten, "")
	}
	it.result.Duplicate = found.duplicate
	switch {
	case found.busy:
		it.failed = fmt.Errorf("monitor: process event %.64q: another call is at work on it: %w", it.event.ID, ErrConflict)
	case found.halted != nil:
		it.known = key
		it.resume(found.halted)
	case found.duplicate == DuplicateRedelivered:
		m.count(it.ctx, EventsDuplicate, "")
		it.stage = judged
	case found.duplicate == DuplicateReplayed:
		m.count(it.ctx, EventsReplayed, "")
		p.report(it, m.replayed(it))
	case found.duplicate == DuplicateConflicting:
		m.count(it.ctx, EventsConflicting, "")
		p.report(it, m.conflicting(it))
	default:
		it.known = key
		return true
	}
	return false
}

// resume goes on where an earlier attempt stopped.
func (it *item) resume(h *halted) {
	it.reporter.arrival, it.done, it.raised = h.arrival, h.done, h.raised
	it.result.Sequence, it.result.Timing = h.arrival.Sequence, h.arrival.Timing
	it.reporter.findings, it.result.Findings = h.findings, h.findings
	it.stage = admitted
}

// report adds a finding of the monitor's own, which is all that is looked for
// in the event.
func (p *pass) report(it *item, f Finding) {
	it.reporter.Report(f)
	it.result.Findings = it.reporter.findings
	it.stage = judged
}

// settle ends the way of every event that nothing stopped.
func (p *pass) settle() {
	m := p.m
	var share time.Duration
	if m.config.Metrics != nil {
		share = time.Since(p.now) / time.Duration(len(p.items))
	}
	for i := range p.items {
		it := &p.items[i]
		if it.stage == settled {
			continue // refused, or settled by an earlier run
		}
		if it.failed == nil {
			it.stage = settled
			m.count(it.ctx, EventsProcessed, "")
			m.record(it.ctx, Measurement{Metric: ProcessingLatency, Value: int64(share)})
		}
		it.result.Err = it.failed
		if failure := it.reporter.failure; failure != nil {
			it.result.Err = errors.Join(it.failed, failure)
		}
	}
}
