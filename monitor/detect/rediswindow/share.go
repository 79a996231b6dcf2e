package rediswindow

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

//go:embed exchange.lua
var exchangeSource string

var exchangeScript = redis.NewScript(exchangeSource)

// maxEvents is the number of events after which a call of the script takes no
// further window, so that it does not hold up Redis. As many are brought to it
// at once that it has missed.
const maxEvents = 1024

// A call is one call of the script.
type call struct {
	windows []*detect.Window
	keys    []string
	args    []any
	answer  *redis.Cmd
}

// add adds a window to the call. With Local, another instance may still have
// events that Redis has missed: what has to do with them stays.
func (c *call) add(w *detect.Window, o *Options) {
	lowest := w.Horizon
	if o.Away == Local {
		lowest = minus(lowest, int64(o.Retention))
	}
	c.windows = append(c.windows, w)
	c.keys = append(c.keys, o.Prefix+":{"+w.ID+"}")
	c.args = appendArguments(c.args, w, lowest, (w.Keep + o.Retention).Milliseconds())
}

// calls divides the windows into calls. Only one server has all keys.
func (w *Windows) calls(windows []*detect.Window) []*call {
	_, oneServer := w.client.(*redis.Client)
	var all []*call
	events := 0
	for _, window := range windows {
		if events += len(window.New); len(all) == 0 || !oneServer || events > maxEvents {
			all = append(all, &call{})
			events = len(window.New)
		}
		all[len(all)-1].add(window, &w.options)
	}
	return all
}

// share exchanges the windows with Redis, in one round trip if it knows the
// script.
func (w *Windows) share(ctx context.Context, windows []*detect.Window) error {
	calls := w.calls(windows)
	err := w.send(ctx, calls, exchangeScript.EvalSha)
	if err != nil {
		var unknown []*call
		for _, c := range calls {
			if redis.HasErrorPrefix(c.answer.Err(), "NOSCRIPT") {
				unknown = append(unknown, c)
			} else if c.answer.Err() != nil {
				return fmt.Errorf("rediswindow: exchange windows: %w", c.answer.Err())
			}
		}
		if len(unknown) > 0 { // else the error is of no call, but of the connection
			err = w.send(ctx, unknown, exchangeScript.Eval)
		}
		if err != nil {
			return fmt.Errorf("rediswindow: exchange windows: %w", err)
		}
	}
	for _, c := range calls {
		if err := c.read(); err != nil {
			return fmt.Errorf("rediswindow: read windows: %w", err)
		}
	}
	return nil
}

// send makes the calls and returns the first error.
func (w *Windows) send(
	ctx context.Context, calls []*call,
	by func(ctx context.Context, to redis.Scripter, keys []string, args ...any) *redis.Cmd,
) error {
	_, err := w.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range calls {
			c.answer = by(ctx, p, c.keys, c.args...)
		}
		return nil
	})
	return err
}

// read fills in the windows from the answer.
func (c *call) read() error {
	reply, err := c.answer.Slice()
	if err != nil {
		return err
	}
	if len(reply) != len(c.windows) {
		return errReply
	}
	for i, w := range c.windows {
		if err := fill(w, reply[i]); err != nil {
			return fmt.Errorf("%s: %w", c.keys[i], err)
		}
	}
	return nil
}
