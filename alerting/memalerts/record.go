package memalerts

import (
	"container/list"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// A record is an alert and what else a store knows of it.
type record struct {
	alert    *monitor.Alert
	notified time.Time // event time of the occurrence that was due last
	keys     eventKeys
	history  []alerting.Change
	timer    driver.Timer
	waiting  []*notification // also dead letters
	claim    int64           // the last claim that came across a notification of the alert
	closing  bool            // is in the queue of closed alerts
	gone     bool            // was evicted or purged
}

// A notification is in the outbox of an organization.
type notification struct {
	alerting.Notification // without Alert
	record                *record
	number                int64 // by age, over all organizations
	// due is when it can be claimed, a time of the machine, so that a lease lasts
	// as long as it should if the clock is set.
	due   time.Time
	dead  bool
	place *list.Element // in the outbox
}

// A closedQueue has closed alerts, and perhaps some that were reopened or are gone.
// The oldest comes first. It is a [heap.Interface].
type closedQueue []*record

func (q closedQueue) Len() int           { return len(q) }
func (q closedQueue) Less(i, j int) bool { return q[i].alert.CreatedAt.Before(q[j].alert.CreatedAt) }
func (q closedQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *closedQueue) Push(v any) {
	rec, _ := v.(*record)
	*q = append(*q, rec)
}

func (q *closedQueue) Pop() any {
	last := len(*q) - 1
	rec := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return rec
}
