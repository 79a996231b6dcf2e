package alerting

import (
	"fmt"
	"sync"
	"time"

	"github.com/auditwarden/auditwarden/internal/breaker"
	"github.com/auditwarden/auditwarden/monitor"
)

const (
	// After this number of failures in a row, deliveries to a destination pause for
	// this long.
	breakerThreshold = 5
	breakerPause     = 30 * time.Second
	// maxFailing is the number of failing destinations that are remembered. If there
	// are more, that of the least recent failure is forgotten, and may be tried before
	// its pause is over.
	maxFailing = 1000
	// failingFor is how long a failing destination is remembered after its pause. By
	// then anything that waits for it would have been tried again.
	failingFor = time.Hour
)

// destinations are where a route delivers, one for each organization: a notifier may
// choose the destination by the organization, so what fails or takes long for one says
// nothing about the others. Each has a pause of its own, and its share of the slots for
// simultaneous deliveries: while it fails, one slot.
type destinations struct {
	slots int

	mu      sync.Mutex
	used    int // slots
	flying  map[string]int
	failing map[string]*destination
}

// A destination is one whose last attempt failed.
type destination struct {
	breaker  breaker.Breaker
	failures int       // in a row, including permanent ones
	failure  string    // text of the last error
	since    time.Time // of the first failure
	last     time.Time // failure
}

func newDestinations(slots int) *destinations {
	return &destinations{slots: slots, flying: map[string]int{}, failing: map[string]*destination{}}
}

// free reports whether there is a free slot, and which organizations may not have it.
func (d *destinations) free(now time.Time) (ok bool, paused []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used >= d.slots {
		return false, nil
	}
	for organization, failing := range d.failing {
		switch {
		case failing.breaker.Open(now) || d.flying[organization] > 0:
			paused = append(paused, organization)
		case now.Sub(failing.last) > failingFor:
			delete(d.failing, organization)
		}
	}
	for organization, n := range d.flying {
		if d.failing[organization] == nil && !fits(1, n, d.used, d.slots) {
			paused = append(paused, organization)
		}
	}
	return true, paused
}

// begin takes a slot for a delivery, and end gives it back.
func (d *destinations) begin(organization string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used++
	d.flying[organization]++
}

func (d *destinations) end(organization string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used--
	if d.flying[organization]--; d.flying[organization] == 0 {
		delete(d.flying, organization)
	}
}

// succeed records that a delivery succeeded. A pause that another one asked for lasts.
func (d *destinations) succeed(organization string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	failing := d.failing[organization]
	switch {
	case failing == nil:
	case failing.breaker.Open(now):
		failing.breaker.Succeed()
	default:
		delete(d.failing, organization)
	}
}

// fail records that a delivery failed. A destination works that refuses a notification
// permanently, or for some of its recipients.
func (d *destinations) fail(organization, failure string, works bool, retryAfter time.Duration, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	failing := d.failing[organization]
	if failing == nil {
		failing = &destination{breaker: breaker.Breaker{Threshold: breakerThreshold, Pause: breakerPause}, since: now}
		d.forget()
		d.failing[organization] = failing
	}
	failing.failures++
	failing.failure, failing.last = failure, now
	if works {
		failing.breaker.Succeed()
	} else {
		failing.breaker.Fail(retryAfter, now)
	}
}

// forget makes room for one failing destination.
func (d *destinations) forget() {
	for len(d.failing) >= maxFailing {
		oldest := ""
		for organization, failing := range d.failing {
			if oldest == "" || failing.last.Before(d.failing[oldest].last) {
				oldest = organization
			}
		}
		delete(d.failing, oldest)
	}
}

// health adds to the health of a route what is wrong with the destination that has
// failed longest, and how many others fail.
func (d *destinations) health(h *monitor.ComponentHealth, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	organization, longest := "", (*destination)(nil)
	for name, failing := range d.failing {
		if longest == nil || failing.since.Before(longest.since) {
			organization, longest = name, failing
		}
	}
	if longest == nil {
		return
	}
	h.Status, h.Since = monitor.HealthWarning, longest.since
	h.Message = fmt.Sprintf("failed %d times in a row: %s", longest.failures, longest.failure)
	if longest.breaker.Open(now) {
		h.Message = "paused, " + h.Message
	}
	others := ""
	if n := len(d.failing) - 1; n > 0 {
		others = fmt.Sprintf(" and %d more", n)
	}
	h.Message = fmt.Sprintf("organization %.40q%s: %s", organization, others, h.Message)
}
