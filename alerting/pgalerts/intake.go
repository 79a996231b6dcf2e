package pgalerts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/auditwarden/auditwarden/monitor"
)

// StoreOccurrences implements [driver.Store]. It stores all occurrences in one
// transaction. If the connection breaks during the commit, the error does not tell
// whether they were stored; as always, the call can be repeated.
//
// A call takes four or five round trips, regardless of the number of occurrences, and
// one more if a damping is set.
func (s *Store) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	in, err := newIntake(os)
	if err == nil && len(os) > 0 {
		err = s.write(ctx, func(tx pgx.Tx) error { return in.store(ctx, tx) })
	}
	if err != nil {
		return nil, err
	}
	return in.dispositions, nil
}

// An intake writes the occurrences of one call to the database.
//
// It first locks the open alerts, in the order of organization and fingerprint, and
// reads the data that it needs. It then decides with the functions
// of package driver, inserts new alerts in the same order, and writes everything
// else. Intakes cannot deadlock, since each has all its locks before it inserts
// alerts.
type intake struct {
	tenants []*tenant // by organization
	size    int
	now     time.Time // the server's, after all locks were granted
	// dispositions are those of the last attempt that reached its commit.
	dispositions []monitor.Disposition
}

func newIntake(os []*monitor.Occurrence) (*intake, error) {
	in := &intake{size: len(os)}
	occurrences := make([]occurrence, len(os))
	for i, o := range os {
		if err := o.Validate(); err != nil {
			return nil, fmt.Errorf("number %d: %w", i, err)
		}
		occurrences[i] = occurrence{o, i}
	}
	slices.SortStableFunc(occurrences, func(a, b occurrence) int {
		return cmp.Or(
			strings.Compare(a.Finding.OrganizationID, b.Finding.OrganizationID),
			slices.Compare(a.Fingerprint[:], b.Fingerprint[:]))
	})
	for _, o := range occurrences {
		last := len(in.tenants) - 1
		if last < 0 || in.tenants[last].organization != o.Finding.OrganizationID {
			in.tenants = append(in.tenants, &tenant{organization: o.Finding.OrganizationID})
			last++
		}
		in.tenants[last].occurrences = append(in.tenants[last].occurrences, o)
	}
	return in, nil
}

// lockLimit is how long an intake waits for a lock. Whoever holds one for longer has
// left a transaction open. The intake then fails, and its caller finds out which
// organizations are concerned by storing less at a time.
const lockLimit = 5 * time.Second

// A shorter limit that was set for the connection stays.
const limitLocks = `
SELECT set_config('lock_timeout', $1::int::text, true)
WHERE current_setting('lock_timeout')::interval NOT BETWEEN interval '1 ms' AND interval '1 ms' * $1::int`

// store makes one attempt.
func (in *intake) store(ctx context.Context, tx pgx.Tx) error {
	if err := in.read(ctx, tx); err != nil {
		return err
	}
	if slices.ContainsFunc(in.tenants, (*tenant).damps) {
		if err := in.send(ctx, tx, (*tenant).readEarlier); err != nil {
			return err
		}
	}
	ds := make([]monitor.Disposition, in.size)
	opens := false
	for _, t := range in.tenants {
		if err := t.decide(ds, in.dispositions, in.now); err != nil {
			return err
		}
		opens = opens || len(t.opened) > 0
	}
	if opens {
		if err := in.send(ctx, tx, (*tenant).writeOpened); err != nil {
			return err
		}
	}
	if err := in.send(ctx, tx, (*tenant).writeRest); err != nil {
		return err
	}
	in.dispositions = ds
	return nil
}

// read locks and reads what the decisions depend on.
func (in *intake) read(ctx context.Context, tx pgx.Tx) error {
	b := &pgx.Batch{}
	startDeciding(b)
	b.Queue(limitLocks, lockLimit.Milliseconds())
	for _, t := range in.tenants {
		scope(b, t.organization)
		t.read(b)
	}
	readClock(b, &in.now)
	return tx.SendBatch(ctx, b).Close()
}

// send sends the statements that queue adds for each organization.
func (in *intake) send(ctx context.Context, tx pgx.Tx, queue func(*tenant, *pgx.Batch)) error {
	b := &pgx.Batch{}
	for _, t := range in.tenants {
		scope(b, t.organization)
		queue(t, b)
	}
	return tx.SendBatch(ctx, b).Close()
}
