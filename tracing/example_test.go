package tracing_test

import (
	"context"
	"fmt"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/tracing"
)

// verbose is a tracer that traces one thing and leaves the rest to Nop.
type verbose struct{ tracing.Nop }

func (verbose) EndProcess(_ context.Context, e *monitor.Event, _ *monitor.Result, err error) {
	fmt.Println(e.Action, err)
}

func Example() {
	var tracer monitor.Tracer = verbose{}
	event := &monitor.Event{Action: "data.read"}
	ctx := tracer.StartProcess(context.Background(), event)
	tracer.EndProcess(ctx, event, &monitor.Result{}, nil)
	// Output:
	// data.read <nil>
}
