package detect_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// threeLogins reports the third failed login of a principal within a minute, and
// every further one.
func threeLogins() *detect.Options {
	return &detect.Options{Rules: []detect.Rule{{
		Name: "logins", Severity: monitor.SeverityHigh, Match: action("auth.login.failure"),
		Threshold: 3, Window: time.Minute,
	}}}
}

// logins returns failed logins of mallory at these seconds after noon.
func logins(seconds ...int) []*monitor.Event {
	var es []*monitor.Event
	for _, s := range seconds {
		es = append(es, loginFailure(time.Duration(s)*time.Second, "mallory"))
	}
	return es
}

func backtest(t *testing.T, o *detect.BacktestOptions, es ...*monitor.Event) detect.Report {
	t.Helper()
	r, err := detect.Backtest(t.Context(), o, slices.Values(es))
	if err != nil {
		t.Fatal(err)
	}
	if r.Events != len(es) {
		t.Errorf("%d events, want %d", r.Events, len(es))
	}
	return r
}

// numbers tells the sequence number, the completing one if there is one, and the
// count of each finding.
func numbers(found []monitor.Finding) []string {
	all := []string{}
	for _, f := range found {
		text := fmt.Sprintf("%d:%d", f.Event.Sequence, f.Count)
		if f.CompletedBy.Sequence != 0 {
			text = fmt.Sprintf("%d<%d:%d", f.Event.Sequence, f.CompletedBy.Sequence, f.Count)
		}
		all = append(all, text)
	}
	return all
}

func wantNumbers(t *testing.T, found []monitor.Finding, want ...string) {
	t.Helper()
	if got := numbers(found); !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
}

// TestBacktestVectors compares a back-test of each scenario with what the
// reference reports.
func TestBacktestVectors(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/detect.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fires := 0
	for in := bufio.NewReader(file); ; {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var scenario struct {
			ID       int
			Timezone string
			Config   json.RawMessage
			Steps    []struct {
				Event *monitor.Event
				Fires []struct {
					Type     string
					Severity string
					Count    int
				}
			}
		}
		if err := json.Unmarshal(line, &scenario); err != nil {
			t.Fatal(err)
		}
		o, err := detect.ParseConfig(strings.NewReader(string(scenario.Config)))
		if err != nil {
			t.Fatal(err)
		}
		if o.Location, err = time.LoadLocation(scenario.Timezone); err != nil {
			t.Fatal(err)
		}
		var es []*monitor.Event
		want := []string{}
		for i, step := range scenario.Steps {
			es = append(es, step.Event)
			for _, f := range step.Fires {
				want = append(want, fmt.Sprintf("%03d %s %s %d", i+1, strings.ToLower(f.Type), f.Severity, f.Count))
			}
		}
		got := []string{}
		for _, f := range backtest(t, &detect.BacktestOptions{Rules: o}, es...).Findings {
			got = append(got, fmt.Sprintf("%03d %s %s %d", f.Event.Sequence, f.Rule, f.Severity, f.Count))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("scenario %d: findings %q, want %q", scenario.ID, got, want)
		}
		fires += len(want)
	}
	if fires < 100 {
		t.Errorf("only %d findings: not all of the vectors", fires)
	}
}

func TestBacktestReport(t *testing.T) {
	t.Parallel()
	es := logins(10, 20, 30, 5, 40)
	es = append(es, at(50*time.Second, "data.read", "ada"))
	r := backtest(t, &detect.BacktestOptions{Rules: threeLogins()}, es...)
	wantNumbers(t, r.Findings, "3:3", "2<4:3", "5:5")
	if first, last := noon.Add(5*time.Second), noon.Add(50*time.Second); !r.First.Equal(first) || !r.Last.Equal(last) {
		t.Errorf("from %s to %s, want %s to %s", r.First, r.Last, first, last)
	}
	if n := r.Qualifying["logins"]; n != 3 {
		t.Errorf("%d qualifying events, want 3", n)
	}
	if len(r.Rules) != 1 || r.Rules[0].Rule != "logins" || r.Rules[0].Events != 5 {
		t.Errorf("rules hold %+v", r.Rules)
	}
	if refs := r.Findings[2].References; len(refs) != 5 || refs[0].Sequence != 4 || refs[4].Sequence != 5 {
		t.Errorf("references %v", refs)
	}
	if r.TooLate != 0 || r.Refused != nil {
		t.Errorf("%d too late, refused %v", r.TooLate, r.Refused)
	}
}

