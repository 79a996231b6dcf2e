package alerting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// maxNamed is the number of invalid occurrences of a call that the error names.
const maxNamed = 10

// An intake takes the occurrences that a monitor reports: it buffers the repeats, and
// writes the others to the store.
type intake struct {
	storer   monitor.AlertStorer
	tracing  tracing
	reporter *reporter
	repeats  *coalescer
	claims   *claimer // may be nil
	dispatch *dispatcher
}

// take buffers or stores occurrences, except those that are invalid. With an error, the
// dispositions, if there are any, say which of them were buffered or stored.
func (in *intake) take(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	wrong := checkOccurrences(os)
	if wrong == nil {
		return in.takeValid(ctx, os)
	}
	var valid []*monitor.Occurrence
	var places []int
	for i, o := range os {
		if checkOccurrence(o) == nil {
			valid, places = append(valid, o), append(places, i)
		}
	}
	ds, err := in.takeValid(ctx, valid)
	return spread(make([]monitor.Disposition, len(os)), ds, places), errors.Join(wrong, err)
}

// checkOccurrences returns an error that names the first invalid occurrences.
func checkOccurrences(os []*monitor.Occurrence) error {
	var errs []error
	for i, o := range os {
		err := checkOccurrence(o)
		switch {
		case err == nil:
			continue
		case len(errs) == maxNamed:
			return errors.Join(append(errs, errors.New("and more"))...)
		case o == nil:
			err = fmt.Errorf("number %d: %w", i, err)
		default:
			err = fmt.Errorf("number %d, of rule %.64q for organization %.64q: %w", i, o.Finding.Rule, o.Finding.OrganizationID, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// spread sets the dispositions at these places.
func spread(all, ds []monitor.Disposition, places []int) []monitor.Disposition {
	for i, d := range ds {
		all[places[i]] = d
	}
	return all
}

// takeValid buffers or stores occurrences.
func (in *intake) takeValid(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	if in.claims != nil {
		unknown, began := in.repeats.unknown(os)
		in.repeats.believe(&began, in.claims.lookup(ctx, unknown))
	}
	ds, rest, places, began := in.repeats.hold(os)
	if len(rest) == 0 {
		return ds, nil
	}
	stored, err := in.store(ctx, 0, rest, &began)
	if ds == nil {
		return stored, err
	}
	return spread(ds, stored, places), err
}

// store writes occurrences to the store and has their notifications delivered. The call
// began in these epochs, and the store has this time, or 0 for no limit. With an error,
// the dispositions, if there are any, say which occurrences are stored.
func (in *intake) store(
	ctx context.Context, timeout time.Duration, os []*monitor.Occurrence, began *epochs,
) (ds []monitor.Disposition, _ error) {
	limited := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	err := in.tracing.operation(limited, "store occurrences", func(ctx context.Context) (err error) {
		ds, err = in.storer.StoreOccurrences(ctx, os)
		if len(ds) != len(os) {
			if err == nil {
				err = fmt.Errorf("the store returned %d dispositions for %d occurrences", len(ds), len(os))
			}
			ds = nil
		}
		return err
	})
	in.repeats.learn(began, os, ds)
	if in.claims != nil {
		in.claims.claim(ctx, os, ds)
	}
	if slices.ContainsFunc(ds, func(d monitor.Disposition) bool { return d.Notify == monitor.NotifyDue }) {
		in.dispatch.post(ctx)
	}
	return ds, err
}
