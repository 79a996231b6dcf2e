package rediswindow

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/auditwarden/auditwarden/monitor/detect"
)

//go:embed exchange.lua
var exchangeSource string

var exchangeScript = redis.NewScript(exchangeSource)

const (
	// maxEvents is the number of events after which a call of the script takes no
	// further window, so that it does not hold up Redis. As many are brought to it
	// at once that it has missed.
	maxEvents = 1024
	// heldPerEvent is how many events that a window holds take as long to be read as
	// a new one takes to be added.
	heldPerEvent = 16
)

// cost returns what a request may take, in new events. A window without tail is read
// as a whole, however large it is.
func cost(q *detect.WindowRequest) int {
	if q.Tail > 0 {
		return len(q.Events)
	}
	return len(q.Events) + min(q.Limit/heldPerEvent, maxEvents)
}

// An exchanger exchanges windows with Redis.
type exchanger struct {
	client    redis.UniversalClient
	prefix    string
	retention time.Duration
	// late is how much longer events stay than their rule needs them.
	late time.Duration
}

// A call is one call of the script.
type call struct {
	requests []*detect.WindowRequest
	keys     []string
	args     []any
	reply    *redis.Cmd
}

// exchange needs one round trip if Redis knows the script.
func (x *exchanger) exchange(ctx context.Context, requests []*detect.WindowRequest) ([]detect.WindowAnswer, error) {
	calls := x.calls(requests)
	err := x.send(ctx, calls, exchangeScript.EvalSha)
	if err != nil {
		var unknown []*call
		for _, c := range calls {
			if redis.HasErrorPrefix(c.reply.Err(), "NOSCRIPT") {
				unknown = append(unknown, c)
			} else if c.reply.Err() != nil {
				return nil, fmt.Errorf("rediswindow: exchange windows: %w", c.reply.Err())
			}
		}
		if len(unknown) > 0 { // else the error is of no call, but of the connection
			err = x.send(ctx, unknown, exchangeScript.Eval)
		}
		if err != nil {
			return nil, fmt.Errorf("rediswindow: exchange windows: %w", err)
		}
	}
	answers := make([]detect.WindowAnswer, 0, len(requests))
	for _, c := range calls {
		if answers, err = c.read(answers); err != nil {
			return nil, fmt.Errorf("rediswindow: read windows: %w", err)
		}
	}
	return answers, nil
}

// calls divides the requests into calls. Only one server has all keys.
func (x *exchanger) calls(requests []*detect.WindowRequest) []*call {
	_, oneServer := x.client.(*redis.Client)
	var all []*call
	events := 0
	for _, q := range requests {
		if events += cost(q); len(all) == 0 || !oneServer || events > maxEvents {
			all = append(all, &call{})
			events = cost(q)
		}
		c := all[len(all)-1]
		c.requests = append(c.requests, q)
		c.keys = append(c.keys, x.prefix+":{"+q.ID+"}")
		c.args = appendArguments(c.args, q, minus(q.Horizon, int64(x.late)), (q.Keep + x.retention).Milliseconds())
	}
	return all
}

// send makes the calls and returns the first error.
func (x *exchanger) send(
	ctx context.Context, calls []*call,
	by func(ctx context.Context, to redis.Scripter, keys []string, args ...any) *redis.Cmd,
) error {
	_, err := x.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, c := range calls {
			c.reply = by(ctx, p, c.keys, c.args...)
		}
		return nil
	})
	return err
}

// read adds the answers that the reply holds.
func (c *call) read(answers []detect.WindowAnswer) ([]detect.WindowAnswer, error) {
	reply, err := c.reply.Slice()
	if err != nil {
		return nil, err
	}
	if len(reply) != len(c.requests) {
		return nil, errReply
	}
	for i, q := range c.requests {
		a, err := answer(q, reply[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.keys[i], err)
		}
		answers = append(answers, a)
	}
	return answers, nil
}
