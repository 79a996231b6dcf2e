package memalerts

import (
	"container/list"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

// A record is an alert with its internal state. After the alert was evicted or purged
// only created and gone are set.
type record struct {
	created  time.Time // CreatedAt of the alert, which is unique
	gone     bool
	alert    *monitor.Alert
	history  []alerting.Change
	evidence evidence
	timer    driver.Timer
	waiting  []*notification // by age, including dead letters
	quiet    *list.Element   // in the organization's list of open alerts
	timed    int             // place in the organization's queue of timers
	closed   int             // place in the organization's queue of closed alerts
	bytes    int64
}

// remembers reports whether an event that the alert has counted may be delivered
// again.
func (r *record) remembers(now time.Time) bool {
	return !r.gone && (r.alert.Status.Open() || now.Sub(r.alert.ResolvedAt) < driver.RedeliveryHorizon)
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
	age   *list.Element // in the outbox
	place int           // in the lane
	bytes int64
}
