package memalerts

import (
	"container/list"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// A record is an alert with its internal state.
type record struct {
	alert    *monitor.Alert
	notified time.Time // LastSeen of the last occurrence that caused a notification
	keys     eventKeys
	history  []alerting.Change
	timer    driver.Timer
	waiting  []*notification // including dead letters
	claim    int64           // number of the last ClaimNotifications that saw a notification of the alert
	closing  bool            // is in the queue of closed alerts
	gone     bool            // was evicted or purged
}

// A notification is an element of an outbox.
type notification struct {
	alerting.Notification // without Alert
	record                *record
	number                int64 // by age, over all organizations
	// due is when the notification can be claimed. It has a monotonic clock reading,
	// so that setting the clock does not change the length of a lease.
	due   time.Time
	dead  bool
	place *list.Element // in the outbox
}

// A closedQueue is a [heap.Interface] of closed alerts, oldest first. It may contain
// alerts that were reopened or deleted meanwhile.
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