func TestBacktestDefaults(t *testing.T) {
	t.Parallel()
	r := backtest(t, nil, logins(1, 2, 3, 4, 5)...)
	wantLines(t, r.Findings, "failed_auth org-1/mallory 5 +5s")

	r = backtest(t, nil)
	if r.Findings != nil || !r.First.IsZero() || !r.Last.IsZero() {
		t.Errorf("an empty history gives %+v", r)
	}
}

func TestBacktestCooldown(t *testing.T) {
	t.Parallel()
	es := logins(1, 2, 3, 4, 13, 14, 12, 33)
	other := loginFailure(0, "trudy")
	es = append(es, other, other, other)
	for _, c := range []struct {
		cooldown time.Duration
		want     []string
	}{
		{0, []string{"3:3", "4:4", "5:5", "6:6", "7:5", "8:8", "11:3"}},
		{10 * time.Second, []string{"3:3", "5:5", "8:8", "11:3"}},
		{10*time.Second + 1, []string{"3:3", "6:6", "8:8", "11:3"}},
		{time.Hour, []string{"3:3", "11:3"}},
	} {
		r := backtest(t, &detect.BacktestOptions{Rules: threeLogins(), Cooldown: c.cooldown}, es...)
		if got := numbers(r.Findings); !slices.Equal(got, c.want) {
			t.Errorf("cooldown %s: findings %q, want %q", c.cooldown, got, c.want)
		}
		if n := r.Qualifying["logins"]; n != 7 {
			t.Errorf("cooldown %s: %d qualifying events, want 7", c.cooldown, n)
		}
	}
}

func TestBacktestLateness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		lateness time.Duration
		es       []*monitor.Event
		tooLate  int
		want     []string
	}{
		{"default, within", 0, logins(600, 610, 620, 20, 30, 40), 0, []string{"3:3", "6:3"}},
		{"default, beyond", 0, logins(600, 610, 620, 18, 17, 16), 3, []string{"3:3"}},
		{"within", time.Minute, logins(100, 110, 95, 50), 0, []string{"2<3:3", "1<4:3"}},
		{"beyond", time.Minute, logins(100, 110, 49), 1, []string{}},
		{"none", -1, logins(10, 20, 19, 20), 1, []string{"4:3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := backtest(t, &detect.BacktestOptions{Rules: threeLogins(), Lateness: c.lateness}, c.es...)
			wantNumbers(t, r.Findings, c.want...)
			if r.TooLate != c.tooLate {
				t.Errorf("%d too late, want %d", r.TooLate, c.tooLate)
			}
		})
	}
}

// TestBacktestRefused has bad events between good ones: they are told of, stop
// nothing, and keep their numbers.
func TestBacktestRefused(t *testing.T) {
	t.Parallel()
	es := logins(1, 2, 3, 4, 5, 6, 7)
	es[0].Status = "maybe"
	es[2].OrganizationID = ""
	es[4].Action = ""
	es[6].Timestamp = noon.Add(1500 * time.Millisecond)
	r := backtest(t, &detect.BacktestOptions{Rules: threeLogins()}, es...)
	wantNumbers(t, r.Findings, "6:3", "4<7:3")
	fields := []string{}
	for _, refused := range r.Refused {
		invalid, ok := errors.AsType[*monitor.InvalidEventError](refused.Err)
		if !ok {
			t.Fatalf("refused for %v", refused.Err)
		}
		fields = append(fields, fmt.Sprintf("%d %s", refused.Sequence, invalid.Field))
	}
	if want := []string{"1 status", "3 organizationId", "5 action"}; !slices.Equal(fields, want) {
		t.Errorf("refused %q, want %q", fields, want)
	}
	if want := noon.Add(1500 * time.Millisecond); !r.First.Equal(want) {
		t.Errorf("first %s, want %s, that of an event that was accepted", r.First, want)
	}
}

