package detect_test

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	rule := func(change func(r *detect.Rule)) *detect.Options {
		r := detect.Rule{Name: "r", Match: any1, Threshold: 2, Window: time.Second}
		change(&r)
		return &detect.Options{Rules: []detect.Rule{r}}
	}
	override := func(o detect.RuleOverride) *detect.Options {
		return &detect.Options{Overrides: map[string]detect.Override{
			"org-1": {Rules: map[string]detect.RuleOverride{"failed_auth": o}},
		}}
	}
	steps := []detect.Step{{Match: any1}}
	nan := math.NaN()
	tests := []struct {
		options *detect.Options
		want    string
	}{
		{rule(func(r *detect.Rule) { r.Name = "" }), `rule "": Name: is empty`},
		{rule(func(r *detect.Rule) { r.Match = nil }), `rule "r": Match: is nil`},
		{rule(func(r *detect.Rule) { r.Severity = 5 }), `rule "r": Severity: 5 is no severity`},
		{rule(func(r *detect.Rule) { r.Threshold = -1 }), `rule "r": Threshold: -1 is negative`},
		{rule(func(r *detect.Rule) { r.Threshold = 0 }), `rule "r": Threshold: is missing`},
		{rule(func(r *detect.Rule) { r.Window = -time.Second }), `rule "r": Window: -1s is negative`},
		{rule(func(r *detect.Rule) { r.Window = time.Duration(nan) }), `rule "r": Window: `},
		{rule(func(r *detect.Rule) { r.Window = 0 }), `rule "r": Window: is missing`},
		{rule(func(r *detect.Rule) { r.Window, r.Threshold, r.Distinct = 0, 0, target }), `rule "r": Window: is missing`},
		{rule(func(r *detect.Rule) { r.Window, r.Threshold, r.Sequence = 0, 0, steps }), `rule "r": Window: is missing`},
		{rule(func(r *detect.Rule) { r.Sequence = steps }), `rule "r": Threshold: is set, and so is Sequence`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Distinct, r.Sequence = 0, target, steps }), `rule "r": Distinct: is set, and so is Sequence`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Sequence = 0, []detect.Step{} }), `rule "r": Sequence: 0 steps are not 1 to 64`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Sequence = 0, make([]detect.Step, 65) }), `rule "r": Sequence: 65 steps are not 1 to 64`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Sequence = 0, []detect.Step{{}} }), `rule "r": Sequence: step 1 has no Match`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Sequence = 0, []detect.Step{{Match: any1, Count: -2}} }), `rule "r": Sequence: step 1: Count -2 is not from 0 to 65536`},
		{rule(func(r *detect.Rule) { r.Threshold, r.Sequence = 0, []detect.Step{{Match: any1, Count: 65537}} }), `rule "r": Sequence: step 1: Count 65537 is not from 0 to 65536`},
		{rule(func(r *detect.Rule) { r.Hours = &detect.Hours{Start: 24} }), `rule "r": Hours.Start: 24 is not an hour from 0 to 23`},
		{rule(func(r *detect.Rule) { r.Hours = &detect.Hours{End: -1} }), `rule "r": Hours.End: -1 is not an hour from 0 to 23`},
		{rule(func(r *detect.Rule) { r.Hours = &detect.Hours{WorkingDays: []time.Weekday{7}} }), `rule "r": Hours.WorkingDays: 7 is no day of the week`},
		{rule(func(r *detect.Rule) {
			r.Hours = &detect.Hours{Holidays: []detect.Date{{Year: 2026, Month: 2, Day: 29}}}
		}), `rule "r": Hours.Holidays: 2026-02-29 is no day of the calendar`},
		{rule(func(r *detect.Rule) { r.Exceptions.Principals = []string{""} }), `rule "r": Exceptions.Principals: one is empty`},
		{rule(func(r *detect.Rule) { r.Exceptions.Actions = []string{"*"} }), `rule "r": Exceptions.Actions: "*" would except every event`},
		{&detect.Options{Exceptions: detect.Exceptions{Networks: make([]netip.Prefix, 1)}}, `Exceptions.Networks: one is not a valid network`},
		{&detect.Options{MaxKeys: -2}, `MaxKeys: -2 is negative`},
		{&detect.Options{MaxEventsPerKey: -2}, `MaxEventsPerKey: -2 is negative`},
		{&detect.Options{MaxReferences: -2}, `MaxReferences: -2 is negative`},
		{&detect.Options{MaxEventsPerKey: 99}, `rule "bulk_operation": Threshold: needs 100 events, which are more than MaxEventsPerKey, 99`},
		{&detect.Options{Rules: append(detect.Defaults(), detect.Defaults()[1])}, `rule "unauthorized_access": Name: is that of another rule`},
		{&detect.Options{Overrides: map[string]detect.Override{"": {}}}, `override of organization "": Overrides: the organization is empty`},
		{&detect.Options{Overrides: map[string]detect.Override{"o": {Rules: map[string]detect.RuleOverride{"x": {}}}}}, `override of organization "o": Rules: there is no rule "x"`},
		{&detect.Options{Overrides: map[string]detect.Override{"o": {Rules: map[string]detect.RuleOverride{"off_hours": {Window: 1}}}}}, `override of organization "o": rule "off_hours": Window: the rule has none to change`},
		{&detect.Options{Overrides: map[string]detect.Override{"o": {Exceptions: detect.Exceptions{Actions: []string{""}}}}}, `override of organization "o": Exceptions.Actions: "" would except every event`},
		{override(detect.RuleOverride{Threshold: -5}), `override of organization "org-1": rule "failed_auth": Threshold: -5 is negative`},
		{override(detect.RuleOverride{Window: -5}), `override of organization "org-1": rule "failed_auth": Window: -5ns is negative`},
		{override(detect.RuleOverride{Hours: &detect.Hours{Start: 99}}), `override of organization "org-1": rule "failed_auth": Hours.Start: 99 is not an hour from 0 to 23`},
	}
	good := newTrail(t, nil).engine
	for _, test := range tests {
		engine, err := detect.New(test.options)
		if err == nil || engine != nil || !strings.HasPrefix(err.Error(), "detect: options: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
		if err := good.Swap(test.options); err == nil {
			t.Errorf("Swap accepts what New refuses: %q", test.want)
		}
	}
	_, err := detect.New(&detect.Options{MaxKeys: -2, Rules: []detect.Rule{{Name: "a"}, {Threshold: -1}}})
	for _, want := range []string{"MaxKeys", `rule "a": Match`, `rule "": Name`, `rule "": Threshold`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want all of the errors, %s among them", err, want)
		}
	}
}

