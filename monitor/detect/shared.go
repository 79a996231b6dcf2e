package detect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/auditwarden/auditwarden/monitor"
)

// An exchange is a call to the engine whose windows are shared: it judges the
// events by what the windows held before and, one by one, what is new.
type exchange struct {
	engine    *Engine
	reporters []*monitor.Reporter
	hits      []sharedHit
	windows   []*Window
	known     map[windowKey]*Window
}

// A sharedHit is a hit of an event of the call.
type sharedHit struct {
	hit
	event  int     // of the call
	window *Window // nil for a stateless rule
	place  int     // in the window's new events
}

// windowKey tells the windows of a call apart.
type windowKey struct {
	table               *table
	organization, group string
}

// detectShared is DetectBatch for an engine whose windows are shared.
func (en *Engine) detectShared(ctx context.Context, es []*monitor.Event, rs []*monitor.Reporter) error {
	x := &exchange{engine: en, reporters: rs, known: map[windowKey]*Window{}}
	set := en.set.Load()
	for i, e := range es {
		for _, h := range set.hits(e, rs[i], nil) {
			x.add(i, e, h)
		}
	}
	var earlier []*Window
	if len(x.windows) > 0 {
		var err error
		if earlier, err = set.windows.Exchange(ctx, x.windows); err != nil {
			return fmt.Errorf("detect: exchange windows: %w", err)
		}
	}
	for _, w := range earlier {
		w.judgeAgain(rs[len(rs)-1])
	}
	for i := range x.hits {
		h := &x.hits[i]
		if rep := rs[h.event]; h.window == nil {
			h.reportStateless(es[h.event], rep)
		} else {
			h.window.judge(&h.window.New[h.place], rep)
		}
	}
	return nil
}

// add adds a hit of the i-th event.
func (x *exchange) add(i int, e *monitor.Event, h hit) {
	if h.rule.kind == stateless {
		x.hits = append(x.hits, sharedHit{hit: h, event: i})
		return
	}
	a := x.reporters[i].Arrival()
	ts := e.Timestamp.UnixNano()
	horizon := h.rule.horizon(ts, a)
	w := x.window(&h, a)
	// Another instance may be behind by as much as an event may be late.
	w.Horizon = min(w.Horizon, minus(horizon, int64(a.Lateness)))
	w.Keep = max(w.Keep, h.rule.Window+2*a.Lateness)
	h.group.Value = w.group
	x.hits = append(x.hits, sharedHit{hit: h, event: i, window: w, place: len(w.New)})
	n := WindowEvent{
		Key: x.engine.eventKey(e, a), Timestamp: ts, Mark: h.mark,
		hit: h, sequence: a.Sequence, horizon: horizon,
	}
	if len(e.ID) <= maxID {
		n.ID = strings.Clone(e.ID)
	}
	w.New = append(w.New, n)
}

// window returns the window of a hit.
func (x *exchange) window(h *hit, a *monitor.Arrival) *Window {
	key := windowKey{h.rule.table, a.OrganizationID, h.group.Value}
	w := x.known[key]
	if w == nil {
		w = &Window{
			ID: h.rule.windowID(a.OrganizationID, h.group.Value), Limit: h.rule.maxEvents,
			Horizon: math.MaxInt64, Span: h.rule.Window, Lost: math.MinInt64,
			rule: h.rule, organization: strings.Clone(a.OrganizationID), group: strings.Clone(h.group.Value),
		}
		if h.rule.kind == counting {
			w.Tail = max(h.rule.Threshold, h.rule.maxReferences)
		}
		x.known[key] = w
		x.windows = append(x.windows, w)
	}
	return w
}

// windowID returns what identifies a window wherever it is shared.
func (r *rule) windowID(organization, group string) string {
	var room [256]byte
	b := encoder(room[:0])
	for _, s := range [...]string{r.Name, r.Version, r.steps, organization, group} {
		b.string(s)
	}
	sum := sha256.Sum256(append(b, byte(r.kind)))
	return hex.EncodeToString(sum[:16])
}

// eventKey returns the key of an event: by its ID, or else by its number at this
// engine.
func (en *Engine) eventKey(e *monitor.Event, a *monitor.Arrival) monitor.EventKey {
	if e.ID != "" {
		return monitor.EventKeyOf(a.OrganizationID, e.ID)
	}
	var key monitor.EventKey
	copy(key[:8], en.nonce[:])
	binary.BigEndian.PutUint64(key[8:], a.Sequence)
	return key
}

// An opened window has its events in an entry.
type opened struct {
	entry
	room shard             // for judging late events
	ids  map[uint64]string // of New and Held, by the sequence of the stamp
}

// open puts the events that the window held into an entry.
func (w *Window) open() {
	w.opened = &opened{entry: entry{lost: w.Lost, tenant: &tenant{organization: w.organization}}}
	if w.rule.kind != counting {
		w.opened.marked = &marked{}
	}
	for i := range w.Held {
		w.opened.insert(i, w.Held[i].stamp(), w.Held[i].Mark, math.MaxInt)
	}
}

// find returns where the entry has an event, or -1.
func (o *opened) find(e *WindowEvent) int {
	st := e.stamp()
	for i := o.after(st.ts) - 1; i >= 0 && o.stamps.at(i).ts == st.ts; i-- {
		if *o.stamps.at(i) == st {
			return i
		}
	}
	return -1
}

// judge judges a new event of a window, as an engine by itself would. One that
// was counted before is judged again.
func (w *Window) judge(n *WindowEvent, rep *monitor.Reporter) {
	if w.opened == nil {
		w.open()
		if w.Cut > 0 {
			rep.Count(monitor.StateTruncations, w.rule.Name, w.Cut)
		}
	}
	s := w.sighting(n, rep)
	if i := w.opened.find(n); i >= 0 {
		s.again(&w.opened.room, &w.opened.entry, i, 0)
		return
	}
	s.enter(&w.opened.room, &w.opened.entry, n.horizon)
}

// judgeAgain judges a window of an earlier call, whose events it all has now.
func (w *Window) judgeAgain(rep *monitor.Reporter) {
	w.open()
	for i := range w.New {
		if n := &w.New[i]; w.opened.find(n) < 0 {
			w.opened.insert(w.opened.after(n.Timestamp), n.stamp(), n.Mark, math.MaxInt)
		}
	}
	slices.SortFunc(w.New, func(a, b WindowEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	end := 0 // what is before was judged
	for i := range w.New {
		n := &w.New[i]
		s := w.sighting(n, rep)
		end = s.again(&w.opened.room, &w.opened.entry, w.opened.find(n), end)
	}
}

func (w *Window) sighting(n *WindowEvent, rep *monitor.Reporter) *sighting {
	return &sighting{hit: n.hit, id: n.ID, sequence: n.sequence, stamp: n.stamp(), reporter: rep, ids: w, hidden: n.Hidden}
}

// get returns the ID of an event of the window.
func (w *Window) get(sequence uint64) string {
	o := w.opened
	if o.ids == nil {
		o.ids = make(map[uint64]string, len(w.Held)+len(w.New))
		for _, events := range [...][]WindowEvent{w.Held, w.New} {
			for i := range events {
				o.ids[events[i].stamp().sequence] = events[i].ID
			}
		}
	}
	return o.ids[sequence]
}
