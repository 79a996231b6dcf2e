package pgalerts

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/monitor"
)

// Options change what a [Store] does. The zero value of a field is its
// documented default.
type Options struct {
	// MaxAttempts is how often an operation is tried while the server restarts,
	// the connection breaks, or another transaction is in the way. Defaults to
	// 10, which takes a second or two; 1 leaves trying again to the caller.
	MaxAttempts int
}

// A Store is an [alerting.Store] in PostgreSQL. It is safe for concurrent use,
// and any number of them, in as many processes, may work on the same schema.
//
// It holds nothing but the pool, which belongs to the host. An error of the
// server is a [pgconn.PgError] for [errors.As].
type Store struct {
	pool        *pgxpool.Pool
	maxAttempts int
	migrated    atomic.Bool // checkSchema was satisfied
}

var _ alerting.Store = (*Store)(nil)

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

// read sends the statements that queue adds, in one round trip and one
// transaction of that organization. They and what reads their results may be
// called again.
func (s *Store) read(ctx context.Context, organization string, queue func(*pgx.Batch)) error {
	return s.retry(ctx, func() error {
		b := &pgx.Batch{}
		scope(b, organization)
		queue(b)
		return s.pool.SendBatch(ctx, b).Close()
	})
}

// write calls f in a transaction, perhaps again after a commit whose outcome is
// not known.
func (s *Store) write(ctx context.Context, f func(pgx.Tx) error) error {
	return s.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, f)
	})
}

// scope tells the server whose rows the statements that follow are about, for
// row-level security. It lasts until the next scope or the transaction's end.
//
// It also has them planned each time they are executed, as walks along an index.
// Otherwise a plan that was made when the tables were all but empty would be kept
// until the server happens to analyze them.
func scope(b *pgx.Batch, organization string) {
	all := "off"
	if organization == alerting.AllOrganizations {
		organization, all = "", "on"
	}
	b.Queue(setScope, organization, all)
}

const (
	setScope = `
SELECT set_config('app.organization', $1, true), set_config('app.all_organizations', $2, true),
	set_config('plan_cache_mode', 'force_custom_plan', true),
	set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('enable_sort', 'off', true),
	set_config('jit', 'off', true)`

	// Foreign keys are checked faster with plans that are kept.
	keepPlans = `SELECT set_config('plan_cache_mode', 'auto', true)`
)

// maxOrganization is what an index can hold of a name, in bytes.
const maxOrganization = 1000

// checkOrganization says whether there can be rows of that organization.
func checkOrganization(name string) error {
	if err := alerting.ValidateOrganization(name); err != nil {
		return err
	}
	return storable(name)
}

// checkScope allows all organizations as well. The query that it belongs to was
// validated.
func checkScope(name string) error {
	if name == alerting.AllOrganizations {
		return nil
	}
	return storable(name)
}

func storable(organization string) error {
	switch {
	case len(organization) > maxOrganization:
		return &alerting.InvalidError{
			Field: "Organization",
			Err:   fmt.Errorf("%d bytes are more than %d", len(organization), maxOrganization),
		}
	case !utf8.ValidString(organization):
		return &alerting.InvalidError{Field: "Organization", Err: errors.New("is not UTF-8")}
	}
	return nil
}

// checkRef says whether there can be an alert at that address.
func checkRef(ref monitor.AlertRef) error {
	if err := checkOrganization(ref.Organization); err != nil {
		return err
	}
	if !isID(ref.ID) {
		return notFound(ref)
	}
	return nil
}

func notFound(ref monitor.AlertRef) error {
	return fmt.Errorf("alert %.40q: %w", ref.ID, monitor.ErrNotFound)
}

// isID reports whether text is a UUID in the form that alerts have.
func isID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
