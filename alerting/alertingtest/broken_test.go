package alertingtest_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
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
	"github.com/auditwarden/auditwarden/alerting/driver"
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
		alertingtest.RunStore(t, alertingtest.StoreHarness{New: func(*testing.T) driver.Store {
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

type brokenCase struct {
	fails string // the case that must fail
	wrap  func(driver.Store) driver.Store
}

func brokenStores() map[string]brokenCase {
	return map[string]brokenCase{
		"reads any tenant": {"TenantsByReference", func(s driver.Store) driver.Store {
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				all, err := s.List(ctx, alerting.Query{Organization: alerting.AllOrganizations, Limit: 1000})
				if err != nil {
					return nil, err
				}
				for _, a := range all {
					if a.ID == ref.ID {
						return a, nil
					}
				}
				return nil, monitor.ErrNotFound
			}}
		}},
		"caches reads": {"LifecycleFields", func(s driver.Store) driver.Store {
			cache := map[monitor.AlertRef]*monitor.Alert{}
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				if cache[ref] != nil {
					return cache[ref], nil
				}
				a, _, err := s.Get(ctx, ref)
				cache[ref] = a
				return a, err
			}}
		}},
		"hands out what it keeps": {"Copies", func(s driver.Store) driver.Store {
			kept := map[string]*monitor.Alert{}
			return &broken{Store: s, get: func(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, error) {
				a, _, err := s.Get(ctx, ref)
				if err == nil && kept[a.ID] != nil {
					a.Metadata = kept[a.ID].Metadata
				}
				kept[ref.ID] = a
				return a, err
			}}
		}},
		"counts retries": {"RetryCountsOnce", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { rand.Read(o.EventKey[:]) }}
		}},
		"cuts texts": {"Limits", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.Source = o.Source[:min(len(o.Source), 255)] }}
		}},
		"takes any time": {"BeyondLimits", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) {
				if o.LastSeen.Year() > 2261 {
					o.LastSeen = time.Date(2261, 1, 1, 0, 0, 0, 0, time.UTC)
				}
			}}
		}},
		"claims for paused organizations": {"OutboxPaused", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, unpaused: true}
		}},
		"remembers the events of the last alert": {"RetryAfterLaterAlerts", func(s driver.Store) driver.Store {
			return &forgetful{s}
		}},
		"tells incidents apart by their text": {"Join", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { copy(o.Fingerprint[:], o.Finding.Event.ID) }}
		}},
		"mixes tenants of one fingerprint": {"Tenants", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.Finding.OrganizationID = "acme" }}
		}},
		"keeps the first severity": {"Join", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.Finding.Severity = min(o.Finding.Severity, monitor.SeverityMedium) }}
		}},
		"takes the last event for the latest": {"OutOfOrder", func(s driver.Store) driver.Store {
			return &broken{Store: s, before: func(o *monitor.Occurrence) { o.LastSeen = o.LastSeen.Add(time.Hour) }}
		}},
		"has no cooldown": {"Cooldown", func(s driver.Store) driver.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) { d.Notify = monitor.NotifyDue }}
		}},
		"notifies once only": {"Cooldown", func(s driver.Store) driver.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) {
				if d.Stored != monitor.StoredNew {
					d.Notify = monitor.NotifyNone
				}
			}}
		}},
		"waits for a time ahead of the clock": {"CooldownAhead", func(s driver.Store) driver.Store {
			var ahead bool
			return &broken{
				Store:  s,
				before: func(o *monitor.Occurrence) { ahead = ahead || o.LastSeen.After(time.Now()) },
				after: func(d *monitor.Disposition) {
					if ahead && d.Stored == monitor.StoredRepeat {
						d.Notify = monitor.NotifyNone
					}
				},
			}
		}},
		"ignores suppression": {"Suppression", func(s driver.Store) driver.Store {
			return &broken{Store: s, after: func(d *monitor.Disposition) {
				if d.Notify == monitor.NotifySuppressed {
					d.Notify = monitor.NotifyDue
				}
			}}
		}},
		"stores half a batch": {"BatchAllOrNothing", func(s driver.Store) driver.Store {
			return &oneByOne{s}
		}},
		"shares nothing between instances": {"ConcurrentOccurrences", func(s driver.Store) driver.Store {
			return &twoInstances{Store: s, second: memalerts.New(nil)}
		}},
		"has no guards": {"Lifecycle", func(s driver.Store) driver.Store {
			return &broken{Store: s, change: func(ctx context.Context, ref monitor.AlertRef, err error) (*monitor.Alert, error) {
				if errors.Is(err, alerting.ErrTransition) {
					a, _, err := s.Get(ctx, ref)
					return a, err
				}
				return nil, err
			}}
		}},
		"lets two acknowledge": {"ConcurrentChanges", func(s driver.Store) driver.Store {
			return &broken{Store: s, change: func(ctx context.Context, ref monitor.AlertRef, _ error) (*monitor.Alert, error) {
				a, _, err := s.Get(ctx, ref)
				return a, err
			}}
		}},
		"calls a missing alert a failure": {"NotFound", func(s driver.Store) driver.Store {
			return &broken{Store: s, change: func(context.Context, monitor.AlertRef, error) (*monitor.Alert, error) {
				return nil, errors.New("internal error")
			}}
		}},
		"forgets who": {"History", func(s driver.Store) driver.Store {
			return &broken{Store: s, by: "somebody"}
		}},
		"counts a page": {"ListPages", func(s driver.Store) driver.Store {
			return &broken{Store: s, count: func(ctx context.Context, q alerting.Query) (int, error) {
				page, err := s.List(ctx, q)
				return len(page), err
			}}
		}},
		"pages by offset": {"ListPagesWhileWriting", func(s driver.Store) driver.Store {
			return &offsets{Store: s}
		}},
		"lists without limit": {"ListFilters", func(s driver.Store) driver.Store {
			return &broken{Store: s, query: func(q *alerting.Query) {
				q.Limit = alerting.MaxLimit
			}}
		}},
		"lists every tenant": {"Tenants", func(s driver.Store) driver.Store {
			return &broken{Store: s, query: func(q *alerting.Query) { q.Organization = alerting.AllOrganizations }}
		}},
		"ignores a filter": {"ListFilters", func(s driver.Store) driver.Store {
			return &broken{Store: s, query: func(q *alerting.Query) { q.Sources = nil }}
		}},
		"counts dismissed alerts as resolved": {"Statistics", func(s driver.Store) driver.Store {
			return &broken{Store: s, statistics: func(stats *alerting.Statistics) { stats.Resolved += stats.Dismissed }}
		}},
		"counts resolutions by creation": {"Trends", func(s driver.Store) driver.Store {
			return &broken{Store: s, statistics: func(stats *alerting.Statistics) {
				if len(stats.Trends) > 1 {
					stats.Trends[0].Resolved, stats.Trends[1].Resolved = stats.Trends[1].Resolved, 0
				}
			}}
		}},
		"purges every tenant": {"Tenants", func(s driver.Store) driver.Store {
			return &broken{Store: s, purge: func(ctx context.Context, before time.Time) {
				_, _ = s.Purge(ctx, "other", before)
			}}
		}},
		"purges late": {"Purge", func(s driver.Store) driver.Store {
			return &broken{Store: s, purge: func(ctx context.Context, before time.Time) {
				_, _ = s.Purge(ctx, "acme", before.Add(time.Hour))
			}}
		}},
		"purges one tenant only": {"PurgeAll", func(s driver.Store) driver.Store {
			return &oneTenantsPurge{s}
		}},
		"erases nothing": {"Erase", func(s driver.Store) driver.Store {
			return &neverErases{s}
		}},
		"claims without a lease": {"Outbox", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, lease: time.Nanosecond}
		}},
		"ends a lease early": {"OutboxOrder", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, lease: time.Nanosecond}
		}},
		"notifies of the alert as it was": {"Outbox", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Alert.Status = monitor.AlertActive }}
		}},
		"gives no reason": {"OutboxReasons", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Reason = alerting.ReasonOpened }}
		}},
		"repeats an opening that was held back": {"OutboxOpenedLate", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) {
				if n.Reason == alerting.ReasonOpened && n.Alert.Occurrences > 1 {
					n.Reason = alerting.ReasonRepeated
				}
			}}
		}},
		"has keys per alert": {"OutboxReasons", func(s driver.Store) driver.Store {
			return &keysPerAlert{s}
		}},
		"forgets why it failed": {"OutboxRetry", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, settle: func(d *alerting.Delivery) { d.Notification.Failure = "" }}
		}},
		"tries again at once": {"OutboxRetry", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, settle: func(d *alerting.Delivery) { d.RetryAfter = 0 }}
		}},
		"buries no dead": {"DeadLetters", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, settle: func(d *alerting.Delivery) {
				if d.Outcome == alerting.OutcomeDead {
					d.Outcome = alerting.OutcomeDelivered
				}
			}}
		}},
		"takes a lost lease for one": {"OutboxLease", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, settle: func(d *alerting.Delivery) {
				n := *d.Notification
				n.Attempts = 2
				d.Notification = &n
			}}
		}},
		"fences by attempts": {"RedriveFences", func(s driver.Store) driver.Store {
			last := map[string]*alerting.Notification{}
			return &brokenOutbox{
				Store:   s,
				claimed: func(n *alerting.Notification) { last[n.Key] = n },
				settle: func(d *alerting.Delivery) {
					if n := *last[d.Notification.Key]; n.Attempts == d.Notification.Attempts {
						n.Failure = d.Notification.Failure
						d.Notification = &n
					}
				},
			}
		}},
		"serves first who came first": {"OutboxRoundRobin", func(s driver.Store) driver.Store {
			return &unfair{s, func(int) int { return 0 }}
		}},
		"begins the round again with each call": {"OutboxRoundRobin", func(s driver.Store) driver.Store {
			return &unfair{s, func(turn int) int { return turn }}
		}},
		"takes one route": {"OutboxRoutedOnce", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, routes: func(route string, all []alerting.Route) []alerting.Route {
				return slices.DeleteFunc(all, func(r alerting.Route) bool { return r.Name != route })
			}}
		}},
		"takes every route": {"OutboxRouting", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, routes: func(_ string, all []alerting.Route) []alerting.Route {
				for i := range all {
					all[i] = alerting.Route{Name: all[i].Name, Reasons: alerting.Reasons(), ExpireAfter: time.Hour}
				}
				return all
			}}
		}},
		"lets nothing expire": {"OutboxExpired", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, routes: func(_ string, all []alerting.Route) []alerting.Route {
				for i := range all {
					all[i].ExpireAfter = time.Hour
				}
				return all
			}}
		}},
		"redrives every tenant's": {"DeadLetters", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, organization: alerting.AllOrganizations}
		}},
		"does not say that it escalated": {"Escalation", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, claimed: func(n *alerting.Notification) { n.Targets = nil }}
		}},
		"escalates again": {"EscalationAnswered", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, timed: func(escalated, _ *int) { *escalated++ }}
		}},
		"resolves what was busy": {"AutoResolve", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, timed: func(_, resolved *int) { *resolved++ }}
		}},
		"applies settings that were replaced": {"SettingsReachAll", func(s driver.Store) driver.Store {
			return &brokenOutbox{Store: s, timed: func(escalated, _ *int) { *escalated++ }}
		}},
		"lists the settings of one tenant": {"AllSettings", func(s driver.Store) driver.Store {
			return &oneTenantsSettings{s}
		}},
		"lets the last save win": {"SettingsConflict", func(s driver.Store) driver.Store {
			return &broken{Store: s, settings: func(ctx context.Context, organization string, set *alerting.Settings) {
				if current, err := s.Settings(ctx, organization); err == nil {
					set.Version = current.Version
				}
			}}
		}},
		"shares settings": {"Tenants", func(s driver.Store) driver.Store {
			return &broken{Store: s, settings: func(ctx context.Context, _ string, set *alerting.Settings) {
				_, _ = s.SaveSettings(ctx, "acme", *set, "somebody")
			}}
		}},
	}
}

