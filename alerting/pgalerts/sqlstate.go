package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/auditwarden/auditwarden/monitor"
)

// errRaced means that another instance changed the same data first.
var errRaced = errors.New("another instance changed the same alert first")

// A remedy says what to do about an error.
type remedy int

const (
	// report returns the error at once, although the operation may succeed later: when
	// somebody has corrected something or the server has less to do.
	report remedy = iota
	// repeat tries the operation again.
	repeat
	// reconnect tries the operation again, on a new connection.
	reconnect
	// giveUp returns the error as a [monitor.ErrPermanent]: it is the input's.
	giveUp
)

// remedies are the remedies by SQLSTATE, or by its class: its first two characters.
// The others are report.
var remedies = map[string]remedy{
	"08":    repeat,    // connection exceptions, and what a pooler says of itself
	"21":    giveUp,    // cardinality violation
	"22":    giveUp,    // data exceptions
	"23502": giveUp,    // not_null_violation
	"23514": giveUp,    // check_violation
	"25006": reconnect, // read_only_sql_transaction: the server has become a standby
	"25P03": repeat,    // idle_in_transaction_session_timeout, which ends the connection
	"40001": repeat,    // serialization_failure
	"40P01": repeat,    // deadlock_detected
	"53300": repeat,    // too_many_connections
	"54":    giveUp,    // program limits, such as the size of a row in an index
	"57P01": repeat,    // admin_shutdown
	"57P02": repeat,    // crash_shutdown
	"57P03": repeat,    // cannot_connect_now
	"57P05": repeat,    // idle_session_timeout, which ends the connection
}

// remedyFor returns what to do about an error of an operation whose context is alive.
func remedyFor(err error) remedy {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		r, known := remedies[pg.Code]
		if !known && len(pg.Code) == 5 {
			r = remedies[pg.Code[:2]]
		}
		return r
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, errRaced) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || // the time limit of connecting
		pgconn.SafeToRetry(err) {
		return repeat
	}
	return report
}

// explained returns an error with what its SQLSTATE means for the caller.
func explained(err error) error {
	if remedyFor(err) == giveUp {
		return fmt.Errorf("%w: %w", err, monitor.ErrPermanent)
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "26000" || pg.Code == "42P05") {
		return fmt.Errorf("%w: a pooler loses prepared statements, choose another default_query_exec_mode", err)
	}
	return err
}

// passing reports whether an error is that of the server or of the connection to it,
// and not that of an operation.
func passing(err error) bool { r := remedyFor(err); return r == repeat || r == reconnect }