func TestBacktestPanic(t *testing.T) {
	t.Parallel()
	o := threeLogins()
	o.Rules[0].Match = func(e *monitor.Event) bool {
		if e.Action == "boom" {
			panic("cannot match this")
		}
		return true
	}
	es := logins(1, 2, 3, 4)
	es[1].Action = "boom"
	r := backtest(t, &detect.BacktestOptions{Rules: o}, es...)
	wantNumbers(t, r.Findings, "4:3")
	if len(r.Refused) != 1 || r.Refused[0].Sequence != 2 {
		t.Fatalf("refused %v", r.Refused)
	}
	if _, ok := errors.AsType[*monitor.PanicError](r.Refused[0].Err); !ok {
		t.Errorf("refused for %v", r.Refused[0].Err)
	}
}

// TestBacktestVerifies has a verifier that goes by the key ID.
func TestBacktestVerifies(t *testing.T) {
	t.Parallel()
	verifier := monitor.VerifierFunc(func(_ context.Context, e *monitor.Event) monitor.Verification {
		switch e.KeyID {
		case "bad":
			return monitor.Verification{Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged}
		case "away":
			return monitor.Verification{Decision: monitor.DecisionDefer, Verdict: monitor.VerdictUndecided, Err: errors.New("no answer")}
		}
		return monitor.Verification{Verdict: monitor.VerdictVerified, Covered: monitor.FieldAction}
	})
	es := logins(0, 1, 2, 3, 4, 5, 6)
	es[0].Status = "maybe"
	es[1].KeyID = "bad"
	es[2].KeyID, es[2].PrincipalID, es[2].OrganizationID = "bad", "", ""
	es[4].KeyID = "away"
	r := backtest(t, &detect.BacktestOptions{
		Rules: threeLogins(), Verifier: verifier, DefaultOrganization: "org-0",
	}, es...)
	wantLines(t, r.Findings,
		"tampered org-1/mallory 1 +1s",
		"tampered org-0/unknown 1 +2s",
		"logins org-1/mallory 3 +6s",
	)
	wantNumbers(t, r.Findings, "2:1", "3:1", "7:3")
	if field := r.Findings[0].KeyField; field != "principalId" {
		t.Errorf("the key of a failed event is %s", field)
	}
	if u := r.Findings[2].Uncovered; !u.Has(monitor.FieldPrincipalID) || u.Has(monitor.FieldAction) {
		t.Errorf("uncovered: %s", u)
	}
	if len(r.Refused) != 2 || r.Refused[1].Sequence != 5 || !errors.Is(r.Refused[1].Err, monitor.ErrUndecided) {
		t.Errorf("refused %v", r.Refused)
	}
	if want := noon.Add(3 * time.Second); !r.First.Equal(want) {
		t.Errorf("first %s, want %s: what others say of their time is a claim", r.First, want)
	}
}

// TestBacktestCounts checks that history counts as it is: no clock, no event
// twice, no reserved organization.
func TestBacktestCounts(t *testing.T) {
	t.Parallel()
	es := logins(1, 2, 3)
	for _, e := range es {
		e.ID = "same"
		e.OrganizationID = "operator"
		e.Timestamp = e.Timestamp.AddDate(200, 0, 0)
	}
	r := backtest(t, &detect.BacktestOptions{Rules: threeLogins()}, es...)
	wantNumbers(t, r.Findings, "3:3")

	es = logins(1, 2, 3)
	for _, e := range es {
		e.OrganizationID = ""
	}
	r = backtest(t, &detect.BacktestOptions{Rules: threeLogins(), DefaultOrganization: "only"}, es...)
	wantLines(t, r.Findings, "logins only/mallory 3 +3s")
}

