package tracing_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/tracing"
)

func TestNopCostsNothing(t *testing.T) {
	var tracer monitor.Tracer = tracing.Nop{}
	ctx, event, result := t.Context(), &monitor.Event{}, &monitor.Result{}
	if n := testing.AllocsPerRun(100, func() {
		traced := tracer.StartProcess(ctx, event)
		tracer.EndProcess(traced, event, result, nil)
	}); n != 0 {
		t.Errorf("allocates %v times", n)
	}
	if tracer.StartProcess(ctx, event) != ctx {
		t.Error("the context is another one")
	}
}
