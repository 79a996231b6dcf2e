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
	"time"

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
	windows   []*sharedWindow
	byGroup   map[sharedGroup]*sharedWindow
}

// A sharedHit is a hit of an event of the call.
type sharedHit struct {
	hit
	event  int           // of the call
	window *sharedWindow // nil for a stateless rule
	place  int           // in the window's request
}

// A sharedGroup tells the windows of a call apart.
type sharedGroup struct {
	table               *window.Table
	organization, group string
}

// A sharedWindow is a window of a call, with what it held in a group to be
// judged.
type sharedWindow struct {
	rule    *rule
	request *WindowRequest
	// horizons are up to where the events of the request need no others.
	horizons []int64
	answer   WindowAnswer
	group    *window.Group
	scratch  window.Scratch
	events   map[uint64]*WindowEvent // by the sequence of the stamp
}

// maxNew is the number of events that are added to a window at once, so that one
// window with many does not hold up those that others wait for.
const maxNew = 1024

// run judges events, each with its reporter, as many as go at once. It returns how
// many.
func (x *exchange) run(ctx context.Context, es []*monitor.Event) (judged int, err error) {
	x.byGroup = map[sharedGroup]*sharedWindow{}
	for full := false; judged < len(es) && !full; judged++ {
		e := es[judged]
		for _, h := range x.rules.hits(e, x.reporters[judged], nil) {
			full = x.add(judged, e, h) || full
		}
	}
	earlier, err := x.ask(ctx)
	if err != nil {
		return 0, fmt.Errorf("detect: exchange windows: %w", err)
	}
	for _, a := range earlier {
		x.judgeAgain(a)
	}
	for i := range x.hits {
		h := &x.hits[i]
		rep := x.reporters[h.event]
		if h.window == nil {
			h.reportStateless(es[h.event], rep)
			continue
		}
		w := h.window
		if w.group == nil {
			w.open()
			if w.answer.Cut > 0 {
				rep.Count(monitor.StateTruncations, h.rule.Name, w.answer.Cut)
			}
		}
		o := w.observation(h.hit, h.place, rep)
		if id := es[h.event].ID; id != "" { // it may be longer than what the window has
			o.event.ID, o.key = id, monitor.EventKey{}
		}
		o.Horizon, o.Repeated = w.horizons[h.place], true
		w.group.Observe(&h.rule.spec, &o.Observation, &w.scratch)
		o.report(w.group, w.scratch.Hits)
	}
	return judged, nil
}

// add adds a hit of the i-th event, and reports whether its window is full now.
func (x *exchange) add(i int, e *monitor.Event, h hit) (full bool) {
	if h.rule.kind == window.Stateless {
		x.hits = append(x.hits, sharedHit{hit: h, event: i})
		return false
	}
	a := x.reporters[i].Arrival()
	ts := e.Timestamp.UnixNano()
	horizon := h.rule.horizon(ts, a)
	w := x.window(&h, a)
	q := w.request
	// Another instance may be behind by as much as an event may be late.
	q.Horizon = min(q.Horizon, window.Before(horizon, int64(a.Lateness)))
	q.Keep = max(q.Keep, h.rule.Window+2*a.Lateness+ahead(e, a))
	h.group.Value = q.Group
	x.hits = append(x.hits, sharedHit{hit: h, event: i, window: w, place: len(q.Events)})
	n := NewWindowEvent{
		WindowEvent: WindowEvent{Key: eventKey(e, a, x.nonce), Timestamp: ts, Mark: h.mark},
		Sequence:    a.Sequence, KeyField: h.group.Field, Uncovered: h.uncovered,
	}
	if len(e.ID) <= window.MaxID {
		n.ID = strings.Clone(e.ID)
	}
	q.Events, w.horizons = append(q.Events, n), append(w.horizons, horizon)
	return len(q.Events) >= maxNew
}

// ahead returns how far the event is ahead of the watermark. It is needed for as
// much longer.
func ahead(e *monitor.Event, a *monitor.Arrival) time.Duration {
	if a.Watermark.IsZero() {
		return 0
	}
	return min(max(0, e.Timestamp.Sub(a.Watermark)), math.MaxInt64/4)
}