// TestBacktestCaps checks that there are none unless they are asked for.
func TestBacktestCaps(t *testing.T) {
	t.Parallel()
	es := logins(make([]int, 1500)...)
	for i := range 105_000 {
		es = append(es, loginFailure(0, fmt.Sprint("user-", i)))
	}
	r := backtest(t, &detect.BacktestOptions{Rules: threeLogins(), Cooldown: time.Second}, es...)
	if s := r.Rules[0]; s.Keys != 105_001 || s.Events != 106_500 || s.Evictions != 0 || s.Truncations != 0 {
		t.Errorf("without caps: %+v", s)
	}

	o := threeLogins()
	o.MaxEventsPerKey, o.MaxKeys = 100, 50
	r = backtest(t, &detect.BacktestOptions{Rules: o}, es[:1600]...)
	if s := r.Rules[0]; s.Keys > 50 || s.Evictions == 0 || s.Truncations != 1400 {
		t.Errorf("with caps: %+v", s)
	}
	if last := r.Findings[len(r.Findings)-1]; last.Count != 100 || !last.AtLeast {
		t.Errorf("with caps the last count is %s", count(last))
	}
	if o.MaxEventsPerKey != 100 {
		t.Error("the caller's options changed")
	}
}

// TestBacktestContext ends the context in the middle of the history.
func TestBacktestContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	history := func(yield func(*monitor.Event) bool) {
		for i, e := range logins(1, 2, 3, 4, 5) {
			if i == 4 {
				cancel()
			}
			if !yield(e) {
				return
			}
		}
	}
	r, err := detect.Backtest(ctx, &detect.BacktestOptions{Rules: threeLogins()}, history)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "detect: ") {
		t.Errorf("error %v", err)
	}
	if r.Events != 4 {
		t.Errorf("%d events in the report, want 4", r.Events)
	}
	wantNumbers(t, r.Findings, "3:3", "4:4")
}

func TestBacktestOptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options detect.BacktestOptions
		want    string
	}{
		{detect.BacktestOptions{Cooldown: -time.Second}, "Cooldown: -1s is negative"},
		{detect.BacktestOptions{Lateness: -time.Second}, "Lateness: -1s is negative"},
		{detect.BacktestOptions{Rules: &detect.Options{MaxKeys: -2}}, "MaxKeys: -2 is negative"},
	} {
		_, err := detect.Backtest(t.Context(), &c.options, slices.Values(logins(1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "detect: ") {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
	}
}

// TestBacktester gives events numbers that are no ordinals.
func TestBacktester(t *testing.T) {
	t.Parallel()
	b, err := detect.NewBacktester(&detect.BacktestOptions{Rules: threeLogins()})
	if err != nil {
		t.Fatal(err)
	}
	var found []monitor.Finding
	es := logins(10, 30, 20)
	for i, number := range []uint64{700, 20, 100} {
		r, err := b.Process(t.Context(), number, es[i])
		if err != nil || r.Sequence != number {
			t.Errorf("event %d: number %d, error %v", number, r.Sequence, err)
		}
		found = append(found, r.Findings...)
	}
	wantNumbers(t, found, "20<100:3")
	if refs := found[0].References; len(refs) != 3 || refs[0].Sequence != 700 || refs[1].Sequence != 100 {
		t.Errorf("references %v", refs)
	}

	bad := logins(1)[0]
	bad.Status = ""
	if r, err := b.Process(t.Context(), 5, bad); err == nil || r.Sequence != 5 {
		t.Errorf("a bad event: number %d, error %v", r.Sequence, err)
	}
}
