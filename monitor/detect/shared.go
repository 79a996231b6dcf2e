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
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

// An exchange is a call to an engine whose windows are shared: it judges the
// events by what the windows held before and, one by one, what is new.
type exchange struct {
	rules     *ruleset
	nonce     [8]byte // begins the keys of events without ID
	reporters []*monitor.Reporter
	hits      []sharedHit
	requests  []*WindowRequest
	horizons  [][]int64           // up to which the events of a request need no others
	known     map[sharedGroup]int // the place of a request
}

// A sharedHit is a hit of an event of the call.
type sharedHit struct {
	hit
	event   int // of the call
	request int
	place   int // in the request
}

// A sharedGroup tells the requests of a call apart.
type sharedGroup struct {
	table               *window.Table
	organization, group string
}

// run judges the events, each with its reporter.
func (x *exchange) run(ctx context.Context, es []*monitor.Event) error {
	x.known = map[sharedGroup]int{}
	for i, e := range es {
		for _, h := range x.rules.hits(e, x.reporters[i], nil) {
			x.add(i, e, h)
		}
	}
	answers, err := x.ask(ctx)
	if err != nil {
		return fmt.Errorf("detect: exchange windows: %w", err)
	}
	for i := len(x.requests); i < len(answers); i++ {
		x.judgeAgain(&answers[i])
	}
	windows := make([]*sharedWindow, len(x.requests))
	for i := range x.hits {
		h := &x.hits[i]
		rep := x.reporters[h.event]
		if h.rule.kind == window.Stateless {
			h.reportStateless(es[h.event], rep)
			continue
		}
		w := windows[h.request]
		if w == nil {
			w = newSharedWindow(h.rule, &answers[h.request])
			windows[h.request] = w
			if cut := w.answer.Cut; cut > 0 {
				rep.Count(monitor.StateTruncations, h.rule.Name, cut)
			}
		}
		o := w.observation(h.hit, h.place, rep)
		o.Horizon, o.Repeated = x.horizons[h.request][h.place], true
		w.group.Observe(&h.rule.spec, &o.Observation, &w.scratch)
		o.report(w.group, w.scratch.Hits)
	}
	return nil
}

// ask exchanges the windows.
func (x *exchange) ask(ctx context.Context) ([]WindowAnswer, error) {
	if len(x.requests) == 0 {
		return nil, nil
	}
	answers, err := x.rules.windows.Exchange(ctx, x.requests)
	if err != nil {
		return nil, err
	}
	if len(answers) < len(x.requests) {
		return nil, fmt.Errorf("%d answers to %d requests", len(answers), len(x.requests))
	}
	for i := range answers {
		a := &answers[i]
		if n := len(a.Hidden); n != 0 && n != len(a.Request.Events) {
			return nil, fmt.Errorf("hidden events are told for %d of %d", n, len(a.Request.Events))
		}
	}
	return answers, nil
}

// add adds a hit of the i-th event.
func (x *exchange) add(i int, e *monitor.Event, h hit) {
	if h.rule.kind == window.Stateless {
		x.hits = append(x.hits, sharedHit{hit: h, event: i})
		return
	}
	a := x.reporters[i].Arrival()
	ts := e.Timestamp.UnixNano()
	horizon := h.rule.horizon(ts, a)
	request := x.request(&h, a)
	q := x.requests[request]
	// Another instance may be behind by as much as an event may be late.
	q.Horizon = min(q.Horizon, window.Before(horizon, int64(a.Lateness)))
	q.Keep = max(q.Keep, h.rule.Window+2*a.Lateness)
	h.group.Value = q.Group
	x.hits = append(x.hits, sharedHit{hit: h, event: i, request: request, place: len(q.Events)})
	n := NewWindowEvent{
		WindowEvent: WindowEvent{Key: eventKey(e, a, x.nonce), Timestamp: ts, Mark: h.mark},
		Sequence:    a.Sequence, KeyField: h.group.Field, Uncovered: h.uncovered,
	}
	if len(e.ID) <= window.MaxID {
		n.ID = strings.Clone(e.ID)
	}
	q.Events = append(q.Events, n)
	x.horizons[request] = append(x.horizons[request], horizon)
}

// request returns the place of the request for a hit's window.
func (x *exchange) request(h *hit, a *monitor.Arrival) int {
	key := sharedGroup{h.rule.table, a.OrganizationID, h.group.Value}
	place, known := x.known[key]
	if known {
		return place
	}
	q := &WindowRequest{
		ID:   h.rule.windowID(a.OrganizationID, h.group.Value),
		Rule: h.rule.Name, OrganizationID: strings.Clone(a.OrganizationID), Group: strings.Clone(h.group.Value),
		Limit: h.rule.spec.MaxEvents, Horizon: math.MaxInt64, Span: h.rule.Window,
	}
	if h.rule.kind == window.Events {
		q.Tail = max(h.rule.Threshold, h.rule.maxReferences)
	}
	place = len(x.requests)
	x.known[key] = place
	x.requests, x.horizons = append(x.requests, q), append(x.horizons, nil)
	return place
}

