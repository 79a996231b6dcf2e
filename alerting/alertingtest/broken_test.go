package alertingtest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/monitor"
)

// brokenStore names the environment variable that makes TestSuiteCatches the
// suite of a broken store.
const brokenStore = "ALERTINGTEST_BROKEN_STORE"

// TestSuiteCatches proves that the suite fails for stores with the faults it is
// there for. As the suite fails its test, it runs in a process of its own.
func TestSuiteCatches(t *testing.T) {
	broken := brokenStores()
	if name := os.Getenv(brokenStore); name != "" {
		alertingtest.RunStore(t, alertingtest.StoreHarness{New: func(*testing.T) alerting.Store {
			return broken[name].wrap(memalerts.New(nil))
		}})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := "^TestSuiteCatches$/^" + broken[name].fails + "$"
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run, "-test.v")
			cmd.Env = append(os.Environ(), brokenStore+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestSuiteCatches/"+broken[name].fails) {
				t.Errorf("case %s did not fail: %v\n%s", broken[name].fails, err, out)
			}
		})
	}
}

// TestSkip leaves out every case that a store without cooldown fails.
func TestSkip(t *testing.T) {
	noCooldown := brokenStores()["has no cooldown"]
	const reason = "the store has no cooldown"
	alertingtest.RunStore(t, alertingtest.StoreHarness{
		New: func(*testing.T) alerting.Store { return noCooldown.wrap(memalerts.New(nil)) },
		Skip: map[string]string{
			"Cooldown": reason, "CooldownSetting": reason, "Suppression": reason, "SuppressionDaily": reason,
			"ConcurrentOccurrences": reason, "RetryCountsOnce": reason, "RetryAfterClose": reason,
		},
	})
}

type brokenCase struct {
	fails string // the case that must fail
	wrap  func(alerting.Store) alerting.Store
}

