package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// TestDefaults walks over every threshold and both ends of every window of the
// five patterns.
func TestDefaults(t *testing.T) {
	t.Parallel()
	denied := func(after time.Duration, who string) *monitor.Event {
		e := at(after, "document.open", who)
		e.Status, e.OutcomeDescription = monitor.StatusFailure, "Access DENIED by policy"
		return e
	}
	read := func(after time.Duration, who string) *monitor.Event { return at(after, "data.read", who) }
	export := func(after time.Duration, who string) *monitor.Event { return at(after, "data.export", who) }
	tests := []struct {
		rule      string
		severity  monitor.Severity
		technique string
		event     func(time.Duration, string) *monitor.Event
		threshold int
		window    time.Duration
		field     string
		key       string
	}{
		{"failed_auth", monitor.SeverityHigh, "T1110", loginFailure, 5, 5 * time.Minute, "principalId", "user-1"},
		{"unauthorized_access", monitor.SeverityCritical, "T1078", denied, 3, 10 * time.Minute, "principalId", "user-1"},
		{"data_velocity", monitor.SeverityMedium, "T1213", read, 50, time.Minute, "principalId", "user-1"},
		{"bulk_operation", monitor.SeverityMedium, "T1020", export, 100, 5 * time.Minute, "organizationId", "org-1"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			n := test.threshold
			// The first event is as old as it says when the last one comes.
			last := func(age time.Duration) []monitor.Finding {
				tr := newTrail(t, nil)
				if found := tr.add(test.event(0, "user-1")); len(found) > 0 {
					t.Errorf("the first event: %q", lines(found))
				}
				for i := range n - 2 {
					if found := tr.add(test.event(age-time.Duration(n-2-i), "user-1")); len(found) > 0 {
						t.Errorf("%d events: %q", i+2, lines(found))
					}
				}
				return tr.add(test.event(age, "user-1"))
			}
			if found := last(test.window); len(found) > 0 {
				t.Errorf("an event one window old counts: %q", lines(found))
			}
			found := last(test.window - 1)
			if len(found) != 1 {
				t.Fatalf("an event 1 ns less than a window old does not count: %q", lines(found))
			}
			f := found[0]
			if f.Rule != test.rule || f.Severity != test.severity || f.Technique != test.technique ||
				f.Count != n || f.Threshold != n || f.Window != test.window || f.AtLeast || f.Shadow ||
				f.KeyField != test.field || f.Key != test.key || f.OrganizationID != "org-1" {
				t.Errorf("finding: %+v", f)
			}
		})
	}
}

