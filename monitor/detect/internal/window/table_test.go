package window_test

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor/detect/internal/window"
)

var three = window.Rule{Kind: window.Events, Length: 1000, Threshold: 3, MaxEvents: 10}

// observe has a group observe an event and returns how often it qualified.
func observe(t *window.Table, organization, key string, st window.Stamp, horizon int64) (hits int) {
	s, place := t.Lock(organization, key)
	defer s.Unlock()
	s.Observe(&three, place, organization, key, &window.Observation{Stamp: st, Horizon: horizon})
	return len(s.Hits)
}

func shards(t *window.Table) (n int) {
	for s := range t.All() {
		s.Unlock()
		n++
	}
	return n
}

// TestDivision counts groups on several goroutines while shards are divided, and
// looks at all groups meanwhile.
func TestDivision(t *testing.T) {
	t.Parallel()
	const goroutines, groups, each = 4, 3000, 3
	table := window.NewTable(math.MaxInt)
	check.Equal(t, "shards of an empty table", shards(table), 32)
	var (
		counting sync.WaitGroup
		done     = make(chan struct{})
		hits     [goroutines]int
	)
	for g := range goroutines {
		counting.Go(func() {
			for n := range each {
				for k := range groups {
					st := window.Stamp{Time: int64(n), Sequence: uint64(k)}
					hits[g] += observe(table, "org-"+strconv.Itoa(k%2), fmt.Sprint(g, "-", k), st, -1)
				}
			}
		})
	}
	go func() {
		counting.Wait()
		close(done)
	}()
	for before := 0; ; {
		now := table.Stats().Groups
		if now < before {
			t.Errorf("%d groups, and before %d", now, before)
		}
		before = now
		select {
		case <-done:
			check.Equal(t, "stats", table.Stats(), window.Stats{Groups: goroutines * groups, Events: goroutines * groups * each})
			check.Equal(t, "hits", hits, [goroutines]int{groups, groups, groups, groups})
			// Nobody holds up the division of shards now.
			for k := range groups {
				observe(table, "org-"+strconv.Itoa(k%2), fmt.Sprint("0-", k), window.Stamp{Time: each, Sequence: 1}, -1)
			}
			check.Equal(t, "stats", table.Stats(), window.Stats{Groups: goroutines * groups, Events: goroutines*groups*each + groups})
			if n := shards(table); n < 400 || n > 512 {
				t.Errorf("%d shards for %d groups", n, goroutines*groups)
			}
			return
		default:
		}
	}
}

// TestMaxGroups fills a table to its cap, and then goes beyond it, on several
// goroutines.
func TestMaxGroups(t *testing.T) {
	t.Parallel()
	const most = 2000
	table := window.NewTable(most)
	fill := func(name string, groups int) {
		var filling sync.WaitGroup
		for g := range 4 {
			filling.Go(func() {
				for k := range groups / 4 {
					observe(table, "org", fmt.Sprint(name, g, "-", k), window.Stamp{Sequence: 1}, -1)
					if n := table.Stats().Groups; k%100 == 0 && n > most {
						t.Errorf("%d groups", n)
					}
				}
			})
		}
		filling.Wait()
	}
	fill("a", most)
	check.Equal(t, "full", table.Stats(), window.Stats{Groups: most, Events: most})
	fill("b", 2*most)
	check.Equal(t, "over", table.Stats(), window.Stats{Groups: most, Events: most, Evictions: 2 * most})
}

// TestSetMaxGroups lowers the cap, and raises it again.
func TestSetMaxGroups(t *testing.T) {
	t.Parallel()
	table := window.NewTable(1000)
	next := 0
	add := func(groups int) int {
		for range groups {
			next++
			observe(table, "org", strconv.Itoa(next), window.Stamp{Sequence: 1}, -1)
		}
		return table.Stats().Groups
	}
	check.Equal(t, "full", add(1000), 1000)
	table.SetMaxGroups(200)
	check.Equal(t, "lowered", add(100), 900)
	check.Equal(t, "after more", add(1500), 200)
	check.Equal(t, "at the new cap", add(100), 200)
	table.SetMaxGroups(300)
	check.Equal(t, "raised", add(200), 300)
}

