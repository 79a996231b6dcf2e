package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// eventOf returns an event of an organization. Its ID has that name, too.
func eventOf(organization string, n int) *monitor.Event {
	e := newEvent(fmt.Sprint(organization, "-", n), time.Duration(n))
	e.OrganizationID = organization
	return e
}

// introduce makes organizations known to a monitor.
func introduce(t *testing.T, m *monitor.Monitor, organizations ...string) {
	t.Helper()
	for _, o := range organizations {
		for n := range 16 {
			e := eventOf(o, n)
			e.ID, e.Action = "", "introduced"
			process(t, m, e)
		}
	}
}

// submitted submits events of an organization and returns how many were accepted.
func submitted(t *testing.T, m *monitor.Monitor, organization string, events int) (accepted int) {
	t.Helper()
	for n := range events {
		switch err := m.Submit(t.Context(), eventOf(organization, n)); {
		case err == nil:
			accepted++
		case !errors.Is(err, monitor.ErrOverloaded):
			t.Fatal(err)
		}
	}
	return accepted
}

func names(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(prefix, i))
	}
	return all
}

// handled returns the numbers of the handled events of an organization.
func handled(d *detector, organization string) (numbers []string) {
	for _, id := range d.events() {
		if number, ok := strings.CutPrefix(id, organization+"-"); ok {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func wantHandled(t *testing.T, d *detector, organization string, numbers ...int) {
	t.Helper()
	check.Equal(t, organization, strings.Join(handled(d, organization), " "), strings.Trim(fmt.Sprint(numbers), "[]"))
}

func numbers(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// TestFloodIsRefusedByItself fills the queue with the events of one organization.
// The others have room all the same.
func TestFloodIsRefusedByItself(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) {
		c.QueueCapacity, c.QueuePolicy, c.Detectors = 100, monitor.QueueReject, []monitor.Detector{d}
	})
	tenants := names("tenant", 9)
	introduce(t, m, append(tenants, "flood")...)
	check.Equal(t, "flood", submitted(t, m, "flood", 1000), 100)
	for _, o := range tenants {
		check.Equal(t, o, submitted(t, m, o, 10), 10)
	}
	check.Equal(t, "flood again", submitted(t, m, "flood", 1000), 0)
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	wantHandled(t, d, "flood", numbers(0, 100)...)
	for _, o := range tenants {
		wantHandled(t, d, o, numbers(0, 10)...)
	}
}

func TestFloodDropsItsOwn(t *testing.T) {
	t.Parallel()
	d, c := &detector{name: "all"}, &counters{}
	m := newMonitor(t, func(cfg *monitor.Config) {
		cfg.QueueCapacity, cfg.QueuePolicy = 100, monitor.QueueDropOldest
		cfg.Detectors, cfg.Metrics = []monitor.Detector{d}, c
	})
	introduce(t, m, "flood", "ann", "bob")
	submitted(t, m, "ann", 20)
	submitted(t, m, "flood", 1000)
	submitted(t, m, "bob", 20)
	check.Equal(t, "depth", c.get("queue_depth"), 100)
	check.Equal(t, "dropped", c.get("events_dropped/drop_oldest"), 940)
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	wantHandled(t, d, "ann", numbers(0, 20)...)
	wantHandled(t, d, "bob", numbers(0, 20)...)
	wantHandled(t, d, "flood", numbers(940, 1000)...)
}

// TestFloodWaitsAlone has the calls of one organization wait for room. Those of
// another do not, and in the end every call of the first gets in.
func TestFloodWaitsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) {
			c.QueueCapacity, c.Detectors = 10, []monitor.Detector{d}
		})
		introduce(t, m, "flood", "ann")
		const calls = 100
		results := make(chan error, calls)
		for n := range calls {
			go func() { results <- m.Submit(context.Background(), eventOf("flood", n)) }()
		}
		synctest.Wait()
		check.Equal(t, "accepted", len(results), 10)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		check.ErrorIs(t, "flood", m.Submit(short, eventOf("flood", calls)), context.DeadlineExceeded)
		check.Equal(t, "ann", submitted(t, m, "ann", 5), 5)
		stop := run(m)
		for range calls {
			check.NoError(t, "flood", <-results)
		}
		check.NoError(t, "stop", stop())
		wantHandled(t, d, "ann", numbers(0, 5)...)
		check.Equal(t, "flood", len(handled(d, "flood")), calls)
	})
}