// TestLargeThreshold shows that the default cap makes room for the threshold.
func TestLargeThreshold(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{
		{Name: "large", Match: any1, Threshold: 2000, Window: time.Hour},
	}})
	var found []monitor.Finding
	for i := range 2000 {
		found = append(found, tr.add(at(time.Duration(i), "x", "u"))...)
	}
	wantLines(t, found, "large org-1/u 2000 +1.999µs")
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	rules := []detect.Rule{
		{Name: "r", Match: any1, Threshold: 3, Window: 10 * time.Second},
		{Name: "s", Match: any1},
	}
	change := func(o detect.RuleOverride) detect.Override {
		return detect.Override{Rules: map[string]detect.RuleOverride{"r": o}}
	}
	tr := newTrail(t, &detect.Options{Rules: rules, Overrides: map[string]detect.Override{
		"fewer":   change(detect.RuleOverride{Threshold: 2}),
		"shorter": change(detect.RuleOverride{Window: 2 * time.Second}),
		"none":    change(detect.RuleOverride{Disabled: true}),
		"excepted": {Exceptions: detect.Exceptions{Principals: []string{"u"}}, Rules: map[string]detect.RuleOverride{
			"s": {Disabled: true},
		}},
	}})
	for _, test := range []struct {
		organization string
		want         []int // findings of r and s
	}{
		{"other", []int{1, 3}},
		{"fewer", []int{2, 3}},
		{"shorter", []int{0, 3}},
		{"none", []int{0, 3}},
		{"excepted", []int{0, 0}},
	} {
		got := []int{0, 0}
		for i := range 3 {
			e := at(time.Duration(i)*time.Second, "x", "u")
			e.OrganizationID = test.organization
			for _, f := range tr.add(e) {
				got[slices.Index([]string{"r", "s"}, f.Rule)]++
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v findings, want %v", test.organization, got, test.want)
		}
	}
	e := at(3*time.Second, "x", "someone")
	e.OrganizationID = "excepted"
	wantLines(t, tr.add(e, e, e), "r excepted/someone 3 +3s")
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	x := detect.Exceptions{
		Principals: []string{"backup"},
		Actions:    []string{"system.ping", "batch.*"},
		Networks: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:192.0.2.0/120"),
		},
	}
	event := func(principal, act, address string) *monitor.Event {
		e := at(0, act, principal)
		e.Session.IPAddress = address
		return e
	}
	const v1 = monitor.FieldPrincipalID | monitor.FieldAction
	hostVouches := monitor.Arrival{OrganizationID: "o"}
	signed := monitor.Arrival{OrganizationID: "o", Verified: true, Covered: v1}
	unsigned := monitor.Arrival{OrganizationID: "o", Verified: true}
	tests := []struct {
		name     string
		event    *monitor.Event
		arrival  monitor.Arrival
		trust    bool
		excepted bool
	}{
		{"principal", event("backup", "x", ""), hostVouches, false, true},
		{"other principal", event("backup2", "x", ""), hostVouches, false, false},
		{"exact action", event("u", "system.ping", ""), hostVouches, false, true},
		{"longer action", event("u", "system.pingu", ""), hostVouches, false, false},
		{"prefix", event("u", "batch.run", ""), hostVouches, false, true},
		{"not the prefix", event("u", "batch", ""), hostVouches, false, false},
		{"network", event("u", "x", "10.1.2.3"), hostVouches, false, true},
		{"other network", event("u", "x", "11.1.2.3"), hostVouches, false, false},
		{"mapped address", event("u", "x", "::ffff:10.1.2.3"), hostVouches, false, true},
		{"mapped network", event("u", "x", "192.0.2.77"), hostVouches, false, true},
		{"address with zone", event("u", "x", "2001:db8::1%eth0"), hostVouches, false, true},
		{"no address", event("u", "x", "10.0.0"), hostVouches, false, false},
		{"signed principal", event("backup", "x", ""), signed, false, true},
		{"signed action", event("u", "batch.run", ""), signed, false, true},
		{"unsigned address", event("u", "x", "10.1.2.3"), signed, false, false},
		{"unsigned address, trusted", event("u", "x", "10.1.2.3"), signed, true, true},
		{"unsigned principal", event("backup", "x", ""), unsigned, false, false},
		{"unsigned action", event("u", "system.ping", ""), unsigned, false, false},
		{"unsigned prefix", event("u", "batch.run", ""), unsigned, false, false},
	}
	for _, test := range tests {
		for where, o := range map[string]*detect.Options{
			"everywhere": {Rules: []detect.Rule{{Name: "r", Match: any1}}, Exceptions: x},
			"rule":       {Rules: []detect.Rule{{Name: "r", Match: any1, Exceptions: x}}},
		} {
			o.TrustUncovered = test.trust
			engine := newTrail(t, o).engine
			if excepted := len(detectOne(engine, test.event, test.arrival)) == 0; excepted != test.excepted {
				t.Errorf("%s, %s: excepted is %v", test.name, where, excepted)
			}
		}
	}
}
