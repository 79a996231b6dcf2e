package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/internal/backoff"
)

// The pause between attempts is a random time below a limit that doubles. Ten
// attempts take one or two seconds, about as long as a server needs to restart.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// errRaced means that another instance changed the same data first.
var errRaced = errors.New("another instance changed the same alert first")

// retry calls f until it succeeds, fails permanently, or has been called MaxAttempts
// times. It is the only place that retries, so f must also be correct if its last
// call took effect without a response.
func (s *Store) retry(ctx context.Context, f func() error) error {
	pauses := 0
	for attempt := 1; ; attempt++ {
		err := s.checkSchema(ctx)
		if err == nil {
			err = f()
		}
		if errors.Is(err, errRaced) {
			attempt-- // not counted, since at least one instance makes progress
		}
		if err == nil || attempt >= s.maxAttempts || !transient(err) {
			return err
		}
		pauses++
		if ended := backoff.Wait(ctx, backoff.FullJitter(pauses, minPause, maxPause)); ended != nil {
			return fmt.Errorf("%w, after %w", ended, err)
		}
	}
}

// transient reports whether an operation that failed with this error may succeed
// later: after a conflict between transactions, when a server stops, starts or has
// too many clients, and when a connection breaks or cannot be made.
func transient(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", // serialization_failure
			"40P01",                   // deadlock_detected
			"53300",                   // too_many_connections
			"57P01", "57P02", "57P03": // admin_shutdown, crash_shutdown, cannot_connect_now
			return true
		}
		return strings.HasPrefix(pg.Code, "08") // connection exceptions
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, errRaced) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err)
}
