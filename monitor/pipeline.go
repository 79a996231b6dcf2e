package monitor

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A pipeline takes events through the stages: admission, detection, raising of
// alerts.
type pipeline struct {
	admission  admission
	detection  detection
	raising    raising
	tracing    tracing
	quarantine quarantine
	tenants    tenants
	metrics    meter
	sequence   sequence
	batches    sync.Pool // of *batch
	calls      calls     // of Process and ProcessBatch

	reportStages bool // in the results
	readClock    bool // between the stages, as somebody wants to know
}

func (p *pipeline) init(c *Config, health *HealthTracker) {
	p.metrics = meter{c.Metrics, &panics{logger: c.Logger}}
	p.admission = admission{
		verifier: c.Verifier, defaultOrganization: c.DefaultOrganization,
		operator: c.OperatorOrganization, source: c.Source, metrics: p.metrics,
	}
	p.admission.watermarks.init(c.Lateness, c.MaxSkew, watermarkCapacity)
	if c.DuplicateCapacity > 0 {
		p.admission.dedup = newDedupCache(c.DuplicateCapacity, c.RedeliveryHorizon)
	}
	p.detection.detectors, p.detection.metrics = c.Detectors, p.metrics
	p.detection.unmatched.init(c.Logger)
	p.raising = raising{
		store: c.Alerts, source: c.Source, operator: c.OperatorOrganization, skew: c.MaxSkew, keys: newKeyspace(),
		metrics: p.metrics, logger: c.Logger, health: health, evidence: c.Evidence,
	}
	p.raising.flushing = make(chan struct{}, 1)
	p.raising.limit.rate = int64(c.IntegrityAlertRate)
	p.tracing = tracing{c.Tracer, p.metrics}
	p.tenants = tenants{c.DefaultOrganization, &p.admission.watermarks}
	p.quarantine.init(c.QuarantineCapacity, c.QueueCapacity, p.tenants)
	p.reportStages, p.readClock = c.ReportStages, c.ReportStages || c.Tracer != nil
	p.calls.init()
	p.batches.New = func() any { return &batch{counted: p.calls.place()} }
}

// begin returns a batch for the events of a call.
func (p *pipeline) begin() *batch {
	return p.batches.Get().(*batch) //nolint:errcheck,forcetypeassert // the pool's only type
}

// end gives the batch back. What its results hold stays theirs.
func (p *pipeline) end(b *batch) {
	for i := range b.items {
		p.admission.release(&b.items[i])
	}
	b.raising.clear()
	clear(b.items)
	b.items = b.items[:0]
	p.batches.Put(b)
}

// run takes events through the stages, each as far as it goes. Those that an
// earlier run left unsettled go on where they stopped.
func (p *pipeline) run(ctx context.Context, b *batch, items []item) {
	stages := Stages{Start: time.Now()}
	ctx = p.enter(ctx, b, items, stages.Start)
	for i := range items {
		p.admission.admit(&items[i], b.items, stages.Start)
	}
	stages.Verified = stages.read(p.readClock)
	p.detection.detect(ctx, items, &b.judging, &b.reporting)
	if p.raising.collect(items, &b.raising, stages.Start) {
		stages.Detected = stages.read(p.readClock)
		ctx = p.tracing.store(ctx, b.raising.pointers, stages.Detected)
	}
	p.raising.raise(ctx, items, &b.raising)
	stages.End = stages.read(p.readClock || p.metrics.collector != nil)
	if stages.Detected.IsZero() {
		stages.Detected = stages.End
	}
	p.settle(items, stages)
	p.tracing.end(ctx, stages, &b.traced)
}

// enter prepares events for a run and returns the context of the run.
func (p *pipeline) enter(ctx context.Context, b *batch, items []item, now time.Time) context.Context {
	if len(items) == 1 {
		ctx = items[0].within(ctx)
	}
	ctx = p.tracing.start(ctx, items, now, &b.traced)
	for i := range items {
		it := &items[i]
		it.ctx, it.failed = ctx, nil //nolint:fatcontext // each has its own
		if len(items) > 1 {
			it.ctx = it.within(ctx)
		}
		it.reporter.shared = &b.reporting
	}
	return ctx
}

// settle notes what became of the events, and ends the way of those that
// nothing stopped.
func (p *pipeline) settle(items []item, stages Stages) {
	share := stages.End.Sub(stages.Start) / time.Duration(len(items))
	var report *Stages
	if p.reportStages {
		report = new(Stages)
		*report = stages
	}
	for i := range items {
		it, r := &items[i], &items[i].result
		r.Stages = report
		if it.stage == settled {
			continue // rejected
		}
		r.Sequence, r.Timing = it.reporter.arrival.Sequence, it.reporter.arrival.Timing
		r.Findings = it.reporter.findings
		r.Err = it.failed
		if failure := it.reporter.failure; failure != nil {
			r.Err = errors.Join(it.failed, failure)
		}
		switch {
		case it.failed == nil:
			it.stage, r.State = settled, StateDone
			p.metrics.count(it.ctx, EventsProcessed, "")
			p.metrics.record(it.ctx, ProcessingLatency, int64(share), "")
		case it.quarantined:
			r.State = StateQuarantined // it stays there
		case errors.Is(it.failed, ErrUndecided) && p.quarantine.keep(it):
			it.stage, r.State, r.Err = settled, StateQuarantined, nil
		default:
			r.State = StateRetry
		}
	}
}

// giveUp makes an event that cannot be verified end as one that failed verification,
// and reports whether it was one for which the quarantine has no room.
func (p *pipeline) giveUp(it *item, now time.Time) bool {
	if !errors.Is(it.failed, ErrUndecided) || !p.quarantine.active() {
		return false
	}
	it.result.Verification = Verification{Decision: DecisionFail, Verdict: VerdictUndecided, Err: it.failed}
	p.admission.clean(it, allFields|fieldSignature)
	it.find(it.tampered(p.admission.operator, p.admission.source, now))
	p.metrics.count(it.ctx, EventsGivenUp, "")
	return true
}
