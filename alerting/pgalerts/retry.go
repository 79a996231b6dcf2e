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

// Pauses between attempts: random, below a limit that doubles. Ten attempts
// take a second or two, about what a server needs to start again.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// errRaced says that an instance changed what this one was about to.
var errRaced = errors.New("another instance was faster")

// retry calls f until it succeeds, fails permanently, or was called often enough.
// It is the only place where anything is tried again, so f must do no harm if
// its last call took effect and nobody heard of it.
func (s *Store) retry(ctx context.Context, f func() error) error {
	pauses := 0
	for attempt := 1; ; attempt++ {
		err := s.checkSchema(ctx)
		if err == nil {
			err = f()
		}
		if errors.Is(err, errRaced) {
			attempt-- // somebody got on, and so will this
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

// transient reports whether an error may go away: a conflict between
// transactions, a server that stops, starts or has too many clients, a
// connection that broke or could not be made.
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