func brokenStores() map[string]brokenCase {
	return map[string]brokenCase{
		"reads any tenant": {"TenantsByReference", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				for a := range s.List(ctx, alerting.Query{Organization: alerting.AllOrganizations, Limit: 1000}) {
					if a.ID == ref.ID {
						return a, nil
					}
				}
				return nil, monitor.ErrNotFound
			}}
		}},
		"caches reads": {"LifecycleFields", func(s alerting.Store) alerting.Store {
			cache := map[monitor.AlertRef]*monitor.Alert{}
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				if cache[ref] != nil {
					return cache[ref], nil
				}
				a, err := s.Get(ctx, ref)
				cache[ref] = a
				return a, err
			}}
		}},
		"hands out what it keeps": {"Copies", func(s alerting.Store) alerting.Store {
			kept := map[string]*monitor.Alert{}
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				a, err := s.Get(ctx, ref)
				if err == nil && kept[a.ID] != nil {
					a.Metadata = kept[a.ID].Metadata
				}
				kept[ref.ID] = a
				return a, err
			}}
		}},
		"counts retries": {"RetryCountsOnce", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { rand.Read(o.EventKey[:]) }}
		}},
		"tells incidents apart by their text": {"Join", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { copy(o.Fingerprint[:], o.Finding.Event.ID) }}
		}},
		"mixes tenants of one fingerprint": {"Tenants", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.Finding.OrganizationID = "acme" }}
		}},
		"keeps the first severity": {"Join", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.Finding.Severity = min(o.Finding.Severity, monitor.SeverityMedium) }}
		}},
		"takes the last event for the latest": {"OutOfOrder", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.LastSeen = o.LastSeen.Add(time.Hour) }}
		}},
		"has no cooldown": {"Cooldown", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) { d.Notify = monitor.NotifyDue }}
		}},
		"notifies once only": {"Cooldown", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) {
				if d.Stored != monitor.StoredNew {
					d.Notify = monitor.NotifyNone
				}
			}}
		}},
		"ignores suppression": {"Suppression", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) {
				if d.Notify == monitor.NotifySuppressed {
					d.Notify = monitor.NotifyDue
				}
			}}
		}},
		"stores half a batch": {"BatchAllOrNothing", func(s alerting.Store) alerting.Store {
			return &oneByOne{s}
		}},
		"shares nothing between instances": {"ConcurrentOccurrences", func(s alerting.Store) alerting.Store {
			return &twoInstances{Store: s, second: memalerts.New(nil)}
		}},
		"has no guards": {"Lifecycle", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, change: func(ctx context.Context, ref monitor.AlertRef, err error) (*monitor.Alert, error) {
				if errors.Is(err, alerting.ErrTransition) {
					return s.Get(ctx, ref)
				}
				return nil, err
			}}
		}},
		"lets two acknowledge": {"ConcurrentChanges", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, change: func(ctx context.Context, ref monitor.AlertRef, err error) (*monitor.Alert, error) {
				return s.Get(ctx, ref)
			}}
		}},
		"calls a missing alert a failure": {"NotFound", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, change: func(context.Context, monitor.AlertRef, error) (*monitor.Alert, error) {
				return nil, errors.New("internal error")
			}}
		}},
		"does not ask who": {"LifecycleInput", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, by: "somebody"}
		}},
		"counts a page": {"ListPages", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, count: func(ctx context.Context, q alerting.Query) (n int, err error) {
				for _, err = range s.List(ctx, q) {
					n++
				}
				return n, err
			}}
		}},
		"pages by offset": {"ListPagesWhileWriting", func(s alerting.Store) alerting.Store {
			return &offsets{Store: s}
		}},
		"lists without limit": {"ListInput", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, query: func(q *alerting.Query) {
				if q.Limit == 0 {
					q.Limit = alerting.MaxLimit
				}
			}}
		}},
		"lists every tenant": {"Tenants", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, query: func(q *alerting.Query) { q.Organization = alerting.AllOrganizations }}
		}},
		"ignores a filter": {"ListFilters", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, query: func(q *alerting.Query) { q.Sources = nil }}
		}},
		"counts dismissed alerts as resolved": {"Statistics", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, statistics: func(stats *alerting.Statistics) { stats.Resolved += stats.Dismissed }}
		}},
		"counts resolutions by creation": {"Trends", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, statistics: func(stats *alerting.Statistics) {
				if len(stats.Trends) > 1 {
					stats.Trends[0].Resolved, stats.Trends[1].Resolved = stats.Trends[1].Resolved, 0
				}
			}}
		}},
		"purges every tenant": {"Tenants", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, purge: func(ctx context.Context, before time.Time) {
				_, _ = s.Purge(ctx, "other", before)
			}}
		}},
		"purges late": {"Purge", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, purge: func(ctx context.Context, before time.Time) {
				_, _ = s.Purge(ctx, "acme", before.Add(time.Hour))
			}}
		}},
		"claims without a lease": {"Outbox", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, lease: time.Nanosecond}
		}},
		"ends a lease early": {"OutboxOrder", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, lease: time.Nanosecond}
		}},
		"notifies of the alert as it was": {"Outbox", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Alert.Status = monitor.AlertActive }}
		}},
		"gives no reason": {"OutboxReasons", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Reason = alerting.ReasonOpened }}
		}},
		"has keys per alert": {"OutboxReasons", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) {
				if n.Route == "" {
					n.Key = n.Alert.ID
				}
			}}
		}},
		"forgets why it failed": {"OutboxRetry", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, settle: func(st *alerting.Settlement) { st.Failure = "" }}
		}},
		"tries again at once": {"OutboxRetry", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, settle: func(st *alerting.Settlement) { st.RetryAfter = 0 }}
		}},
		"buries no dead": {"DeadLetters", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, settle: func(st *alerting.Settlement) {
				if st.Outcome == alerting.OutcomeDead {
					st.Outcome = alerting.OutcomeDelivered
				}
			}}
		}},
		"takes a lost lease for one": {"OutboxLease", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, settle: func(st *alerting.Settlement) {
				n := *st.Notification
				n.Attempts = 2
				st.Notification = &n
			}}
		}},
		"takes one route": {"OutboxRouting", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, settle: func(st *alerting.Settlement) { st.Routes = st.Routes[:min(1, len(st.Routes))] }}
		}},
		"redrives every tenant's": {"DeadLetters", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, organization: alerting.AllOrganizations}
		}},
		"does not say that it escalated": {"Escalation", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Targets = nil }}
		}},
		"escalates again": {"EscalationAnswered", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, advanced: func(p *alerting.Progress) { p.Escalated++ }}
		}},
		"resolves what was busy": {"AutoResolve", func(s alerting.Store) alerting.Store {
			return &brokenOutbox{Store: s, advanced: func(p *alerting.Progress) { p.Resolved++ }}
		}},
		"lets the last save win": {"SettingsConflict", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, settings: func(ctx context.Context, organization string, set *alerting.Settings) {
				if current, err := s.Settings(ctx, organization); err == nil {
					set.Version = current.Version
				}
			}}
		}},
		"shares settings": {"Tenants", func(s alerting.Store) alerting.Store {
			return &broken{Store: s, settings: func(ctx context.Context, _ string, set *alerting.Settings) {
				_, _ = s.SaveSettings(ctx, "acme", *set, "somebody")
			}}
		}},
	}
}

// A broken store does what its fields make of the right answers.
type broken struct {
	alerting.Store
	by         string
	before     func(*monitor.Occurrence)
	after      func(*monitor.Disposition)
	get        func(context.Context, monitor.AlertRef) (*monitor.Alert, error)
	change     func(context.Context, monitor.AlertRef, error) (*monitor.Alert, error)
	query      func(*alerting.Query)
	count      func(context.Context, alerting.Query) (int, error)
	statistics func(*alerting.Statistics)
	purge      func(context.Context, time.Time)
	settings   func(context.Context, string, *alerting.Settings)
}

func (s *broken) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	if s.before != nil {
		for _, o := range os {
			s.before(o)
		}
	}
	ds, err := s.Store.StoreOccurrences(ctx, os)
	if s.after != nil {
		for i := range ds {
			s.after(&ds[i])
		}
	}
	return ds, err
}

