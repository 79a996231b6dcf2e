package rediswindow

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// A log has the events that Redis has not got, by their windows.
type log struct {
	windows map[string]*kept
	events  int
}

// A kept window has all its events in New, in order of time and, at the same
// time, of arrival.
type kept struct {
	detect.Window
	known map[monitor.EventKey]bool
}

// add adds a window's new events to the log.
func (l *log) add(w *detect.Window) {
	k := l.windows[w.ID]
	if k == nil {
		if l.windows == nil {
			l.windows = map[string]*kept{}
		}
		k = &kept{Window: *w, known: map[monitor.EventKey]bool{}}
		k.New = nil
		l.windows[w.ID] = k
	}
	k.Horizon = min(k.Horizon, w.Horizon)
	k.Keep = max(k.Keep, w.Keep)
	for i := range w.New {
		if e := &w.New[i]; !k.known[e.Key] {
			k.known[e.Key] = true
			k.New = slices.Insert(k.New, upTo(k.New, e.Timestamp), *e)
			l.events++
		}
	}
}

// take takes windows with up to so many events out of the log, the newest first:
// it is cheap to put them back.
func (l *log) take(events int) []*detect.Window {
	var taken []*detect.Window
	for id, k := range l.windows {
		if events == 0 {
			break
		}
		rest := max(0, len(k.New)-events)
		w := k.Window
		w.New, k.New = slices.Clone(k.New[rest:]), slices.Delete(k.New, rest, len(k.New))
		for i := range w.New {
			delete(k.known, w.New[i].Key)
		}
		if rest == 0 {
			delete(l.windows, id)
		}
		taken = append(taken, &w)
		events -= len(w.New)
		l.events -= len(w.New)
	}
	return taken
}

// show fills in a window with what the log has of it. Events of other instances
// are missing, whenever they were.
func (l *log) show(w *detect.Window) {
	var all []detect.WindowEvent
	if k := l.windows[w.ID]; k != nil {
		all = k.New
	}
	from := max(upTo(all, w.Horizon), len(all)-w.Limit)
	if w.Tail > 0 {
		from = max(from, upTo(all, earliest(w))-w.Tail)
	}
	w.Held, w.Lost, w.Cut = slices.Clone(all[from:]), math.MaxInt64, 0
	for i := range w.New {
		e := &w.New[i]
		e.Hidden = within(all, e, w.Span) - within(w.Held, e, w.Span)
	}
}

// begin takes a part of what Redis has not got, for another try, or returns why
// it is too early for that.
func (w *Windows) begin() (earlier []*detect.Window, away error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.exchanges.Err(); err != nil {
		now := time.Now()
		if now.Before(w.next) {
			return nil, err
		}
		w.next = now.Add(w.options.RetryAfter) // the others do not try meanwhile
	}
	return w.log.take(maxEvents), nil
}

// keepBack puts back what begin took.
func (w *Windows) keepBack(earlier []*detect.Window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, window := range earlier {
		w.log.add(window)
	}
	w.next = time.Now().Add(w.options.RetryAfter)
}

// keep exchanges the windows with the log, because Redis is away.
func (w *Windows) keep(windows []*detect.Window, away error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	more := 0
	for _, window := range windows {
		more += len(window.New)
	}
	if w.full = w.log.events+more > w.options.MaxLocal; w.full {
		return fmt.Errorf("%w, and %w: %d events are judged locally", away, monitor.ErrOverloaded, w.log.events)
	}
	for _, window := range windows {
		w.log.show(window)
		w.log.add(window)
	}
	return nil
}