// A broken store does what its fields make of the right answers.
type broken struct {
	driver.Store
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

func (s *broken) Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, []alerting.Change, error) {
	a, history, err := s.Store.Get(ctx, ref)
	if s.get != nil {
		a, err = s.get(ctx, ref)
	}
	return a, history, err
}

func (s *broken) Change(
	ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string,
) (*monitor.Alert, error) {
	a, err := s.Store.Change(ctx, ref, to, cmp.Or(s.by, by), note)
	if err != nil && s.change != nil {
		return s.change(ctx, ref, err)
	}
	return a, err
}

func (s *broken) List(ctx context.Context, q alerting.Query) ([]*monitor.Alert, error) {
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

// oneTenantsSettings has settings of one tenant only.
type oneTenantsSettings struct{ driver.Store }

func (s *oneTenantsSettings) AllSettings(ctx context.Context) (map[string]alerting.Settings, error) {
	acme, err := s.Settings(ctx, "acme")
	return map[string]alerting.Settings{"acme": acme}, err
}

// oneTenantsPurge purges a single tenant.
type oneTenantsPurge struct{ driver.Store }

func (s *oneTenantsPurge) Purge(ctx context.Context, organization string, before time.Time) (int, error) {
	if organization == alerting.AllOrganizations {
		organization = "tenant0"
	}
	return s.Store.Purge(ctx, organization, before)
}

// neverErases erases nothing.
type neverErases struct{ driver.Store }

func (s *neverErases) Erase(context.Context, string, string) (alerting.Erased, error) {
	return alerting.Erased{}, nil
}

// A brokenOutbox is a store whose outbox and timers do what its fields make of the
// right answers.
type brokenOutbox struct {
	driver.Store
	lease        time.Duration
	unpaused     bool
	organization string
	routes       func(route string, all []alerting.Route) []alerting.Route
	claimed      func(*alerting.Notification)
	settle       func(*alerting.Delivery)
	timed        func(escalated, resolved *int)
}

func (s *brokenOutbox) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	if s.routes != nil {
		routes = s.routes(route, routes)
	}
	if s.unpaused {
		paused = nil
	}
	ns, err := s.Store.ClaimNotifications(ctx, route, routes, paused, limit, cmp.Or(s.lease, lease))
	for _, n := range ns {
		if s.claimed != nil {
			s.claimed(n)
		}
	}
	return ns, err
}