// window returns the window of a hit.
func (x *exchange) window(h *hit, a *monitor.Arrival) *sharedWindow {
	key := sharedGroup{h.rule.table, a.OrganizationID, h.group.Value}
	if w := x.byGroup[key]; w != nil {
		return w
	}
	w := &sharedWindow{rule: h.rule, request: &WindowRequest{
		ID:   h.rule.windowID(a.OrganizationID, h.group.Value),
		Rule: h.rule.Name, OrganizationID: strings.Clone(a.OrganizationID), Group: strings.Clone(h.group.Value),
		Limit: h.rule.spec.MaxEvents, Horizon: math.MaxInt64, Span: h.rule.Window,
	}}
	if h.rule.kind == window.Events {
		w.request.Tail = max(h.rule.Threshold, h.rule.maxReferences)
	}
	x.byGroup[key] = w
	x.windows = append(x.windows, w)
	return w
}

// ask exchanges the windows, and returns the answers to earlier requests.
func (x *exchange) ask(ctx context.Context) (earlier []WindowAnswer, err error) {
	if len(x.windows) == 0 {
		return nil, nil
	}
	requests := make([]*WindowRequest, len(x.windows))
	for i, w := range x.windows {
		requests[i] = w.request
	}
	answers, err := x.rules.windows.Exchange(ctx, requests)
	if err != nil {
		return nil, err
	}
	if len(answers) < len(requests) {
		return nil, fmt.Errorf("%d answers to %d requests", len(answers), len(requests))
	}
	for _, a := range answers {
		if n := len(a.Hidden); n != 0 && n != len(a.Request.Events) {
			return nil, fmt.Errorf("hidden events are told for %d of %d", n, len(a.Request.Events))
		}
	}
	for i, w := range x.windows {
		w.answer = answers[i]
	}
	return answers[len(requests):], nil
}

// judgeAgain judges a window of an earlier call, whose events it all has now, by
// its rule if that is still there.
func (x *exchange) judgeAgain(a WindowAnswer) {
	q := a.Request
	rules := x.rules.of(q.OrganizationID)
	i := slices.IndexFunc(rules, func(r *rule) bool {
		return r.Name == q.Rule && !r.disabled && r.windowID(q.OrganizationID, q.Group) == q.ID
	})
	if i < 0 {
		return
	}
	w := &sharedWindow{rule: rules[i], request: q, answer: a}
	w.open()
	byTime := make([]int, len(q.Events))
	for i := range q.Events {
		byTime[i] = i
		if n := &q.Events[i].WindowEvent; w.group.Find(n.stamp()) < 0 {
			w.group.Insert(n.stamp(), n.Mark, w.rule.kind, math.MaxInt)
		}
	}
	slices.SortFunc(byTime, func(a, b int) int { return cmp.Compare(q.Events[a].Timestamp, q.Events[b].Timestamp) })
	end := 0 // what is before was judged
	for _, i := range byTime {
		n := &q.Events[i]
		h := hit{rule: w.rule, group: Group{Field: n.KeyField, Value: q.Group}, uncovered: n.Uncovered}
		o := w.observation(h, i, x.reporters[len(x.reporters)-1])
		end = w.group.Again(&w.rule.spec, &o.Observation, &w.scratch, end)
		o.report(w.group, w.scratch.Hits)
	}
}

// open puts the events that the window held into a group.
func (w *sharedWindow) open() {
	w.group = window.NewGroup(w.answer.Lost)
	for i := range w.answer.Held {
		held := &w.answer.Held[i]
		w.group.Insert(held.stamp(), held.Mark, w.rule.kind, math.MaxInt)
	}
}

// observation returns the i-th event of the request, to be observed.
func (w *sharedWindow) observation(h hit, i int, rep *monitor.Reporter) *observation {
	n := &w.request.Events[i]
	o := &observation{
		hit: h, organization: w.request.OrganizationID, reporter: rep, others: w,
		event:       monitor.EventRef{ID: n.ID, Timestamp: timeOf(n.Timestamp), Sequence: n.Sequence},
		Observation: window.Observation{Stamp: n.stamp(), Mark: n.Mark},
	}
	if n.ID == "" {
		o.key = n.Key
	}
	if len(w.answer.Hidden) > 0 {
		o.Hidden = w.answer.Hidden[i]
	}
	return o
}

// identify tells what identifies an event of the window.
func (w *sharedWindow) identify(sequence uint64) (id string, key monitor.EventKey) {
	if w.events == nil {
		w.events = map[uint64]*WindowEvent{}
		for i := range w.answer.Held {
			w.events[w.answer.Held[i].stamp().Sequence] = &w.answer.Held[i]
		}
		for i := range w.request.Events {
			e := &w.request.Events[i].WindowEvent
			w.events[e.stamp().Sequence] = e
		}
	}
	e := w.events[sequence]
	if e.ID != "" {
		return e.ID, key
	}
	return "", e.Key
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
