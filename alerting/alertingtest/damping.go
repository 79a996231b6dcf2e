package alertingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// testDamping checks that an alert that opens and closes again and again is told of a
// few times, and then counted.
func testDamping(t *storeTest) {
	saved := t.save(acme, alerting.Settings{Damping: alerting.Damping{Openings: 2, Window: time.Hour}})
	check.Equal(t, "setting", t.mySettings().Damping, saved.Damping)
	flap := func(organization, key string, from, to int) {
		for i := range to - from {
			a := t.opened(organization, key, fmt.Sprint(key, from+i), now())
			t.ok(t.Resolve(t.Context(), a.Ref(), ann, ""))
		}
	}
	flap(acme, "mallory", 0, 2)
	t.told("opened:mallory", "resolved:mallory", "opened:mallory", "resolved:mallory")
	flap(acme, "mallory", 2, 5)
	t.told()
	// Others are not concerned.
	flap(acme, "eve", 0, 1)
	flap(other, "mallory", 0, 3)
	t.told("opened:eve", "resolved:eve", "opened:mallory", "opened:mallory", "opened:mallory",
		"resolved:mallory", "resolved:mallory", "resolved:mallory")

	held := t.opened(acme, "mallory", "held", now())
	check.Equal(t, "repeat", t.one(Occurrence(acme, "mallory", "again", now())).Notify, monitor.NotifySuppressed)
	t.ok(t.Acknowledge(t.Context(), held.Ref(), ann, ""))
	t.told()
	check.Equal(t, "held back", fmt.Sprint(held.Metadata["heldBack"]), "3")
	if !strings.Contains(held.Description, "held back before: 3.") {
		t.Errorf("the description is %q", held.Description)
	}
	// One that becomes more severe is told of, and what is more severe from the start.
	worse := Occurrence(acme, "mallory", "worse", now())
	worse.Finding.Severity = monitor.SeverityHigh
	check.Equal(t, "worse", t.one(worse).Notify, monitor.NotifyDue)
	t.ok(t.Resolve(t.Context(), held.Ref(), ann, ""))
	t.told("opened:mallory", "resolved:mallory")
	worse = Occurrence(acme, "mallory", "severe", now())
	worse.Finding.Severity = monitor.SeverityHigh
	d := t.one(worse)
	check.Equal(t, "severe", d.Notify, monitor.NotifyDue)
	severe := t.get(monitor.AlertRef{Organization: acme, ID: d.AlertID})
	if n, ok := severe.Metadata["heldBack"]; ok {
		t.Errorf("%v held back since somebody was notified", n)
	}
	t.ok(t.Resolve(t.Context(), severe.Ref(), ann, ""))
	t.told("opened:mallory", "resolved:mallory")
	// Without damping, what it holds back is told.
	t.opened(acme, "mallory", "last", now())
	t.told()
	saved.Damping = alerting.Damping{}
	t.save(acme, saved)
	t.told("opened:mallory")
}

// testDampingEnds checks that what is held back is told when the window has passed, and
// resolved automatically only then.
func testDampingEnds(t *storeTest) {
	const window = 300 * time.Millisecond
	t.save(acme, alerting.Settings{
		Damping:     alerting.Damping{Openings: 1, Window: window},
		AutoResolve: map[monitor.Severity]time.Duration{monitor.SeverityMedium: soon},
	})
	first := t.opened(acme, "mallory", "e1", now())
	t.ok(t.Resolve(t.Context(), first.Ref(), ann, ""))
	d := t.one(Occurrence(acme, "mallory", "e2", now()))
	second := t.get(monitor.AlertRef{Organization: acme, ID: d.AlertID})
	if held := d.Notify == monitor.NotifySuppressed; held != (second.CreatedAt.Sub(first.CreatedAt) < window) {
		t.Errorf("notification %v after %v", d.Notify, second.CreatedAt.Sub(first.CreatedAt))
	}
	t.told("opened:mallory", "resolved:mallory", "opened:mallory", "resolved:mallory")
	if at := t.get(second.Ref()).ResolvedAt; at.Sub(first.CreatedAt) < window {
		t.Errorf("resolved %v after the first was opened", at.Sub(first.CreatedAt))
	}
}