func (s *brokenOutbox) SettleNotifications(ctx context.Context, ds []alerting.Delivery) error {
	for i := range ds {
		if s.settle != nil {
			s.settle(&ds[i])
		}
	}
	return s.Store.SettleNotifications(ctx, ds)
}

func (s *brokenOutbox) Redrive(ctx context.Context, organization, route string) (int, error) {
	return s.Store.Redrive(ctx, cmp.Or(s.organization, organization), route)
}

func (s *brokenOutbox) RunTimers(ctx context.Context) (escalated, resolved int, err error) {
	escalated, resolved, err = s.Store.RunTimers(ctx)
	if s.timed != nil {
		s.timed(&escalated, &resolved)
	}
	return escalated, resolved, err
}

// keysPerAlert has an idempotency key per alert and not per notification.
type keysPerAlert struct{ driver.Store }

func (s *keysPerAlert) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	ns, err := s.Store.ClaimNotifications(ctx, route, routes, paused, limit, lease)
	for _, n := range ns {
		n.Key, n.Targets = n.Alert.ID, []string{n.Key}
	}
	return ns, err
}

func (s *keysPerAlert) SettleNotifications(ctx context.Context, ds []alerting.Delivery) error {
	for _, d := range ds {
		d.Notification.Key = d.Notification.Targets[0]
	}
	return s.Store.SettleNotifications(ctx, ds)
}

