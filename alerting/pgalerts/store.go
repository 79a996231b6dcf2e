package pgalerts

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting/driver"
)

// Options configure a [Store]. The zero value of a field is its documented default.
type Options struct {
	// MaxAttempts is the largest number of attempts at an operation when the server
	// restarts, a connection breaks, or another instance changes the same alert first.
	// Defaults to 10, which take one or two seconds; 1 leaves it to the caller to try
	// again.
	MaxAttempts int
}

// A Store is a [driver.Store] in PostgreSQL. It is safe for concurrent use. Any
// number of stores, in any number of processes, can share a schema.
//
// It needs no cleanup, since the application owns the pool. [errors.As] finds the
// [pgconn.PgError] in an error of the server.
type Store struct {
	pool        *pgxpool.Pool
	maxAttempts int
	migrated    atomic.Bool // checkSchema has succeeded

	turns sync.Map // the last organization whose notification was claimed, by route

	// The numbers of dropped notifications since the store was created.
	tooOld, noSuchRoute atomic.Int64
}

var _ driver.Store = (*Store)(nil)

var errNoPool = errors.New("pool: missing")

// New returns a store that uses the pool. Options may be nil. New does not connect;
// the first operation checks the connection and whether [Migrate] has been called.
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
