package fleet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/leaktest"
	"github.com/auditwarden/auditwarden/monitor"
)

// What an instance says, a line each.
const (
	saysRetry     = "retry"     // and why: something failed and is tried again
	saysProcessed = "processed" // and how many repeats are held: the events were judged
	saysStored    = "stored"    // the batch is acknowledged
)

const (
	startLimit = 30 * time.Second
	endLimit   = 30 * time.Second
	retryPause = 20 * time.Millisecond
)

// beInstance is the program of an instance. It reads batches of events, a line
// each and an empty one behind, until there are no more.
func beInstance(text string, in io.Reader, out io.Writer) error {
	var s settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	svc, err := newService(starting, s)
	if err != nil {
		return err
	}
	if err := pgalerts.Migrate(starting, svc.pool); err != nil {
		return errors.Join(err, svc.close())
	}
	ran := make(chan error, 1)
	go func() {
		err := svc.monitor.Run(context.Background())
		if errors.Is(err, monitor.ErrClosed) {
			err = nil // shut down before it began
		}
		ran <- err
	}()

	c := consumer{service: svc, settings: s, in: bufio.NewReader(in), out: out}
	err = c.consume()

	ending, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	err = errors.Join(err, svc.monitor.Shutdown(ending), <-ran, svc.close())
	if leaked := leaktest.Leaked(5 * time.Second); leaked != nil {
		err = errors.Join(err, fmt.Errorf("%d goroutines left:\n%s", len(leaked), strings.Join(leaked, "\n\n")))
	}
	return err
}

// A consumer hands what comes from a queue to a monitor.
type consumer struct {
	*service
	settings settings
	in       *bufio.Reader
	out      io.Writer
}

// consume handles batches until there are no more.
func (c *consumer) consume() error {
	for n := 1; ; n++ {
		batch, err := c.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		held, err := c.process(batch)
		if err != nil {
			return err
		}
		c.say(saysProcessed, held)
		if n == c.settings.StuckAfter {
			_, err := io.Copy(io.Discard, c.in)
			return errors.Join(errors.New("the instance is stuck"), err)
		}
		c.untilDone(c.alerts.Flush)
		c.say(saysStored, "")
	}
}

func (c *consumer) say(what string, more any) { fmt.Fprintln(c.out, what, more) }

// read reads a batch.
func (c *consumer) read() ([]monitor.Delivery, error) {
	var batch []monitor.Delivery
	for {
		line, err := c.in.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		if len(line) == 1 {
			return batch, nil
		}
		e := &monitor.Event{}
		if err := monitor.DecodeEvent(line, e); err != nil {
			return nil, err
		}
		batch = append(batch, monitor.Delivery{Event: e})
	}
}

// process has the monitor handle a batch, however often that takes, and returns
// how many repeats were held back. The error is one that does not go away.
func (c *consumer) process(batch []monitor.Delivery) (held int, fatal error) {
	c.untilDone(func(ctx context.Context) error {
		results, err := c.monitor.ProcessBatch(ctx, batch)
		if errors.Is(err, monitor.ErrClosed) {
			fatal = err
			return nil
		}
		var again []monitor.Delivery
		var reasons []error
		for i := range results {
			r := &results[i]
			switch {
			case r.State == monitor.StateRetry:
				again, reasons = append(again, batch[i]), append(reasons, r.Err)
			case r.Err == nil:
				held += repeats(r)
				fatal = errors.Join(fatal, wrong(batch[i].Event, r))
			default:
				fatal = errors.Join(fatal, r.Err)
			}
		}
		batch = again
		return errors.Join(reasons...)
	})
	return held, fatal
}

// wrong returns an error if the monitor did not take an event for what it is.
func wrong(e *monitor.Event, r *monitor.Result) error {
	if r.Verification.Decision == monitor.DecisionAccept && r.Timing == monitor.TimingOnTime && r.Duplicate <= monitor.DuplicateRedelivered {
		return nil
	}
	return fmt.Errorf("event %s: %v, %v, %v", e.ID, r.Verification.Verdict, r.Timing, r.Duplicate)
}

// repeats counts the occurrences of an event that joined open alerts.
func repeats(r *monitor.Result) (n int) {
	for _, d := range r.Dispositions {
		if d.Stored == monitor.StoredRepeat {
			n++
		}
	}
	return n
}

// untilDone calls f until it succeeds.
func (c *consumer) untilDone(f func(context.Context) error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), c.settings.Patience)
		err := f(ctx)
		cancel()
		if err == nil {
			return
		}
		c.say(saysRetry, strings.ReplaceAll(err.Error(), "\n", "; "))
		<-time.After(retryPause)
	}
}
