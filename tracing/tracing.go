// Package tracing is for implementations of [monitor.Tracer], the port through
// which a monitor tells when the processing of an event starts and ends. It is
// the place of the adapter for OpenTelemetry. [Nop] traces nothing.
package tracing

import (
	"context"

	"github.com/auditwarden/auditwarden/monitor"
)

// Nop is a [monitor.Tracer] that does nothing and costs nothing: it does not
// allocate and returns contexts as they are. Its zero value is ready for use.
type Nop struct{}

var _ monitor.Tracer = Nop{}

// StartProcess returns ctx.
func (Nop) StartProcess(ctx context.Context, _ *monitor.Event) context.Context { return ctx }

// EndProcess does nothing.
func (Nop) EndProcess(context.Context, *monitor.Event, *monitor.Result, error) {}
