package rediswindow

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A backlog has the events that Redis has not got, by their windows.
type backlog struct {
	windows map[string]*backlogWindow
	events  int
	of      map[string]int // events, by organization
}

// A backlogWindow has the events of a window, in order of time and, at the same
// time, of arrival.
type backlogWindow struct {
	request detect.WindowRequest // without its events
	events  []detect.WindowEvent
	byKey   map[monitor.EventKey]detect.NewWindowEvent
}

// add adds the events of a request.
func (l *backlog) add(q *detect.WindowRequest) {
	w := l.windows[q.ID]
	if w == nil {
		if l.windows == nil {
			l.windows, l.of = map[string]*backlogWindow{}, map[string]int{}
		}
		w = &backlogWindow{request: *q, byKey: map[monitor.EventKey]detect.NewWindowEvent{}}
		w.request.Events = nil // they have room of their own
		l.windows[q.ID] = w
	}
	w.request.Horizon = min(w.request.Horizon, q.Horizon)
	w.request.Keep = max(w.request.Keep, q.Keep)
	for _, e := range q.Events {
		if _, known := w.byKey[e.Key]; !known {
			w.byKey[e.Key] = e
			w.events = slices.Insert(w.events, upTo(w.events, e.Timestamp), e.WindowEvent)
			l.count(q.OrganizationID, 1)
		}
	}
}

func (l *backlog) count(organization string, events int) {
	l.events += events
	if l.of[organization] += events; l.of[organization] == 0 {
		delete(l.of, organization)
	}
}

// fits reports whether the events of all requests have room. An organization may
// have as many as it leaves free for others: by itself up to a half.
func (l *backlog) fits(requests []*detect.WindowRequest, most int) bool {
	free := most - l.events
	all, more := 0, map[string]int{}
	for _, q := range requests {
		all += len(q.Events)
		more[q.OrganizationID] += len(q.Events)
	}
	for organization, n := range more {
		if l.of[organization]+n > free {
			return false
		}
	}
	return all <= free
}

// take takes requests with up to so many events, the newest first: it is cheap
// to put them back.
func (l *backlog) take(events int) []*detect.WindowRequest {
	var taken []*detect.WindowRequest
	for id, w := range l.windows {
		if events == 0 {
			break
		}
		rest := max(0, len(w.events)-events)
		q := w.request
		q.Events = nil
		for _, e := range w.events[rest:] {
			q.Events = append(q.Events, w.byKey[e.Key])
			delete(w.byKey, e.Key)
		}
		w.events = slices.Delete(w.events, rest, len(w.events))
		if rest == 0 {
			delete(l.windows, id)
		}
		taken = append(taken, &q)
		events -= len(q.Events)
		l.count(q.OrganizationID, -len(q.Events))
	}
	return taken
}

// answer answers with what is here of a window. Events of other instances are
// missing, whenever they were.
func (l *backlog) answer(q *detect.WindowRequest) detect.WindowAnswer {
	var all []detect.WindowEvent
	if w := l.windows[q.ID]; w != nil {
		all = w.events
	}
	from := max(upTo(all, q.Horizon), len(all)-q.Limit)
	if q.Tail > 0 {
		from = max(from, upTo(all, earliest(q))-q.Tail)
	}
	a := detect.WindowAnswer{Request: q, Held: slices.Clone(all[from:]), Lost: math.MaxInt64}
	for i := range q.Events {
		ts := q.Events[i].Timestamp
		a.Hidden = append(a.Hidden, within(all, ts, q.Span)-within(a.Held, ts, q.Span))
	}
	return a
}

// An outage is what is to be known while Redis is unavailable, and until it has
// got what it missed.
type outage struct {
	maxLocal   int
	retryAfter time.Duration

	mu      sync.Mutex
	backlog backlog
	full    bool      // the backlog refused events
	next    time.Time // when to try again
}

// begin takes a part of what Redis has not got, for another try, or returns the
// failure of the last one if it is too early for that.
func (o *outage) begin(failure error) (earlier []*detect.WindowRequest, unavailable error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if failure != nil {
		now := time.Now()
		if now.Before(o.next) {
			return nil, failure
		}
		o.next = now.Add(o.retryAfter) // the others do not try meanwhile
	}
	return o.backlog.take(maxEvents), nil
}

// putBack puts back what begin took.
func (o *outage) putBack(earlier []*detect.WindowRequest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range earlier {
		o.backlog.add(q)
	}
	o.next = time.Now().Add(o.retryAfter)
}

// exchange exchanges windows with the backlog.
func (o *outage) exchange(requests []*detect.WindowRequest, unavailable error) ([]detect.WindowAnswer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full = !o.backlog.fits(requests, o.maxLocal); o.full {
		return nil, fmt.Errorf("%w, and %w: %d events are judged locally", unavailable, monitor.ErrOverloaded, o.backlog.events)
	}
	var answers []detect.WindowAnswer
	for _, q := range requests {
		answers = append(answers, o.backlog.answer(q))
		o.backlog.add(q)
	}
	return answers, nil
}

// state returns how many events are waiting for Redis, and whether there is no
// room for more.
func (o *outage) state() (events int, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.backlog.events, o.full
}