// TestOrganizationsTakeTurns submits a few events behind very many.
func TestOrganizationsTakeTurns(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	introduce(t, m, "flood", "ann", "bob")
	submitted(t, m, "flood", 1000)
	submitted(t, m, "ann", 5)
	submitted(t, m, "bob", 5)
	introduced := len(d.events())
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	order := d.events()[introduced:]
	check.Equal(t, "last of ann and bob", slices.Index(order, "ann-4") < 15 && slices.Index(order, "bob-4") < 15, true)
	wantHandled(t, d, "flood", numbers(0, 1000)...)
}

// TestFloodOfAlertsSharesItsBatches has a worker that is always busy with one
// organization, whose events take long. Those of another do not wait for a full batch.
func TestFloodOfAlertsSharesItsBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const each = time.Second
		var busy atomic.Bool
		d := &detector{name: "all", fail: func(e *monitor.Event) error {
			if busy.Load() && e.OrganizationID == "flood" {
				advance(each)
			}
			return nil
		}}
		m := newMonitor(t, func(c *monitor.Config) { c.Workers, c.Detectors = 1, []monitor.Detector{d} })
		introduce(t, m, "flood", "ann")
		busy.Store(true)
		stop := run(m)
		submitted(t, m, "ann", 1)
		submitted(t, m, "flood", 1000)
		for n := 1; n < 10; n++ {
			advance(10 * each)
			began := time.Now()
			check.NoError(t, "submit", m.Submit(t.Context(), eventOf("ann", n)))
			for len(handled(d, "ann")) <= n {
				advance(each)
			}
			// A batch has at most 64 events, half of which are others'.
			if waited := time.Since(began); n > 1 && waited > 40*each {
				t.Errorf("event %d waited for %v, while others took %v each", n, waited, each)
			}
		}
		busy.Store(false)
		check.NoError(t, "stop", stop())
	})
}

// TestLargeEventsTakeTheirTime has an organization submit events that are a hundred
// times as large as those of the other. It has a hundredth of the turns.
func TestLargeEventsTakeTheirTime(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	introduce(t, m, "large", "small")
	for n := range 5 {
		e := eventOf("large", n)
		e.Details = map[string]any{"text": strings.Repeat("x", 100*8<<10)}
		check.NoError(t, "submit", m.Submit(t.Context(), e))
	}
	check.Equal(t, "small", submitted(t, m, "small", 400), 400)
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	at := func(id string) int { return slices.Index(d.events(), id) }
	check.Equal(t, "small events between two large", at("large-2")-at("large-1") > 100, true)
}

// TestMadeUpOrganizationsShareALane submits events of organizations that nobody
// knows. Together they have the room of one.
func TestMadeUpOrganizationsShareALane(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) {
		c.QueueCapacity, c.QueuePolicy, c.Detectors = 100, monitor.QueueReject, []monitor.Detector{d}
	})
	introduce(t, m, "ann", "bob")
	madeUp := 0
	for _, o := range names("made-up", 1000) {
		madeUp += submitted(t, m, o, 1)
	}
	check.Equal(t, "made up", madeUp, 100)
	check.Equal(t, "ann", submitted(t, m, "ann", 50), 50)
	check.Equal(t, "bob", submitted(t, m, "bob", 33), 33)
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	wantHandled(t, d, "ann", numbers(0, 50)...)
	wantHandled(t, d, "bob", numbers(0, 33)...)
}

