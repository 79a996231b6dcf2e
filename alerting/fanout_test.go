package alerting_test

import (
	"context"
	"errors"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestFanout(t *testing.T) {
	t.Parallel()
	first, second, last := &recorder{err: errPager}, &recorder{}, &recorder{err: errAway}
	panics := monitor.AlertHandlerFunc(func(context.Context, *monitor.Alert) error { panic(errors.New("oops")) })
	given := occurrence("mallory", "e0", 0)
	err := alerting.Fanout(first, panics, second, last).HandleAlert(t.Context(), given)
	for _, r := range []*recorder{first, second, last} {
		r.want(t, "mallory")
	}
	panicked, ok := errors.AsType[*monitor.PanicError](err)
	if !errors.Is(err, errPager) || !errors.Is(err, errAway) || !ok || panicked.Where != "handler 1" || len(panicked.Stack) == 0 {
		t.Errorf("error %v, want all three", err)
	}
	a, b := first.alerts()[0], second.alerts()[0]
	if a.ID == "" || a.ID != b.ID {
		t.Errorf("handlers know the alert as %q and %q", a.ID, b.ID)
	}
	clear(a.Tags)
	if b.Tags[0] == "" || a == given {
		t.Error("handlers share the alert")
	}
	if err := alerting.Fanout().HandleAlert(t.Context(), given); err != nil {
		t.Errorf("no handlers: %v", err)
	}
}