// judgeAgain judges a window of an earlier call, whose events it all has now, by
// its rule if that is still there.
func (x *exchange) judgeAgain(a *WindowAnswer) {
	q := a.Request
	rules := x.rules.of(q.OrganizationID)
	i := slices.IndexFunc(rules, func(r *rule) bool {
		return r.Name == q.Rule && !r.disabled && r.windowID(q.OrganizationID, q.Group) == q.ID
	})
	if i < 0 {
		return
	}
	w := newSharedWindow(rules[i], a)
	byTime := make([]int, len(q.Events))
	for i := range q.Events {
		byTime[i] = i
		if n := &q.Events[i].WindowEvent; w.group.Find(n.stamp()) < 0 {
			w.group.Insert(n.stamp(), n.Mark, w.rule.kind, math.MaxInt)
		}
	}
	slices.SortStableFunc(byTime, func(a, b int) int { return cmp.Compare(q.Events[a].Timestamp, q.Events[b].Timestamp) })
	end := 0 // what is before was judged
	for _, i := range byTime {
		n := &q.Events[i]
		h := hit{rule: w.rule, group: Group{Field: n.KeyField, Value: q.Group}, uncovered: n.Uncovered, mark: n.Mark}
		o := w.observation(h, i, x.reporters[len(x.reporters)-1])
		end = w.group.Again(&w.rule.spec, &o.Observation, &w.scratch, end)
		o.report(w.group, w.scratch.Hits)
	}
}

// A sharedWindow is a window with the events that it held, to be judged.
type sharedWindow struct {
	rule    *rule
	answer  *WindowAnswer
	group   *window.Group
	scratch window.Scratch
	ids     map[uint64]string // of all events, by the sequence of the stamp
}

func newSharedWindow(r *rule, a *WindowAnswer) *sharedWindow {
	w := &sharedWindow{rule: r, answer: a, group: window.NewGroup(a.Lost)}
	for i := range a.Held {
		w.group.Insert(a.Held[i].stamp(), a.Held[i].Mark, r.kind, math.MaxInt)
	}
	return w
}

// observation returns the i-th event of the request, to be observed.
func (w *sharedWindow) observation(h hit, i int, rep *monitor.Reporter) *observation {
	n := &w.answer.Request.Events[i]
	o := &observation{
		hit: h, organization: w.answer.Request.OrganizationID, reporter: rep, ids: w,
		event:       monitor.EventRef{ID: n.ID, Timestamp: timeOf(n.Timestamp), Sequence: n.Sequence},
		Observation: window.Observation{Stamp: n.stamp(), Mark: n.Mark},
	}
	if len(w.answer.Hidden) > 0 {
		o.Hidden = w.answer.Hidden[i]
	}
	return o
}

// Get returns the ID of an event of the window.
func (w *sharedWindow) Get(sequence uint64) string {
	if w.ids == nil {
		w.ids = make(map[uint64]string, len(w.answer.Held)+len(w.answer.Request.Events))
		for i := range w.answer.Held {
			w.ids[w.answer.Held[i].stamp().Sequence] = w.answer.Held[i].ID
		}
		for i := range w.answer.Request.Events {
			n := &w.answer.Request.Events[i]
			w.ids[n.stamp().Sequence] = n.ID
		}
	}
	return w.ids[sequence]
}

// stamp returns the event as it stands in a group. Whoever saw it first, it has a
// sequence number that no event of a monitor has: one of the upper half.
func (e *WindowEvent) stamp() window.Stamp {
	number := binary.BigEndian.Uint64(e.Key[:8]) ^ binary.BigEndian.Uint64(e.Key[8:])
	return window.Stamp{Time: e.Timestamp, Sequence: number | 1<<63}
}

// windowID returns what identifies a window wherever it is shared.
func (r *rule) windowID(organization, group string) string {
	var room [256]byte
	b := room[:0]
	for _, s := range [...]string{r.Name, r.Version, r.steps, organization, group} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	sum := sha256.Sum256(append(b, byte(r.kind)))
	return hex.EncodeToString(sum[:16])
}

// eventKey returns the key of an event: by its ID, else by that of its delivery,
// else by its number at this engine.
func eventKey(e *monitor.Event, a *monitor.Arrival, nonce [8]byte) monitor.EventKey {
	if e.ID != "" {
		return monitor.EventKeyOf(a.OrganizationID, e.ID)
	}
	if a.DeliveryKey != (monitor.EventKey{}) {
		return a.DeliveryKey
	}
	var key monitor.EventKey
	copy(key[:8], nonce[:])
	binary.BigEndian.PutUint64(key[8:], a.Sequence)
	return key
}