func TestDefaultMatches(t *testing.T) {
	t.Parallel()
	event := func(change func(e *monitor.Event)) *monitor.Event {
		e := &monitor.Event{Timestamp: noon, OrganizationID: "org-1", Status: monitor.StatusSuccess, Action: "x"}
		change(e)
		return e
	}
	failure := func(text string) *monitor.Event {
		return event(func(e *monitor.Event) { e.Status, e.OutcomeDescription = monitor.StatusFailure, text })
	}
	tests := []struct {
		name  string
		rule  string
		event *monitor.Event
		match bool
	}{
		{"login attempt", "failed_auth", event(func(e *monitor.Event) { e.Action, e.Status = "auth.login.failure", "attempt" }), false},
		{"longer action", "failed_auth", event(func(e *monitor.Event) { e.Action, e.Status = "x.auth.login.failure.y", "failure" }), true},
		{"other case", "failed_auth", event(func(e *monitor.Event) { e.Action, e.Status = "auth.login.Failure", "failure" }), false},
		{"unauthorized", "unauthorized_access", failure("UnAuthorized"), true},
		{"forbidden at the end", "unauthorized_access", failure("403 Forbidden"), true},
		{"access denied", "unauthorized_access", failure("access denied"), true},
		{"access  denied", "unauthorized_access", failure("access  denied"), false},
		{"cut short", "unauthorized_access", failure("forbidde"), false},
		{"denied and successful", "unauthorized_access", event(func(e *monitor.Event) { e.OutcomeDescription = "forbidden" }), false},
		{"target", "data_velocity", event(func(e *monitor.Event) { e.TargetResourceType = "T" }), true},
		{"fhir", "data_velocity", event(func(e *monitor.Event) { e.Action = "fhir.Patient" }), true},
		{"failed read", "data_velocity", event(func(e *monitor.Event) { e.Action, e.Status = "data.read", "failure" }), false},
		{"write", "data_velocity", event(func(e *monitor.Event) { e.Action = "data.write" }), false},
		{"10 records", "bulk_operation", event(func(e *monitor.Event) { e.RecordCount = 10 }), false},
		{"11 records", "bulk_operation", event(func(e *monitor.Event) { e.RecordCount = 11 }), true},
		{"failed import", "bulk_operation", event(func(e *monitor.Event) { e.Action, e.Status = "data.import", "failure" }), true},
		{"bulk", "bulk_operation", event(func(e *monitor.Event) { e.Action = "bulk" }), true},
		{"data at night", "off_hours", event(func(e *monitor.Event) { e.Action, e.Timestamp = "data.x", noon.Add(12*time.Hour) }), true},
		{"fhir at night", "off_hours", event(func(e *monitor.Event) { e.Action, e.Timestamp = "fhir.x", noon.Add(12*time.Hour) }), true},
		{"failure at night", "off_hours", event(func(e *monitor.Event) {
			e.Action, e.Status, e.Timestamp = "data.x", "failure", noon.Add(12*time.Hour)
		}), false},
		{"metadata at night", "off_hours", event(func(e *monitor.Event) { e.Action, e.Timestamp = "meta.x", noon.Add(12*time.Hour) }), false},
	}
	tr := newTrail(t, nil)
	for _, test := range tests {
		for _, x := range tr.engine.Explain(test.event, monitor.Arrival{OrganizationID: "org-1"}) {
			if matched := x.Judgment != detect.NotMatched; x.Rule == test.rule && matched != test.match {
				t.Errorf("%s: %s matches: %v", test.name, test.rule, matched)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	anonymous := loginFailure(0, "")
	addressed := loginFailure(0, "")
	addressed.Session.IPAddress = "192.0.2.1"
	named := loginFailure(0, "user-1")
	named.Session.IPAddress = "192.0.2.1"
	typed, identified, both := at(0, "x", ""), at(0, "x", ""), at(0, "x", "")
	typed.TargetResourceType = "Patient"
	identified.TargetResourceID = "7"
	both.TargetResourceType, both.TargetResourceID = "Patient", "7"
	slashed := func(kind, id string) *monitor.Event {
		e := at(0, "x", "")
		e.TargetResourceType, e.TargetResourceID = kind, id
		return e
	}
	const resource = monitor.FieldTargetResourceType | monitor.FieldTargetResourceID
	tests := []struct {
		name  string
		key   detect.Key
		event *monitor.Event
		want  detect.Group
	}{
		{"principal", detect.ByPrincipal, named, detect.Group{Field: "principalId", Value: "user-1", Fields: monitor.FieldPrincipalID}},
		{"nobody", detect.ByPrincipal, addressed, detect.Group{Field: "principalId", Fields: monitor.FieldPrincipalID}},
		{"principal first", detect.ByPrincipalOrAddress, named, detect.Group{Field: "principalId", Value: "user-1", Fields: monitor.FieldPrincipalID}},
		{"then address", detect.ByPrincipalOrAddress, addressed, detect.Group{Field: "ipAddress", Value: "192.0.2.1", Fields: monitor.FieldPrincipalID | monitor.FieldSession}},
		{"neither", detect.ByPrincipalOrAddress, anonymous, detect.Group{Field: "principalId", Fields: monitor.FieldPrincipalID}},
		{"address", detect.ByAddress, named, detect.Group{Field: "ipAddress", Value: "192.0.2.1", Fields: monitor.FieldSession}},
		{"organization", detect.ByOrganization, named, detect.Group{Field: "organizationId", Value: "org-9", Fields: monitor.FieldOrganizationID}},
		{"resource type", detect.ByResource, typed, detect.Group{Field: "targetResourceType", Value: "Patient", Fields: resource}},
		{"resource ID", detect.ByResource, identified, detect.Group{Field: "targetResourceId", Value: "7", Fields: resource}},
		{"resource with a slash", detect.ByResource, slashed("a/b", `c/d\`), detect.Group{Field: "targetResource", Value: `a\/b/c/d\`, Fields: resource}},
		{"resource with a backslash", detect.ByResource, slashed(`a\`, "b/c"), detect.Group{Field: "targetResource", Value: `a\\/b/c`, Fields: resource}},
		{"resource type with a slash", detect.ByResource, slashed("a/b", ""), detect.Group{Field: "targetResourceType", Value: `a\/b`, Fields: resource}},
		{"resource ID with a slash", detect.ByResource, slashed("", `a/b\`), detect.Group{Field: "targetResourceId", Value: `a\/b\\`, Fields: resource}},
		{"resource", detect.ByResource, both, detect.Group{Field: "targetResource", Value: "Patient/7", Fields: resource}},
	}
	for _, test := range tests {
		if got := test.key(test.event, "org-9"); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestGroupsApart shows that groups never mix, nor organizations, and that those
// who are not named are one group, or none.
func TestGroupsApart(t *testing.T) {
	t.Parallel()
	interleaved := func(o *detect.Options) []monitor.Finding {
		tr := newTrail(t, o)
		var found []monitor.Finding
		for i := range 5 {
			for _, organization := range []string{"org-1", "org-2"} {
				for _, who := range []string{"user-1", "user-2", ""} {
					if i == 4 && who == "user-2" {
						continue
					}
					e := loginFailure(time.Duration(i)*time.Second, who)
					e.OrganizationID = organization
					found = append(found, tr.add(e)...)
				}
			}
		}
		return found
	}
	wantLines(t, interleaved(nil),
		"failed_auth org-1/user-1 5 +4s", "failed_auth org-1/unknown 5 +4s",
		"failed_auth org-2/user-1 5 +4s", "failed_auth org-2/unknown 5 +4s")
	wantLines(t, interleaved(&detect.Options{SkipAnonymous: true}),
		"failed_auth org-1/user-1 5 +4s", "failed_auth org-2/user-1 5 +4s")
}

// TestLongNames tells groups apart whose names begin alike.
func TestLongNames(t *testing.T) {
	t.Parallel()
	for length := 1; length < 100; length++ {
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{
			{Name: "two", Match: any1, Threshold: 2, Window: time.Second},
		}})
		tr.engine.Collide()
		prefix := strings.Repeat("x", length-1)
		found := tr.add(at(0, "x", prefix+"a"), at(0, "x", prefix+"b"), at(0, "x", prefix+"ab"), at(0, "x", prefix+"b"))
		wantLines(t, found, "two org-1/"+prefix+"b 2 +0s")
	}
}

// TestOrganizationOfArrival shows that an event belongs to the organization that
// the monitor says, not to the one that it names.
func TestOrganizationOfArrival(t *testing.T) {
	t.Parallel()
	engine := newTrail(t, nil).engine
	var found []monitor.Finding
	for i := range 5 {
		e := loginFailure(time.Duration(i), "user-1")
		e.OrganizationID = ""
		found = append(found, detectOne(engine, e, monitor.Arrival{OrganizationID: "default"})...)
	}
	wantLines(t, found, "failed_auth default/user-1 5 +4ns")
}

// TestEveryQualifyingEvent shows that a finding is made for each event at or
// over the threshold, naming the events that made it.
func TestEveryQualifyingEvent(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{MaxReferences: 3})
	for i := range 7 {
		e := loginFailure(time.Duration(i)*time.Second, "user-1")
		e.ID = fmt.Sprint("event-", i+1)
		found := tr.add(e)
		if i < 4 {
			wantLines(t, found)
			continue
		}
		wantLines(t, found, fmt.Sprintf("failed_auth org-1/user-1 %d +%ds", i+1, i))
		for j, ref := range found[0].References {
			n := i - 2 + j
			want := monitor.EventRef{
				ID: fmt.Sprint("event-", n+1), Timestamp: noon.Add(time.Duration(n) * time.Second), Sequence: uint64(n + 1),
			}
			if ref != want {
				t.Errorf("reference %d: got %v, want %v", j, ref, want)
			}
		}
		if n := len(found[0].References); n != 3 || found[0].Event != found[0].References[2] {
			t.Errorf("%d references, the last one %v, event %v", n, found[0].References[2], found[0].Event)
		}
	}
}

// TestForgottenIDs shows which IDs a finding knows of the events before its own.
func TestForgottenIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 72)
	for _, test := range []struct {
		name, id, want string
		sequence       uint64
		between        uint64 // the number of an event in between
	}{
		{"known", "a", "a", 1, 2},
		{"none", "", "", 1, 2},
		{"long", long[:71], long[:71], 1, 2},
		{"too long", long, "", 1, 2},
		{"not numbered", "a", "", 0, 2},
		{"still known", "a", "a", 1, 32768},
		{"forgotten", "a", "", 1, 32769},
	} {
		engine := newTrail(t, &detect.Options{Rules: []detect.Rule{
			{Name: "two", Match: any1, Threshold: 2, Window: time.Second},
		}}).engine
		add := func(sequence uint64, id, who string) []monitor.Finding {
			e := at(0, "x", who)
			e.ID = id
			return detectOne(engine, e, monitor.Arrival{OrganizationID: "org-1", Sequence: sequence})
		}
		add(test.sequence, test.id, "u")
		add(test.between, "b", "v")
		found := add(40000, "c", "u")
		if len(found) != 1 || found[0].References[0].ID != test.want ||
			found[0].References[0].Sequence != test.sequence || found[0].References[1].ID != "c" {
			t.Errorf("%s: %+v", test.name, found)
		}
	}
}

// TestReferencesStayInTheWindow shows that a finding does not name events from
// before its window.
func TestReferencesStayInTheWindow(t *testing.T) {
	t.Parallel()
	rules := []detect.Rule{{Name: "two", Match: any1, Threshold: 2, Window: time.Second}}
	tr := newTrail(t, &detect.Options{Rules: rules})
	found := tr.add(at(0, "x", "u"), at(time.Second, "x", "u"), at(1500*time.Millisecond, "x", "u"))
	wantLines(t, found, "two org-1/u 2 +1.5s")
	if n := len(found[0].References); n != 2 {
		t.Errorf("%d references, want 2", n)
	}
	tr = newTrail(t, &detect.Options{Rules: rules, MaxReferences: -1})
	found = tr.add(at(0, "x", "u"), at(0, "x", "u"))
	if n := len(found[0].References); n != 0 {
		t.Errorf("%d references, want none", n)
	}
}

// TestLate shows what a late event changes.
func TestLate(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, nil)
	tr.lateness = 10 * time.Minute
	second := time.Second
	wantLines(t, tr.add(
		loginFailure(0, "u"), loginFailure(second, "u"), loginFailure(2*second, "u"), loginFailure(4*second, "u")))
	// The fourth event was one short, and is not any more.
	wantLines(t, tr.add(loginFailure(3*second, "u")), "failed_auth org-1/u 5 +4s by +3s")
	// An event that qualified is not reported again.
	wantLines(t, tr.add(loginFailure(2*second, "u")),
		"failed_auth org-1/u 5 +3s by +2s")
	wantLines(t, tr.add(loginFailure(5*second, "u")), "failed_auth org-1/u 7 +5s")
	// Equal timestamps rank by arrival: the late event itself qualifies.
	wantLines(t, tr.add(loginFailure(4*second, "u")), "failed_auth org-1/u 7 +4s")
}

// TestLateReachesOneWindow shows that a late event counts for those less than a
// window after it.
func TestLateReachesOneWindow(t *testing.T) {
	t.Parallel()
	rules := []detect.Rule{
		{Name: "two", Match: any1, Threshold: 2, Window: time.Second},
		{Name: "values", Match: any1, Distinct: target, Threshold: 2, Window: time.Second},
		{Name: "steps", Window: time.Second, Sequence: []detect.Step{{Match: action("a")}, {Match: action("b")}}},
	}
	event := func(after time.Duration, act string) *monitor.Event {
		e := at(after, act, "u")
		e.TargetResourceID = act
		return e
	}
	tr := newTrail(t, &detect.Options{Rules: rules})
	wantLines(t, tr.add(event(time.Second, "b")))
	wantLines(t, tr.add(event(0, "a")))
	wantLines(t, tr.add(event(1, "a")),
		"two org-1/u 2 +1ns", "two org-1/u 2 +1s by +1ns",
		"values org-1/u 2 +1s by +1ns", "steps org-1/u 2 +1s by +1ns")
}

// TestTiming shows that rules with windows pass over events that are too late or
// in the future, and stateless rules do not.
func TestTiming(t *testing.T) {
	t.Parallel()
	for _, timing := range []monitor.Timing{monitor.TimingOnTime, monitor.TimingTooLate, monitor.TimingFuture} {
		engine := newTrail(t, &detect.Options{Rules: []detect.Rule{
			{Name: "window", Match: any1, Threshold: 1, Window: time.Second},
			{Name: "stateless", Match: any1},
		}}).engine
		want := []string{"window org-1/u 1 +0s", "stateless org-1/u 1 +0s"}
		if timing != monitor.TimingOnTime {
			want = want[1:]
		}
		wantLines(t, detectOne(engine, at(0, "x", "u"), monitor.Arrival{OrganizationID: "org-1", Timing: timing}), want...)
	}
}

func TestStateless(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "root", Severity: monitor.SeverityHigh, Technique: "T1078.003", Shadow: true,
		Match: func(e *monitor.Event) bool { return e.PrincipalID == "root" },
	}}})
	e := at(0, "x", "root")
	e.ID = "event-1"
	found := tr.add(at(0, "x", "user-1"), e)
	if len(found) != 1 {
		t.Fatalf("findings: %q", lines(found))
	}
	f := found[0]
	ref := monitor.EventRef{ID: "event-1", Timestamp: noon, Sequence: 2}
	if f.Rule != "root" || f.Severity != monitor.SeverityHigh || f.Technique != "T1078.003" || !f.Shadow ||
		f.Count != 1 || f.Threshold != 1 || f.Window != 0 || f.Event != ref ||
		len(f.References) != 1 || f.References[0] != ref {
		t.Errorf("finding: %+v", f)
	}
}

// TestDistinct: 3 patients by one principal within a minute.
func TestDistinct(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "patients", Match: any1, Distinct: target, Threshold: 3, Window: time.Minute,
	}}})
	look := func(seconds int, patient string) *monitor.Event {
		e := at(time.Duration(seconds)*time.Second, "data.read", "u")
		e.TargetResourceID = patient
		return e
	}
	wantLines(t, tr.add(look(0, "a"), look(1, "a"), look(2, "b"), look(3, ""), look(4, "b")))
	wantLines(t, tr.add(look(5, "c")), "patients org-1/u 3 +5s")
	wantLines(t, tr.add(look(60, "c")), "patients org-1/u 3 +1m0s") // a of 1 s is still there
	wantLines(t, tr.add(look(61, "c")))                             // and now it is not
	wantLines(t, tr.add(look(62, "d")), "patients org-1/u 3 +1m2s") // b of 4 s, c, d
	wantLines(t, tr.add(look(64, "d")))
}

// TestDistinctLate shows that a late event does not matter to those that come a
// window after it.
func TestDistinctLate(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "patients", Match: any1, Distinct: target, Threshold: 3, Window: 10 * time.Second,
	}}})
	look := func(seconds int, patient string) *monitor.Event {
		e := at(time.Duration(seconds)*time.Second, "data.read", "u")
		e.TargetResourceID = patient
		return e
	}
	wantLines(t, tr.add(look(5, "a"), look(12, "b"), look(13, "c")), "patients org-1/u 3 +13s")
	wantLines(t, tr.add(look(2, "a")))
	wantLines(t, tr.add(look(3, "d")), "patients org-1/u 3 +12s by +3s")
}

// TestSequence: 3 failures, then a success.
func TestSequence(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "guessed", Window: time.Minute,
		Sequence: []detect.Step{{Match: action("fail"), Count: 3}, {Match: action("success")}},
	}}})
	do := func(seconds int, act string) *monitor.Event { return at(time.Duration(seconds)*time.Second, act, "u") }
	wantLines(t, tr.add(do(0, "fail"), do(1, "fail"), do(2, "success"), do(3, "other")))
	wantLines(t, tr.add(do(4, "fail")))
	wantLines(t, tr.add(do(5, "success")), "guessed org-1/u 2 +5s") // nothing resets it
	wantLines(t, tr.add(do(6, "success")), "guessed org-1/u 2 +6s")
	wantLines(t, tr.add(do(59, "success")), "guessed org-1/u 2 +59s")
	wantLines(t, tr.add(do(60, "success"))) // the first failure is one window old
	found := tr.add(do(61, "fail"), do(62, "fail"), do(63, "fail"), do(64, "success"))
	wantLines(t, found, "guessed org-1/u 2 +1m4s")
	if found[0].Threshold != 2 {
		t.Errorf("threshold %d, want the number of steps", found[0].Threshold)
	}
}

// TestUncovered shows that a finding names the fields it rests on that nobody
// signed.
func TestUncovered(t *testing.T) {
	t.Parallel()
	engine := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "x", Match: any1, Uses: monitor.FieldAction | monitor.FieldRecordCount, GroupBy: detect.ByAddress,
	}}}).engine
	const v1 = monitor.FieldTimestamp | monitor.FieldOrganizationID | monitor.FieldAction
	for _, test := range []struct {
		arrival monitor.Arrival
		want    monitor.Fields
	}{
		{monitor.Arrival{Verified: true, Covered: v1}, monitor.FieldRecordCount | monitor.FieldSession},
		{monitor.Arrival{Verified: true, Covered: v1 &^ monitor.FieldTimestamp}, monitor.FieldRecordCount | monitor.FieldSession | monitor.FieldTimestamp},
		{monitor.Arrival{Verified: true, Covered: ^monitor.Fields(0)}, 0},
		{monitor.Arrival{}, 0},
	} {
		found := detectOne(engine, at(0, "x", "u"), test.arrival)
		if len(found) != 1 || found[0].Uncovered != test.want {
			t.Errorf("%+v: got %+v, want uncovered %s", test.arrival, found, test.want)
		}
	}
}