func (s *broken) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
	if s.get != nil {
		return s.get(ctx, ref)
	}
	return s.Store.Get(ctx, ref)
}

func (s *broken) changed(ctx context.Context, ref monitor.AlertRef, a *monitor.Alert, err error) (*monitor.Alert, error) {
	if err != nil && s.change != nil {
		return s.change(ctx, ref, err)
	}
	return a, err
}

func (s *broken) actor(by string) string {
	if s.by != "" {
		return s.by
	}
	return by
}

func (s *broken) Acknowledge(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	a, err := s.Store.Acknowledge(ctx, ref, s.actor(by), note)
	return s.changed(ctx, ref, a, err)
}

func (s *broken) Resolve(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	a, err := s.Store.Resolve(ctx, ref, s.actor(by), note)
	return s.changed(ctx, ref, a, err)
}

func (s *broken) Dismiss(ctx context.Context, ref monitor.AlertRef, by, note string) (*monitor.Alert, error) {
	a, err := s.Store.Dismiss(ctx, ref, s.actor(by), note)
	return s.changed(ctx, ref, a, err)
}

func (s *broken) List(ctx context.Context, q alerting.Query) iter.Seq2[*monitor.Alert, error] {
	if s.query != nil {
		s.query(&q)
	}
	return s.Store.List(ctx, q)
}

func (s *broken) Count(ctx context.Context, q alerting.Query) (int, error) {
	if s.count != nil {
		return s.count(ctx, q)
	}
	return s.Store.Count(ctx, q)
}

func (s *broken) Statistics(ctx context.Context, q alerting.StatisticsQuery) (*alerting.Statistics, error) {
	stats, err := s.Store.Statistics(ctx, q)
	if err == nil && s.statistics != nil {
		s.statistics(stats)
	}
	return stats, err
}

func (s *broken) Purge(ctx context.Context, organization string, before time.Time) (int, error) {
	if s.purge != nil {
		s.purge(ctx, before)
	}
	return s.Store.Purge(ctx, organization, before)
}

func (s *broken) SaveSettings(ctx context.Context, organization string, set alerting.Settings, by string) (alerting.Settings, error) {
	if s.settings != nil {
		s.settings(ctx, organization, &set)
	}
	return s.Store.SaveSettings(ctx, organization, set, by)
}

// A brokenOutbox is a store whose outbox and timers do what its fields make of the
// right answers.
type brokenOutbox struct {
	alerting.Store
	lease        time.Duration
	organization string
	claimed      func(*alerting.Notification)
	settle       func(*alerting.Settlement)
	advanced     func(*alerting.Progress)
}

func (s *brokenOutbox) ClaimNotifications(
	ctx context.Context, route string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	if s.lease != 0 {
		lease = s.lease
	}
	ns, err := s.Store.ClaimNotifications(ctx, route, limit, lease)
	for _, n := range ns {
		if s.claimed != nil {
			s.claimed(n)
		}
	}
	return ns, err
}

func (s *brokenOutbox) SettleNotifications(ctx context.Context, settlements []alerting.Settlement) error {
	for i := range settlements {
		if s.settle != nil {
			s.settle(&settlements[i])
		}
	}
	return s.Store.SettleNotifications(ctx, settlements)
}

func (s *brokenOutbox) Redrive(ctx context.Context, organization, route string) (int, error) {
	if s.organization != "" {
		organization = s.organization
	}
	return s.Store.Redrive(ctx, organization, route)
}

func (s *brokenOutbox) Advance(ctx context.Context, limit int) (alerting.Progress, error) {
	p, err := s.Store.Advance(ctx, limit)
	if s.advanced != nil {
		s.advanced(&p)
	}
	return p, err
}

// oneByOne stores each alert of a batch by itself.
type oneByOne struct{ alerting.Store }

func (s *oneByOne) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	var ds []monitor.Disposition
	for i := range os {
		d, err := s.Store.StoreOccurrences(ctx, os[i:i+1])
		if err != nil {
			return nil, err
		}
		ds = append(ds, d...)
	}
	return ds, nil
}

// twoInstances spreads what it is given over two stores.
type twoInstances struct {
	alerting.Store
	second alerting.Store
	turn   atomic.Int64
}

func (s *twoInstances) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	if s.turn.Add(1)%2 == 0 {
		return s.second.StoreOccurrences(ctx, os)
	}
	return s.Store.StoreOccurrences(ctx, os)
}

// offsets pages by the number of alerts that were read, which is how many
// earlier ones it skips.
type offsets struct {
	alerting.Store
	read int
}

func (s *offsets) List(ctx context.Context, q alerting.Query) iter.Seq2[*monitor.Alert, error] {
	return func(yield func(*monitor.Alert, error) bool) {
		if q.After == "" {
			s.read = 0
		}
		skip, limit := s.read, q.PageSize()
		q.After, q.Limit = "", alerting.MaxLimit
		for a, err := range s.Store.List(ctx, q) {
			if skip--; skip >= 0 {
				continue
			}
			if limit--; limit < 0 || !yield(a, err) {
				return
			}
			s.read++
		}
	}
}
