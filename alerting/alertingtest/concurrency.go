package alertingtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func testConcurrentOccurrences(t *storeTest) {
	const workers, events = 8, 25
	var created, repeated, counted, due atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range events {
				// Every event is delivered twice, by two workers.
				for _, sender := range []int{w, (w + 1) % workers} {
					o := Occurrence(acme, "mallory", fmt.Sprint(sender, "/", i), minutes(0))
					ds, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{o})
					if err != nil {
						t.Errorf("StoreOccurrences: %v", err)
						return
					}
					switch ds[0].Stored {
					case monitor.StoredNew:
						created.Add(1)
					case monitor.StoredRepeat:
						repeated.Add(1)
					case monitor.StoredBefore:
						counted.Add(1)
					}
					if ds[0].Notify == monitor.NotifyDue {
						due.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	check.Equal(t, "created", created.Load(), 1)
	check.Equal(t, "repeated", repeated.Load(), workers*events-1)
	check.Equal(t, "counted", counted.Load(), workers*events)
	check.Equal(t, "notifications", due.Load(), 1)
	as := t.list(alerting.Query{Organization: acme})
	if len(as) != 1 || as[0].Occurrences != workers*events {
		t.Errorf("stored %v, want one alert with %d occurrences", as, workers*events)
	}
}

func testConcurrentChanges(t *storeTest) {
	for round := range 10 {
		a := t.opened(acme, fmt.Sprint("k", round), fmt.Sprint("e", round), minutes(0))
		var succeeded atomic.Int64
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				_, err := t.Acknowledge(t.Context(), a.Ref(), fmt.Sprint("worker", w), "")
				switch {
				case err == nil:
					succeeded.Add(1)
				case !errors.Is(err, alerting.ErrTransition) && !errors.Is(err, monitor.ErrConflict):
					t.Errorf("Acknowledge: %v", err)
				}
			})
		}
		all.Wait()
		check.Equal(t, "acknowledgements that succeeded", succeeded.Load(), 1)
		got := t.get(a.Ref())
		check.Equal(t, "Version", got.Version, 2)
		history, err := t.History(t.Context(), a.Ref())
		if err != nil || len(history) != 2 || history[1].By != got.AcknowledgedBy {
			t.Errorf("history %v, %v; acknowledged by %s", history, err, got.AcknowledgedBy)
		}
	}
}

func testConcurrentClosing(t *storeTest) {
	const workers, events = 4, 25
	open := alerting.Query{Organization: acme, Statuses: []monitor.AlertStatus{monitor.AlertActive}}
	var writers sync.WaitGroup
	for w := range workers {
		writers.Go(func() {
			for i := range events {
				o := Occurrence(acme, "mallory", fmt.Sprint(w, "/", i), minutes(0))
				if _, err := t.StoreOccurrences(t.Context(), []*monitor.Occurrence{o}); err != nil {
					t.Errorf("StoreOccurrences: %v", err)
				}
			}
		})
	}
	writing := make(chan struct{})
	var closer sync.WaitGroup
	closer.Go(func() {
		for {
			for a, err := range t.List(t.Context(), open) {
				if err != nil {
					t.Errorf("List: %v", err)
					return
				}
				if _, err := t.Resolve(t.Context(), a.Ref(), ann, ""); err != nil {
					t.Errorf("Resolve: %v", err)
				}
			}
			select {
			case <-writing:
				return
			default:
			}
		}
	})
	writers.Wait()
	close(writing)
	closer.Wait()

	var occurrences int64
	for _, a := range t.list(alerting.Query{Organization: acme, Limit: alerting.MaxLimit}) {
		occurrences += a.Occurrences
	}
	check.Equal(t, "occurrences of all alerts", occurrences, workers*events)
	if n := t.count(open); n > 1 {
		t.Errorf("%d alerts of one fingerprint are open", n)
	}
}

func testConcurrentSettings(t *storeTest) {
	var succeeded atomic.Int64
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			_, err := t.SaveSettings(t.Context(), acme, alerting.Settings{}, fmt.Sprint("worker", w))
			switch {
			case err == nil:
				succeeded.Add(1)
			case !errors.Is(err, monitor.ErrConflict):
				t.Errorf("SaveSettings: %v", err)
			}
		})
	}
	all.Wait()
	check.Equal(t, "saves that succeeded", succeeded.Load(), 1)
	check.Equal(t, "Version", t.mySettings().Version, 1)
}