// unfair claims in an order that does not remember who has had a turn. It sorts by
// round, a function of the number of a notification among those of its organization,
// and then by age.
type unfair struct {
	driver.Store
	round func(turn int) int
}

func (s *unfair) ClaimNotifications(
	ctx context.Context, route string, routes []alerting.Route, paused []string, limit int, lease time.Duration,
) ([]*alerting.Notification, error) {
	ns, err := s.Store.ClaimNotifications(ctx, route, routes, paused, 10_000, lease)
	if err != nil {
		return nil, err
	}
	oldest := func(a, b *alerting.Notification) int { return a.CreatedAt.Compare(b.CreatedAt) }
	slices.SortFunc(ns, oldest)
	turns, rounds := map[string]int{}, map[*alerting.Notification]int{}
	for _, n := range ns {
		rounds[n] = s.round(turns[n.Alert.OrganizationID])
		turns[n.Alert.OrganizationID]++
	}
	slices.SortStableFunc(ns, func(a, b *alerting.Notification) int { return cmp.Compare(rounds[a], rounds[b]) })
	claimed := ns[:min(limit, len(ns))]
	var rest []alerting.Delivery
	for _, n := range ns[len(claimed):] {
		rest = append(rest, alerting.Delivery{Notification: n, Outcome: alerting.OutcomeRetry})
	}
	return claimed, s.SettleNotifications(ctx, rest)
}

// oneByOne stores each occurrence of a batch by itself, and cannot store them all.
type oneByOne struct{ driver.Store }

func (s *oneByOne) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	var ds []monitor.Disposition
	for i := range os {
		if len(os[i].Finding.OrganizationID) > 1000 {
			return nil, errors.New("too long")
		}
		d, err := s.Store.StoreOccurrences(ctx, os[i:i+1])
		if err != nil {
			return nil, err
		}
		ds = append(ds, d...)
	}
	return ds, nil
}

// forgetful forgets the events of an alert when a later one of its fingerprint opens.
type forgetful struct{ driver.Store }

func (s *forgetful) StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error) {
	ds, err := s.Store.StoreOccurrences(ctx, os)
	for i, d := range ds {
		if d.Stored != monitor.StoredBefore {
			continue
		}
		as, err := s.List(ctx, alerting.Query{Organization: os[i].Finding.OrganizationID, Limit: 1})
		if err != nil {
			return nil, err
		}
		if as[0].ID == d.AlertID {
			continue
		}
		rand.Read(os[i].EventKey[:])
		again, err := s.Store.StoreOccurrences(ctx, os[i:i+1])
		if err != nil {
			return nil, err
		}
		ds[i] = again[0]
	}
	return ds, err
}

// twoInstances spreads what it is given over two stores.
type twoInstances struct {
	driver.Store
	second driver.Store
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
	driver.Store
	read int
}

func (s *offsets) List(ctx context.Context, q alerting.Query) ([]*monitor.Alert, error) {
	if q.After == "" {
		s.read = 0
	}
	limit := q.Limit
	q.After, q.Limit = "", alerting.MaxLimit
	all, err := s.Store.List(ctx, q)
	page := all[min(s.read, len(all)):min(s.read+limit, len(all))]
	s.read += len(page)
	return page, err
}
