package monitor

import (
	"errors"
	"fmt"
	"slices"
)

// raise stores the findings of all events as occurrences of alerts, in one
// call. The first occurrence of an alert is in the store when it returns.
func (p *pass) raise() {
	clear(p.occurrence)
	p.occurrence, p.owners = p.occurrence[:0], p.owners[:0]
	for i := range p.items {
		it := &p.items[i]
		it.unstored = false
		for n := it.raised; n < len(it.result.Findings); n++ {
			p.occur(it, n)
		}
	}
	dispositions, err := p.store()
	for i, o := range p.owners {
		if err != nil {
			p.keepBack(o.item, p.pointers[i], err)
			continue
		}
		o.item.disposition(p, o.finding, dispositions[i])
	}
	for i := range p.items {
		if it := &p.items[i]; !it.unstored {
			p.countFindings(it)
		}
	}
}

// keepBack leaves an occurrence that could not be stored to the next attempt.
func (p *pass) keepBack(it *item, o *Occurrence, err error) {
	if !it.unstored {
		p.m.count(it.ctx, Errors, "handler")
		it.failed = errors.Join(it.failed, err)
	}
	it.unstored = true
	if it.result.Verification.Decision == DecisionFail {
		p.m.folding.putBack(it.result.Verification.Verdict, o)
	}
}

// disposition notes what became of a finding.
func (it *item) disposition(p *pass, finding int, d Disposition) {
	r := &it.result
	if len(r.Dispositions) < len(r.Findings) {
		all := carve(&p.stored, len(r.Findings), findingSlab)
		copy(all, r.Dispositions)
		r.Dispositions = all
	}
	r.Dispositions[finding] = d
}

// occur adds an occurrence for a finding that raises an alert.
func (p *pass) occur(it *item, n int) {
	m, f := p.m, &it.result.Findings[n]
	if f.Shadow || m.store == nil {
		return
	}
	stands := int64(1)
	if it.result.Verification.Decision == DecisionFail {
		if stands = m.folding.take(it.result.Verification.Verdict, p.now); stands == 0 {
			m.count(it.ctx, IntegrityAlertsAggregated, it.result.Verification.Verdict.String())
		}
	}
	count := len(p.occurrence)
	p.occurrence = slices.Grow(p.occurrence, 1)[:count+1] // it is cleared
	o := &p.occurrence[count]
	o.Finding = *f
	o.Fingerprint = FingerprintOf(f.Rule, f.OrganizationID, f.Key)
	o.EventKey = m.eventKey(it, f)
	o.Source = m.config.Source
	o.CorrelationID = it.event.CorrelationID
	o.Count = stands
	o.FirstSeen, o.LastSeen = f.Event.Timestamp, f.Event.Timestamp
	if stands == 0 {
		m.folding.fold(it.result.Verification.Verdict, o)
		*o = Occurrence{}
		p.occurrence = p.occurrence[:count]
		return
	}
	p.owners = append(p.owners, owner{it, n})
}

// eventKey identifies the event that a finding is about. Only an accepted event
// is taken at its word on its ID, and a replay is an event of its own.
func (m *Monitor) eventKey(it *item, f *Finding) EventKey {
	ref := f.Event
	if it.result.Verification.Decision != DecisionAccept || it.result.Duplicate != DuplicateNone {
		ref.ID = ""
	}
	return m.keys.key(f.OrganizationID, ref)
}

// store hands the occurrences to the store.
func (p *pass) store() (_ []Disposition, err error) {
	if len(p.occurrence) == 0 {
		return nil, nil
	}
	p.pointers = p.pointers[:0]
	for i := range p.occurrence {
		p.pointers = append(p.pointers, &p.occurrence[i])
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("monitor: store alerts: %w", recovered("alert handler", v))
		}
		p.m.health.stored(err)
	}()
	dispositions, err := p.m.store.StoreOccurrences(p.ctx, p.pointers)
	if err != nil {
		return nil, fmt.Errorf("monitor: store alerts: %w", err)
	}
	if len(dispositions) != len(p.pointers) {
		return nil, fmt.Errorf("monitor: store alerts: %d dispositions for %d occurrences", len(dispositions), len(p.pointers))
	}
	return dispositions, nil
}

// countFindings counts the findings that are dealt with now.
func (p *pass) countFindings(it *item) {
	m, r := p.m, &it.result
	for n := it.raised; n < len(r.Findings); n++ {
		f := &r.Findings[n]
		if f.Shadow {
			m.count(it.ctx, ShadowFindings, f.Rule)
			continue
		}
		m.count(it.ctx, SuspiciousPatterns, f.Rule)
		if n >= len(r.Dispositions) {
			continue // there is no store
		}
		switch r.Dispositions[n].Stored {
		case StoredNew:
			m.count(it.ctx, AlertsCreated, f.Rule)
		case StoredRepeat:
			m.count(it.ctx, AlertsRepeated, f.Rule)
		case StoredNothing, StoredBefore:
		}
		if r.Dispositions[n].Notify == NotifySuppressed {
			m.count(it.ctx, AlertsSuppressed, f.Rule)
		}
	}
	it.raised = len(r.Findings)
}
