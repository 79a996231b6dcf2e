package monitor

import (
	"context"
	"slices"
	"strings"
)

// An item is one event on its way through the stages.
type item struct {
	Delivery

	ctx      context.Context //nolint:containedctx // the one that this event is processed in
	reporter Reporter        // with the event's arrival and findings
	result   Result
	stage    stage
	judged   uint64      // the detectors that have judged the event, a bit each
	raised   int         // findings that are dealt with
	unstored bool        // the store failed on the others
	reserved reservation // in the dedup cache
	faulty   Fields      // that are not valid and no signature covers
	failed   error       // what stopped it; the next run goes on from there

	submitted bool // it is the monitor's own
	aside     bool // it goes to the quarantine rather than wait for a slow key

	quarantined bool // it is kept there until it is settled
}

// stage is how far an event has come.
type stage uint8

const (
	arrived  stage = iota // to be validated, verified and looked up
	admitted              // to be judged by the detectors
	judged                // its findings are to be stored
	settled               // nothing is left to do
)

// progress is what is kept of an event that is not settled. It shares no memory
// with the event.
func (it *item) progress() *progress {
	if it.stage == settled {
		return nil
	}
	p := &progress{it.reporter.arrival, it.reporter.reports, it.judged, it.raised, slices.Clone(it.result.Dispositions)}
	p.arrival.OrganizationID = strings.Clone(p.arrival.OrganizationID)
	p.reports.findings = make([]Finding, len(it.reporter.findings))
	for i := range p.reports.findings {
		p.reports.findings[i] = it.reporter.findings[i].clone()
	}
	return p
}

// resume goes on where an earlier attempt stopped.
func (it *item) resume(p *progress) {
	it.reporter.arrival, it.reporter.reports = p.arrival, p.reports
	it.judged, it.raised, it.result.Dispositions = p.judged, p.raised, p.dispositions
	it.stage = admitted
}

// find reports a finding of the monitor's own. No detector sees the event.
func (it *item) find(f Finding) {
	it.reporter.Report(f)
	it.stage = judged
}

// reject ends the way of an event that is invalid.
func (it *item) reject(err error) {
	it.result.State, it.result.Err = StateRejected, err
	it.stage = settled
}

// contains reports whether the event with that number is among the items.
func contains(items []item, sequence uint64) bool {
	for i := range items {
		if sequence != 0 && items[i].reporter.arrival.Sequence == sequence {
			return true
		}
	}
	return false
}
