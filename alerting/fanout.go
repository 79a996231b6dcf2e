package alerting

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/auditwarden/auditwarden/monitor"
)

// Fanout returns a handler that hands each alert to all the handlers, one after
// another, whatever becomes of the others: their errors are joined, and a panic
// becomes a [monitor.PanicError]. Each gets a copy of its own.
func Fanout(handlers ...monitor.AlertHandler) monitor.AlertHandler {
	return monitor.AlertHandlerFunc(func(ctx context.Context, a *monitor.Alert) error {
		a = a.Detach()
		var errs []error
		for i, h := range handlers {
			errs = append(errs, handle(ctx, fmt.Sprintf("handler %d", i), h, a.Detach()))
		}
		return errors.Join(errs...)
	})
}

// handle calls a handler and turns its panic into an error.
func handle(ctx context.Context, name string, h monitor.AlertHandler, a *monitor.Alert) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &monitor.PanicError{Where: name, Value: v, Stack: debug.Stack()}
		}
	}()
	return h.HandleAlert(ctx, a)
}
