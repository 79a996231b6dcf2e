package detect

import "github.com/auditwarden/auditwarden/monitor"

// A sighting is an event on its way into the window of a group.
type sighting struct {
	hit      hit
	id       string // of the event
	sequence uint64 // of the event
	stamp    stamp
	reporter *monitor.Reporter
	// ids has the IDs of other events.
	ids interface{ get(sequence uint64) string }
	// hidden is how many events are in its window and not in the entry.
	hidden int
}

// count puts the event into its window and reports the events that qualify
// because of it.
func (s *sighting) count() {
	r, a := s.hit.rule, s.reporter.Arrival()
	sh, place := r.table.shard(a.OrganizationID, s.hit.group.Value)
	evicted, truncated := s.countIn(sh, place)
	if evicted > 0 {
		s.reporter.Count(monitor.StateEvictions, r.Name, evicted)
	}
	if truncated > 0 {
		s.reporter.Count(monitor.StateTruncations, r.Name, truncated)
	}
}

func (s *sighting) countIn(sh *shard, place uint64) (evicted, truncated int) {
	r, a := s.hit.rule, s.reporter.Arrival()
	horizon := r.horizon(s.stamp.ts, a)

	sh.mu.Lock()
	defer sh.mu.Unlock()
	en := sh.entries.find(place, a.OrganizationID, s.hit.group.Value)
	if en != nil {
		en.touched = true
		en.tenant.horizon = max(en.tenant.horizon, horizon)
	} else {
		en, evicted = sh.admit(place, a.OrganizationID, s.hit.group.Value, horizon, r.maxKeys/len(r.table.shards))
	}
	return evicted, s.enter(sh, en, horizon)
}

// horizon returns the time up to which nothing is needed any more when an event
// of that time arrives.
func (r *rule) horizon(ts int64, a *monitor.Arrival) int64 {
	if !a.Watermark.IsZero() {
		ts = max(ts, a.Watermark.UnixNano())
	}
	return minus(minus(ts, int64(a.Lateness)), r.window)
}

// enter puts the event into its window, with what is not later than the horizon
// left out, and judges it. It returns how many events that cost.
func (s *sighting) enter(sh *shard, en *entry, horizon int64) (truncated int) {
	r := s.hit.rule
	en.prepare(r)
	en.expire(horizon)

	i := en.stamps.len()
	if s.stamp.ts < en.newest() {
		i = en.after(s.stamp.ts)
	}
	for ; en.stamps.len() >= r.maxEvents; truncated++ {
		sh.truncations++
		if i == 0 {
			en.lost = max(en.lost, s.stamp.ts)
			return truncated + 1
		}
		en.lost = max(en.lost, en.stamps.at(0).ts)
		en.drop()
		i--
	}
	en.insert(i, s.stamp, s.hit.mark, r.maxEvents)
	switch late := i < en.stamps.len()-1; {
	case r.kind == counting && !late:
		s.countNewest(en)
	case r.kind == counting:
		s.countLate(en, i)
	case !late:
		if n := en.marked.walk.advance(en, i); n >= r.Threshold {
			s.report(en, i, n, false)
		}
	default:
		s.walkLate(sh, en, i)
	}
	return truncated
}

// again reports the i-th stamp, which was counted before, and those after it
// that have it in their window, if they qualify, but none before the first-th,
// which is where the last call for the entry ended. Whatever was reported because
// of it may have got lost, and what qualified without it since cannot be told
// apart. It returns the first stamp that does not have it in its window.
func (s *sighting) again(sh *shard, en *entry, i, first int) (end int) {
	r := s.hit.rule
	en.prepare(r)
	end = max(i, first)
	if r.kind != counting && i >= first {
		end = en.after(minus(s.stamp.ts, en.window))
		sh.after.restart(r, end, -1)
	}
	for ; end < en.stamps.len(); end++ {
		limit := minus(en.stamps.at(end).ts, en.window)
		if limit >= s.stamp.ts {
			break
		}
		n := end + 1 - en.after(limit)
		if end == i {
			n += s.hidden
		}
		if r.kind != counting {
			n = sh.after.advance(en, end)
		}
		if end >= i && n >= r.Threshold {
			s.report(en, end, n, end != i)
		}
	}
	return end
}

// countNewest counts the newest stamp.
func (s *sighting) countNewest(en *entry) {
	newest := en.stamps.len() - 1
	limit := minus(s.stamp.ts, en.window)
	start := int(en.start)
	for start < newest && en.stamps.at(start).ts <= limit {
		start++
	}
	en.start = int32(start)
	if n := newest - start + 1 + s.hidden; n >= s.hit.rule.Threshold {
		s.report(en, newest, n, false)
	}
}

// countLate counts the i-th stamp, which was inserted before others. It can make
// only those after it qualify that have it among the threshold's number of stamps
// up to them, and whose window did not reach one stamp further back. If it lies
// before the newest stamp's window, start is too early now, which does not
// matter.
func (s *sighting) countLate(en *entry, i int) {
	threshold := s.hit.rule.Threshold
	if n := i + 1 - en.after(minus(s.stamp.ts, en.window)) + s.hidden; n >= threshold {
		s.report(en, i, n, false)
	}
	for j := i + 1; j < en.stamps.len() && j < i+threshold; j++ {
		limit := minus(en.stamps.at(j).ts, en.window)
		qualifies := j-threshold+1 >= 0 && en.stamps.at(j-threshold+1).ts > limit
		before := j-threshold >= 0 && en.stamps.at(j-threshold).ts > limit
		if qualifies && !before {
			s.report(en, j, threshold, true)
		}
	}
}

// walkLate judges the i-th stamp, which was inserted before others, and those
// after it, by going through their windows without it and with it.
func (s *sighting) walkLate(sh *shard, en *entry, i int) {
	r := s.hit.rule
	from := en.after(minus(s.stamp.ts, en.window))
	sh.before.restart(r, from, i)
	sh.after.restart(r, from, -1)
	for j := from; j < en.stamps.len(); j++ {
		without := 0
		if j != i {
			without = sh.before.advance(en, j)
		}
		with := sh.after.advance(en, j)
		if with >= r.Threshold && without < r.Threshold {
			s.report(en, j, with, j != i)
		}
	}
	en.marked.walk, sh.after = sh.after, en.marked.walk
}

// report reports that the i-th stamp qualifies; completed says that it did so
// because of the sighting and came before it.
func (s *sighting) report(en *entry, i, n int, completed bool) {
	r, at := s.hit.rule, en.stamps.at(i)
	limit := minus(at.ts, en.window)
	f := s.hit.finding()
	f.OrganizationID = en.tenant.organization
	f.Event = s.ref(*at)
	if completed {
		f.CompletedBy = s.ref(s.stamp)
	}
	f.Count = min(n, r.maxEvents)
	f.AtLeast = en.lost > limit || n > r.maxEvents || completed && s.hidden > 0
	held := 0
	for held < r.maxReferences && held <= i && en.stamps.at(i-held).ts > limit {
		held++
	}
	f.References = s.reporter.References(held)
	for j := range f.References {
		f.References[j] = s.ref(*en.stamps.at(i - held + 1 + j))
	}
	s.reporter.Report(f)
}

// ref returns the reference to a stamp's event.
func (s *sighting) ref(st stamp) monitor.EventRef {
	ref := monitor.EventRef{Timestamp: timeOf(st.ts), Sequence: st.sequence}
	if st == s.stamp {
		ref.ID, ref.Sequence = s.id, s.sequence
	} else {
		ref.ID = s.ids.get(st.sequence)
	}
	return ref
}