// TestDeadGroups makes room by groups that are not needed any more.
func TestDeadGroups(t *testing.T) {
	t.Parallel()
	table := window.NewTable(100)
	for i := range 1000 {
		observe(table, "org", strconv.Itoa(i), window.Stamp{Time: int64(i), Sequence: 1}, int64(i-50))
	}
	check.Equal(t, "stats", table.Stats(), window.Stats{Groups: 50, Events: 50})
	// Another organization knows no better than that the others are live.
	for i := range 60 {
		observe(table, "other", strconv.Itoa(i), window.Stamp{Time: 2000, Sequence: 1}, 1999)
	}
	check.Equal(t, "stats", table.Stats(), window.Stats{Groups: 100, Events: 100, Evictions: 10})
}

// TestDeadGroupsOfOthers evicts a group that its organization's later events have
// made unnecessary, which costs nothing.
func TestDeadGroupsOfOthers(t *testing.T) {
	t.Parallel()
	table := window.NewTable(2)
	observe(table, "org", "old", window.Stamp{Time: 1, Sequence: 1}, 0)
	observe(table, "org", "new", window.Stamp{Time: 5, Sequence: 2}, 0)
	observe(table, "org", "new", window.Stamp{Time: 6, Sequence: 3}, 4)
	observe(table, "other", "group", window.Stamp{Time: 1, Sequence: 4}, 0)
	check.Equal(t, "stats", table.Stats(), window.Stats{Groups: 2, Events: 3})
}

// TestShareOfNewcomer has an organization that has just its share take nothing
// from one that has more.
func TestShareOfNewcomer(t *testing.T) {
	t.Parallel()
	table := window.NewTable(6)
	add := func(organization string, keys ...string) (hits int) {
		for _, key := range keys {
			hits += observe(table, organization, key, window.Stamp{Sequence: 1}, -1)
		}
		return hits
	}
	add("more", "a", "b", "c")
	add("less", "a")
	add("share", "a", "b", "c", "c") // c for a
	check.Equal(t, "hits", add("more", "a", "b", "c")+add("more", "a", "b", "c"), 3)
	check.Equal(t, "hits", add("share", "c"), 1)
}

// TestFairShards floods a table of many shards from one organization. Those with
// fewer groups than their share keep them.
func TestFairShards(t *testing.T) {
	t.Parallel()
	const small, users = 20, 40
	table := window.NewTable(64 * 64)
	flood := func(name string) {
		for i := range 20_000 {
			observe(table, "flood", name+strconv.Itoa(i), window.Stamp{Sequence: 1}, -1)
		}
	}
	flood("a")
	check.Equal(t, "shards", shards(table), 64)
	hits := 0
	for round := range three.Threshold {
		for o := range small {
			for u := range users {
				st := window.Stamp{Time: int64(round), Sequence: uint64(o)}
				hits += observe(table, fmt.Sprint("small-", o), strconv.Itoa(u), st, -1)
			}
		}
		flood("b" + strconv.Itoa(round))
	}
	check.Equal(t, "hits", hits, small*users)
}

// TestNewcomersElsewhere has several goroutines flood a table from organizations
// that are made up, and one fill its part of it: nothing that is known is evicted,
// even where a shard has no newcomer to evict.
func TestNewcomersElsewhere(t *testing.T) {
	t.Parallel()
	const most, users = 1024, 800
	table := window.NewTable(most)
	known := func(round int) (hits int) {
		for u := range users {
			hits += observe(table, "known", strconv.Itoa(u), window.Stamp{Time: int64(round), Sequence: 1}, -1)
		}
		return hits
	}
	for i := range 2 * most {
		observe(table, strconv.Itoa(i), "user", window.Stamp{Sequence: 1}, -1)
	}
	known(0)
	var flooding sync.WaitGroup
	for g := range 2 {
		flooding.Go(func() {
			for i := range 5 * most {
				observe(table, fmt.Sprint(g, "-", i), "user", window.Stamp{Sequence: 1}, -1)
			}
		})
	}
	known(1)
	flooding.Wait()
	check.Equal(t, "hits", known(2), users)
	check.Equal(t, "groups", table.Stats().Groups, most)
}

// TestCollisions has groups that all hash alike.
func TestCollisions(t *testing.T) {
	t.Parallel()
	table := window.NewTable(math.MaxInt)
	table.Hash = func(string, string) uint64 { return math.MaxUint64 }
	hits := 0
	for range three.Threshold {
		for k := range 200 {
			hits += observe(table, "org-"+strconv.Itoa(k%2), strconv.Itoa(k/2), window.Stamp{Sequence: 1}, -1)
		}
	}
	check.Equal(t, "hits", hits, 200)
	check.Equal(t, "stats", table.Stats(), window.Stats{Groups: 200, Events: 600})
	check.Equal(t, "shards", shards(table), 32+4) // and the deepest is divided no further
}
