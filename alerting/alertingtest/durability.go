package alertingtest

import (
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

func testDurable(t *storeTest) {
	if t.reopen == nil {
		return // volatile
	}
	t.save(acme, alerting.Settings{Cooldown: 10 * time.Minute})
	a := t.opened(acme, "mallory", "e1", minutes(0))
	t.put(Occurrence(acme, "mallory", "e2", minutes(1)))
	t.ok(t.Acknowledge(t.Context(), a.Ref(), ann, "looking"))
	closed := t.opened(acme, "eve", "e3", minutes(0))
	t.ok(t.Resolve(t.Context(), closed.Ref(), ann, "done"))

	t.use(t.reopen(t.T, t.store))
	got := t.get(a.Ref())
	check.Equal(t, "Status", got.Status, monitor.AlertAcknowledged)
	check.Equal(t, "Occurrences", got.Occurrences, 2)
	check.Equal(t, "Settings", t.mySettings().Cooldown, 10*time.Minute)
	history, err := t.History(t.Context(), a.Ref())
	if err != nil || len(history) != 2 || history[1].Note != "looking" {
		t.Errorf("History after reopening the store returned %v, %v", history, err)
	}
	// Event keys, open alerts and cooldowns are kept, too.
	check.Equal(t, "retry", t.one(Occurrence(acme, "mallory", "e2", minutes(1))).Stored, monitor.StoredBefore)
	check.Equal(t, "retry after closing", t.one(Occurrence(acme, "eve", "e3", minutes(0))).Stored, monitor.StoredBefore)
	d := t.one(Occurrence(acme, "mallory", "e4", minutes(9)))
	check.Equal(t, "repeat", d, monitor.Disposition{AlertID: a.ID, Stored: monitor.StoredRepeat})
	check.Equal(t, "after the cooldown", t.one(Occurrence(acme, "mallory", "e5", minutes(10))).Notify, monitor.NotifyDue)
	// So are undelivered notifications.
	check.Equal(t, "claimed", len(t.claim(pager, 1, time.Millisecond)), 1)
	t.use(t.reopen(t.T, t.store))
	letClockMove()
	check.Equal(t, "notifications", t.delivered(pager), "opened:mallory opened:eve acknowledged:mallory resolved:eve repeated:mallory")
}
