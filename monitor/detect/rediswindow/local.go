package rediswindow

import (
	"cmp"
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

// A kept window has all its events in New, in order of arrival.
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
			k.New = append(k.New, *e)
			l.events++
		}
	}
}

// take takes all windows out of the log.
func (l *log) take() []*detect.Window {
	var all []*detect.Window
	for _, k := range l.windows {
		all = append(all, &k.Window)
	}
	*l = log{}
	return all
}

// begin takes what Redis has not got, for another try, or returns why it is too
// early for that.
func (w *Windows) begin() (earlier []*detect.Window, away error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failure != nil {
		now := time.Now()
		if now.Before(w.next) {
			return nil, w.failure
		}
		w.next = now.Add(w.options.RetryAfter) // the others do not try meanwhile
	}
	return w.log.take(), nil
}

// keepBack puts back what begin took.
func (w *Windows) keepBack(earlier []*detect.Window) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, window := range append(earlier, w.log.take()...) {
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
		window.Held, window.Lost, window.Cut = nil, math.MinInt64, 0
		for i := range window.New {
			window.New[i].Hidden = 0
		}
		if k := w.log.windows[window.ID]; k != nil {
			window.Held = slices.Clone(k.New)
			slices.SortStableFunc(window.Held, func(a, b detect.WindowEvent) int {
				return cmp.Compare(a.Timestamp, b.Timestamp)
			})
		}
		w.log.add(window)
	}
	return nil
}
