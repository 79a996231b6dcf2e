package detect_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// summary puts an alert into a short line.
func summary(i detect.AlertSummary) string {
	return fmt.Sprintf("%s %s/%s %s %dx +%s..%s", i.Rule, i.OrganizationID, i.Key, i.Severity,
		i.Occurrences, i.First.Sub(noon), i.Last.Sub(noon))
}

// changes puts a comparison into lines.
func changes(c detect.Comparison) []string {
	all := []string{fmt.Sprint("same ", c.Same)}
	for _, i := range c.Added {
		all = append(all, "added "+summary(i))
	}
	for _, i := range c.Removed {
		all = append(all, "removed "+summary(i))
	}
	for _, m := range c.Changed {
		all = append(all, "changed "+summary(m.Before)+" to "+summary(m.After))
	}
	return all
}

// loginsWith returns threeLogins with a change.
func loginsWith(change func(*detect.Rule)) *detect.Options {
	o := threeLogins()
	change(&o.Rules[0])
	return o
}

func TestCompare(t *testing.T) {
	t.Parallel()
	threshold := func(n int) *detect.Options { return loginsWith(func(r *detect.Rule) { r.Threshold = n }) }
	only := func(name string) *detect.Options {
		return loginsWith(func(r *detect.Rule) { r.Threshold, r.Match = 1, action(name) })
	}
	acts := func(whats ...string) (es []*monitor.Event) {
		for _, what := range whats {
			name, after, _ := strings.Cut(what, " ")
			d, err := time.ParseDuration(after)
			if err != nil {
				t.Fatal(err)
			}
			es = append(es, at(d, name, "mallory"))
		}
		return es
	}
	mallory := "logins org-1/mallory "
	for _, c := range []struct {
		name          string
		before, after *detect.Options
		cooldown      time.Duration
		es            []*monitor.Event
		want          []string
	}{
		{
			"nothing changes", threshold(3), threshold(3), 0, logins(1, 2, 3, 4),
			[]string{"same 1"},
		},
		{
			"is added", threshold(5), threshold(3), 0, logins(1, 2, 3, 4),
			[]string{"same 0", "added " + mallory + "HIGH 2x +3s..4s"},
		},
		{
			"is removed", threshold(3), threshold(5), 0, logins(1, 2, 3, 4),
			[]string{"same 0", "removed " + mallory + "HIGH 2x +3s..4s"},
		},
		{
			"begins earlier", threshold(3), threshold(2), 0, logins(1, 2, 3, 4),
			[]string{"same 0", "changed " + mallory + "HIGH 2x +3s..4s to " + mallory + "HIGH 3x +2s..4s"},
		},
		{
			"ends earlier", threshold(3), loginsWith(func(r *detect.Rule) { r.Window = 10 * time.Second }), 0, logins(1, 2, 3, 40),
			[]string{"same 0", "changed " + mallory + "HIGH 2x +3s..40s to " + mallory + "HIGH 1x +3s..3s"},
		},
		{
			"has other occurrences", threshold(3), loginsWith(func(r *detect.Rule) { r.Window = 10 * time.Second }), 0, logins(1, 2, 3, 40, 41, 42),
			[]string{"same 0", "changed " + mallory + "HIGH 4x +3s..42s to " + mallory + "HIGH 2x +3s..42s"},
		},
		{
			"is more severe", threshold(3), loginsWith(func(r *detect.Rule) { r.Severity = monitor.SeverityCritical }), 0, logins(1, 2, 3),
			[]string{"same 0", "changed " + mallory + "HIGH 1x +3s..3s to " + mallory + "CRITICAL 1x +3s..3s"},
		},
		{
			"goes into shadow", threshold(3), loginsWith(func(r *detect.Rule) { r.Shadow = true }), 0, logins(1, 2, 3),
			[]string{"same 0", "removed " + mallory + "HIGH 1x +3s..3s"},
		},
		{
			"default pause", threshold(1), threshold(1), 0, logins(0, 299, 599, 898),
			[]string{"same 2"},
		},
		{
			"the cooldown is the pause", threshold(1), threshold(1), time.Minute, logins(0, 59, 119, 178, 300),
			[]string{"same 3"},
		},
		{
			"one becomes two", threshold(1), threshold(3), time.Minute, logins(0, 10, 20, 79, 138, 140, 141),
			[]string{
				"same 0", "added " + mallory + "HIGH 1x +2m21s..2m21s",
				"changed " + mallory + "HIGH 7x +0s..2m21s to " + mallory + "HIGH 1x +20s..20s",
			},
		},
		{
			"early and late ones differ", threshold(3), threshold(2), time.Minute, logins(0, 10, 600, 610, 620),
			[]string{
				"same 0", "added " + mallory + "HIGH 1x +10s..10s",
				"changed " + mallory + "HIGH 1x +10m20s..10m20s to " + mallory + "HIGH 2x +10m10s..10m20s",
			},
		},
		{
			"the first vanishes", threshold(2), threshold(3), time.Minute, logins(0, 10, 600, 610, 620),
			[]string{
				"same 0", "removed " + mallory + "HIGH 1x +10s..10s",
				"changed " + mallory + "HIGH 2x +10m10s..10m20s to " + mallory + "HIGH 1x +10m20s..10m20s",
			},
		},
		{
			"order of arrival does not matter", threshold(1), threshold(9), 0, logins(299, 0, 898, 599),
			[]string{
				"same 0", "removed " + mallory + "HIGH 2x +0s..4m59s", "removed " + mallory + "HIGH 2x +9m59s..14m58s",
			},
		},
		{
			"the pause before another one", only("a"), only("b"), time.Minute, acts("a 0s", "b 60s"),
			[]string{"same 0", "added " + mallory + "HIGH 1x +1m0s..1m0s", "removed " + mallory + "HIGH 1x +0s..0s"},
		},
		{
			"the pause after another one", only("a"), only("b"), time.Minute, acts("b 0s", "a 60s"),
			[]string{"same 0", "added " + mallory + "HIGH 1x +0s..0s", "removed " + mallory + "HIGH 1x +1m0s..1m0s"},
		},
		{
			"less than the pause before", only("a"), only("b"), time.Minute, acts("a 0s", "b 59s"),
			[]string{"same 0", "changed " + mallory + "HIGH 1x +0s..0s to " + mallory + "HIGH 1x +59s..59s"},
		},
		{
			"less than the pause after", only("a"), only("b"), time.Minute, acts("b 0s", "a 59s"),
			[]string{"same 0", "changed " + mallory + "HIGH 1x +59s..59s to " + mallory + "HIGH 1x +0s..0s"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := &detect.BacktestOptions{Rules: c.before, Cooldown: c.cooldown}
			got, err := detect.Compare(t.Context(), o, c.after, slices.Values(c.es))
			if err != nil {
				t.Fatal(err)
			}
			if got := changes(got); !slices.Equal(got, c.want) {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
			if got.Before.Events != len(c.es) || got.After.Events != len(c.es) {
				t.Errorf("%d events before, %d after, want %d", got.Before.Events, got.After.Events, len(c.es))
			}
		})
	}
}

// TestCompareOrder has alerts of several groups, the latest of which come
// first.
func TestCompareOrder(t *testing.T) {
	t.Parallel()
	var es []*monitor.Event
	var want []string
	for i := range 24 {
		after := time.Duration(100-i/8) * time.Second
		e := loginFailure(after, fmt.Sprint("user-", i/4%2))
		e.OrganizationID = fmt.Sprint("org-", i%4)
		es = append(es, e)
		want = append(want, fmt.Sprintf("%s %s %s", after, e.OrganizationID, e.PrincipalID))
	}
	slices.Sort(want)
	one := loginsWith(func(r *detect.Rule) { r.Threshold = 1 })
	severe := loginsWith(func(r *detect.Rule) { r.Threshold, r.Severity = 1, monitor.SeverityCritical })
	none := loginsWith(func(r *detect.Rule) { r.Threshold = 1000 })
	compare := func(before, after *detect.Options) detect.Comparison {
		t.Helper()
		c, err := detect.Compare(t.Context(), &detect.BacktestOptions{Rules: before, Cooldown: 1}, after, slices.Values(es))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	check := func(what string, alerts []detect.AlertSummary) {
		t.Helper()
		var got []string
		for _, i := range alerts {
			got = append(got, fmt.Sprintf("%s %s %s", i.First.Sub(noon), i.OrganizationID, i.Key))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", what, got, want)
		}
	}
	check("added", compare(none, one).Added)
	check("removed", compare(one, none).Removed)
	var changed []detect.AlertSummary
	for _, m := range compare(one, severe).Changed {
		changed = append(changed, m.Before)
	}
	check("changed", changed)
}

// TestCompareRules has rules that are in one of the rule sets only, nil being
// the five patterns.
func TestCompareRules(t *testing.T) {
	t.Parallel()
	got, err := detect.Compare(t.Context(), nil, threeLogins(), slices.Values(logins(1, 2, 3, 4, 5)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"same 0", "added logins org-1/mallory HIGH 3x +3s..5s",
		"removed failed_auth org-1/mallory HIGH 1x +5s..5s",
	}
	if got := changes(got); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	wantNumbers(t, got.Before.Findings, "5:5")
	wantNumbers(t, got.After.Findings, "3:3", "4:4", "5:5")
}

func TestCompareErrors(t *testing.T) {
	t.Parallel()
	wrong := &detect.Options{MaxKeys: -2}
	for _, c := range []struct {
		before *detect.BacktestOptions
		after  *detect.Options
		want   string
	}{
		{&detect.BacktestOptions{Cooldown: -time.Second}, nil, "detect: compare: before: detect: back-test: Cooldown: -1s is negative"},
		{&detect.BacktestOptions{Rules: wrong}, nil, "detect: compare: before: "},
		{nil, wrong, "detect: compare: after: "},
	} {
		_, err := detect.Compare(t.Context(), c.before, c.after, slices.Values(logins(1)))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := detect.Compare(ctx, nil, nil, slices.Values(logins(1)))
	if !errors.Is(err, context.Canceled) || got.Before.Events != 0 {
		t.Errorf("after the end of the context: %d events, error %v", got.Before.Events, err)
	}
}
