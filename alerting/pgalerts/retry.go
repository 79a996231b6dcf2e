package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/internal/backoff"
)

// The pause between attempts is a random time below a limit that doubles. Ten
// attempts take one or two seconds, about as long as a server needs to restart.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// retry calls f until it succeeds, fails for another reason than one that passes, or
// has been called MaxAttempts times. It is the only place that retries, so f must also
// be correct if its last call took effect without a response.
func (s *Store) retry(ctx context.Context, f func() error) error {
	for attempt := 1; ; attempt++ {
		err := s.checkSchema(ctx)
		if err == nil {
			err = f()
		}
		if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return err
		}
		switch remedyFor(err) {
		case report, giveUp:
			return explained(err)
		case reconnect:
			s.pool.Reset() // the other connections are no better
		case repeat:
		}
		if attempt >= s.maxAttempts {
			return err
		}
		if ended := backoff.Wait(ctx, backoff.FullJitter(attempt, minPause, maxPause)); ended != nil {
			return fmt.Errorf("%w, after %w", ended, err)
		}
	}
}