// TestOrderIsKeptWhileBecomingKnown makes an organization known while its events
// wait among those of unknown ones.
func TestOrderIsKeptWhileBecomingKnown(t *testing.T) {
	t.Parallel()
	d := &detector{name: "all"}
	m := newMonitor(t, func(c *monitor.Config) { c.Detectors = []monitor.Detector{d} })
	for n := range 50 {
		for _, o := range []string{"ann", "bob", "eve"} {
			check.NoError(t, "submit", m.Submit(t.Context(), eventOf(o, n)))
		}
		if n == 25 {
			introduce(t, m, "ann", "bob")
		}
	}
	check.NoError(t, "shutdown", m.Shutdown(t.Context()))
	for _, o := range []string{"ann", "bob", "eve"} {
		wantHandled(t, d, o, numbers(0, 50)...)
	}
}

// TestOrderIsKeptAmongManyOrganizations has events of many organizations come and
// go.
func TestOrderIsKeptAmongManyOrganizations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &detector{name: "all"}
		m := newMonitor(t, func(c *monitor.Config) { c.QueueCapacity, c.Detectors = 16, []monitor.Detector{d} })
		stop := run(m)
		for n := range 60 {
			for i, o := range names("org", 7) {
				if n%(i+1) == 0 {
					check.NoError(t, "submit", m.Submit(t.Context(), eventOf(o, n)))
				}
			}
		}
		check.NoError(t, "stop", stop())
		for i, o := range names("org", 7) {
			var want []int
			for n := 0; n < 60; n += i + 1 {
				want = append(want, n)
			}
			wantHandled(t, d, o, want...)
		}
	})
}

// TestQueueIsBoundedInBytes fills the queue with events that need as much memory as
// they can for the largest text: what waits is bounded, whatever it consists of.
func TestQueueIsBoundedInBytes(t *testing.T) {
	const capacity, place = 1024, 8 << 10
	start := `{"timestamp":"2026-05-04T12:00:00Z","action":"a","status":"success","organizationId":"org-%d","d":`
	for name, details := range map[string]string{
		"spaces":  strings.Repeat(" ", 1<<19) + "0",
		"text":    `"` + strings.Repeat("x", 1<<19) + `"`,
		"escapes": `"` + strings.Repeat(`\u0041`, 1<<17/2) + `"`,
		"slices":  `[` + strings.Repeat(`[],`, 1<<17) + `0]`,
		"maps":    `[` + strings.Repeat(`{},`, 1<<17) + `0]`,
		"fields":  `[` + strings.Repeat(`{"a":0},`, 1<<16) + `0]`,
		"numbers": `[` + strings.Repeat(`1,`, 1<<18) + `0]`,
		"strings": `[` + strings.Repeat(`"",`, 1<<17) + `0]`,
		"large":   `{` + strings.Repeat(`"":0,`, 1<<16) + manyFields(1<<15) + `}`,
		"small":   `0`,
	} {
		m := newMonitor(t, func(c *monitor.Config) { c.QueueCapacity, c.QueuePolicy = capacity, monitor.QueueReject })
		before := heap()
		largest, accepted := 0, 0
		for ; ; accepted++ {
			text := fmt.Sprintf(start, accepted%4) + details + "}"
			var e monitor.Event
			check.NoError(t, name, monitor.DecodeEvent([]byte(text), &e))
			if m.Submit(t.Context(), &e) != nil {
				break
			}
			largest = max(largest, len(text))
		}
		used := int(heap() - before)
		// The last one may exceed the capacity, by no more than it is.
		if bound := capacity*place + 48*largest; used > bound || accepted > capacity {
			t.Errorf("%s: %d events use %d KiB, want at most %d", name, accepted, used>>10, bound>>10)
		}
		runtime.KeepAlive(m)
	}
}

func manyFields(n int) string {
	fields := map[string]int{}
	for i := range n {
		fields[fmt.Sprint(i)] = i
	}
	text, _ := json.Marshal(fields) //nolint:errchkjson // it is a map of numbers
	return strings.Trim(string(text), "{}")
}
