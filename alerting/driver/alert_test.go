package driver_test

import (
	"errors"
	"math"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/driver"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestChangeStatusInput(t *testing.T) {
	t.Parallel()
	a, _ := driver.Open(alertingtest.Occurrence("acme", "mallory", "e0", at(0)), at(10))
	before := *a
	for _, to := range []monitor.AlertStatus{"", "suppressed", monitor.AlertActive} {
		_, err := driver.ChangeStatus(a, to, 0, "ann", "", at(20))
		bad, ok := errors.AsType[*alerting.TransitionError](err)
		if !ok || bad.From != monitor.AlertActive || bad.To != to {
			t.Errorf("to %q: error %v", to, err)
		}
	}
	if a.Status != before.Status || a.Version != before.Version || !a.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("refused changes left %+v", a)
	}
	err := &alerting.TransitionError{From: monitor.AlertResolved, To: monitor.AlertAcknowledged}
	if got, want := err.Error(), "an alert that is resolved cannot become acknowledged"; got != want {
		t.Errorf("error text %q, want %q", got, want)
	}
	if errors.Is(err, monitor.ErrConflict) {
		t.Error("a TransitionError is a conflict")
	}
}

func TestJoinDoesNotOverflow(t *testing.T) {
	t.Parallel()
	a, _ := driver.Open(alertingtest.Occurrence("acme", "mallory", "e0", at(0)), at(0))
	for range 3 {
		o := alertingtest.Occurrence("acme", "mallory", "e1", at(0))
		o.Count = math.MaxInt64 - 1
		driver.Join(a, o, at(0))
	}
	if a.Occurrences != math.MaxInt64 {
		t.Errorf("the alert has %d occurrences", a.Occurrences)
	}
}
