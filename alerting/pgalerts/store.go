package pgalerts

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting/driver"
)

// Options change what a [Store] does. The zero value of a field is its
// documented default.
type Options struct {
	// MaxAttempts is how often an operation is tried while the server restarts,
	// the connection breaks, or another transaction is in the way. Defaults to
	// 10, which takes a second or two; 1 leaves trying again to the caller.
	MaxAttempts int
}

// A Store is an [driver.Store] in PostgreSQL. It is safe for concurrent use,
// and any number of them, in as many processes, may work on the same schema.
//
// It holds nothing but the pool, which belongs to the application. An error of the
// server is a [pgconn.PgError] for [errors.As].
type Store struct {
	pool        *pgxpool.Pool
	maxAttempts int
	migrated    atomic.Bool // checkSchema was satisfied

	// What was dropped since the store was made.
	tooOld, noSuchRoute atomic.Int64
}

var _ driver.Store = (*Store)(nil)

var errNoPool = errors.New("pool: missing")

// New returns a store over the pool. Options may be nil. It does not connect:
// the first operation finds out whether the server is there and its schema is
// the one that [Migrate] makes.
func New(pool *pgxpool.Pool, o *Options) (*Store, error) {
	s := &Store{pool: pool, maxAttempts: 10}
	if pool == nil {
		return nil, fmt.Errorf("pgalerts: make store: %w", errNoPool)
	}
	if o != nil && o.MaxAttempts < 0 {
		return nil, fmt.Errorf("pgalerts: make store: Options.MaxAttempts: %d is negative", o.MaxAttempts)
	}
	if o != nil && o.MaxAttempts > 0 {
		s.maxAttempts = o.MaxAttempts
	}
	return s, nil
}
