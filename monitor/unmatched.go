package monitor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

const (
	// maxActions is the number of actions whose unmatched events are told apart, and
	// maxActionName the length in bytes up to which actions are.
	maxActions    = 256
	maxActionName = 128
	// firstUnmatched is the number of unmatched events that brings the warning, which
	// names the most frequent actions.
	firstUnmatched = 1000
	warnedActions  = 10
)

// An ActionCount is the number of events with an action.
type ActionCount struct {
	// Action is the action, of which no more than 128 bytes are kept.
	Action string
	Count  int64
}

// unmatched counts the events that no rule is about.
type unmatched struct {
	logger *slog.Logger
	total  atomic.Int64
	others atomic.Int64
	// counts is replaced by a copy, under mu, for an action that is not in it.
	counts atomic.Pointer[map[string]*atomic.Int64]
	mu     sync.Mutex
}

func (u *unmatched) init(logger *slog.Logger) {
	u.logger = logger
	u.counts.Store(&map[string]*atomic.Int64{})
}

func (u *unmatched) add(ctx context.Context, action string) {
	u.of(clipped(action)).Add(1)
	if u.total.Add(1) == firstUnmatched {
		u.warn(ctx)
	}
}

// clipped returns the beginning of a long action.
func clipped(action string) string {
	if len(action) <= maxActionName {
		return action
	}
	end := maxActionName
	for end > 0 && !utf8.RuneStart(action[end]) {
		end--
	}
	return action[:end]
}

// of returns where events with the action are counted.
func (u *unmatched) of(action string) *atomic.Int64 {
	counts := *u.counts.Load()
	if n := counts[action]; n != nil {
		return n
	}
	if len(counts) >= maxActions {
		return &u.others
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	counts = *u.counts.Load()
	if n := counts[action]; n != nil {
		return n
	}
	if len(counts) >= maxActions {
		return &u.others
	}
	n := new(atomic.Int64)
	more := maps.Clone(counts)
	more[strings.Clone(action)] = n
	u.counts.Store(&more)
	return n
}

// list returns the counts, the largest first.
func (u *unmatched) list() []ActionCount {
	var all []ActionCount
	for action, n := range *u.counts.Load() {
		all = append(all, ActionCount{action, n.Load()})
	}
	slices.SortFunc(all, func(a, b ActionCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Action, b.Action))
	})
	return all
}

func (u *unmatched) warn(ctx context.Context) {
	var most []string
	for _, c := range u.list() {
		if len(most) == warnedActions {
			break
		}
		most = append(most, fmt.Sprintf("%s (%d)", printable(c.Action), c.Count))
	}
	u.logger.LogAttrs(ctx, slog.LevelWarn,
		"no rule is about these events; docs/events.md says which events the built-in rules match",
		slog.Int("events", firstUnmatched), slog.String("actions", strings.Join(most, ", ")))
}
