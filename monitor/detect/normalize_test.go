package detect_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// from returns an event from an address.
func from(after time.Duration, principal, address string) *monitor.Event {
	e := at(after, "x", principal)
	e.ID = fmt.Sprint("e-", after)
	e.Session.IPAddress = address
	return e
}

// spellings are one address, as emitters write it.
var spellings = []string{
	"203.0.113.9", "::ffff:203.0.113.9", "203.0.113.9:40001", "[::ffff:203.0.113.9]:443", " 203.0.113.9 ", "::ffff:cb00:7109%eth0",
}

// TestOneAddress counts one address in whatever form it comes: in groups, among
// distinct values, in exceptions and in the identity of alerts, whether the windows
// are in memory or shared.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	own := func(e *monitor.Event, _ string) detect.Group {
		return detect.Group{Field: "ip", Value: e.Session.IPAddress}
	}
	address := func(e *monitor.Event) string { return e.Session.IPAddress }
	rules := map[string]detect.Rule{
		"group":     {GroupBy: detect.ByAddress},
		"anonymous": {GroupBy: detect.ByPrincipalOrAddress},
		"own":       {GroupBy: own},
	}
	for name, r := range rules {
		for _, windows := range []detect.Windows{nil, &monitortest.MemoryWindows{}} {
			r.Name, r.Match, r.Threshold, r.Window = name, any1, len(spellings), time.Minute
			tr := newTrail(t, &detect.Options{Rules: []detect.Rule{r}, Windows: windows})
			var found []monitor.Finding
			for i, spelling := range spellings {
				found = append(found, tr.add(from(time.Duration(i)*time.Second, " ", spelling))...)
			}
			if len(found) != 1 || found[0].Key != "203.0.113.9" || found[0].Count != len(spellings) {
				t.Errorf("%s, shared %v: %+v", name, windows != nil, found)
			}
		}
	}

	values := newTrail(t, &detect.Options{Rules: []detect.Rule{{
		Name: "values", Match: any1, Distinct: address, Threshold: 2, Window: time.Minute,
	}}})
	for _, spelling := range spellings {
		wantLines(t, values.add(from(0, "ann", spelling)))
	}
	wantLines(t, values.add(from(time.Second, "ann", "203.0.113.10:40001")), "values org-1/ann 2 +1s")

	excepted := newTrail(t, &detect.Options{
		Rules:      []detect.Rule{{Name: "r", Match: any1}},
		Exceptions: detect.Exceptions{Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/28")}},
	})
	for _, spelling := range spellings {
		wantLines(t, excepted.add(from(0, "ann", spelling)))
	}
	wantLines(t, excepted.add(from(0, "ann", "203.0.113.99:40001")), "r org-1/ann 1 +0s")
}

func TestByNetwork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		v4, v6  int
		address string
		want    string
	}{
		{24, 64, "203.0.113.9:40001", "203.0.113.0/24"},
		{24, 64, "[::ffff:203.0.113.77]:443", "203.0.113.0/24"},
		{24, 64, "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"},
		{24, 64, "2001:DB8:1:2:FFFF::1%eth0", "2001:db8:1:2::/64"},
		{24, 56, "2001:db8:1:2ff::1", "2001:db8:1:200::/56"},
		{32, 128, "203.0.113.9", "203.0.113.9"},
		{0, 0, "203.0.113.9", "203.0.113.9"},
		{-1, 129, "2001:db8::1", "2001:db8::1"},
		{33, 64, "203.0.113.9", "203.0.113.9"},
		{24, 64, "client.example:443", "client.example"},
		{24, 64, "", "unknown"},
	}
	for _, test := range tests {
		tr := newTrail(t, &detect.Options{Rules: []detect.Rule{{Name: "r", Match: any1, GroupBy: detect.ByNetwork(test.v4, test.v6)}}})
		found := tr.add(from(0, "ann", test.address))
		if len(found) != 1 || found[0].Key != test.want || found[0].KeyField != "network" {
			t.Errorf("%+v: %+v", test, found)
		}
	}
	g := detect.ByNetwork(24, 64)(from(0, "", "203.0.113.9:1"), "org-1")
	check.Equal(t, "group", g, detect.Group{Field: "network", Value: "203.0.113.0/24", Fields: monitor.FieldSession})
}

// TestOnePrincipal counts one principal in whatever form the name comes: with space
// around it always, otherwise as the application says.
func TestOnePrincipal(t *testing.T) {
	t.Parallel()
	names := []string{"ann", " ann", "ann\t", "Ann", "ANN "}
	rule := detect.Rule{Name: "r", Match: any1, Threshold: 2, Window: time.Minute}
	principal := func(e *monitor.Event) string { return e.PrincipalID }
	accounts := detect.Rule{Name: "accounts", Match: any1, GroupBy: detect.ByOrganization, Distinct: principal, Threshold: 1, Window: time.Minute}
	for _, test := range []struct {
		normalize func(string) string
		want      []string // groups, each when it has two
		accounts  int
	}{
		{nil, []string{"ann", "ann"}, 3},
		{strings.ToLower, []string{"ann", "ann", "ann", "ann"}, 1},
	} {
		for _, windows := range []detect.Windows{nil, &monitortest.MemoryWindows{}} {
			tr := newTrail(t, &detect.Options{Rules: []detect.Rule{rule, accounts}, NormalizePrincipal: test.normalize, Windows: windows})
			var groups []string
			most := 0
			for i, name := range names {
				for _, f := range tr.add(from(time.Duration(i)*time.Second, name, "")) {
					if f.Rule == "r" {
						groups = append(groups, f.Key)
					} else {
						most = max(most, f.Count)
					}
				}
			}
			check.Equal(t, "groups", groups, test.want)
			check.Equal(t, "accounts", most, test.accounts)
		}
		x := newTrail(t, &detect.Options{
			Rules: []detect.Rule{{Name: "r", Match: any1}}, NormalizePrincipal: test.normalize,
			Exceptions: detect.Exceptions{Principals: []string{"Backup "}},
		})
		wantLines(t, x.add(from(0, " Backup", "")))
		if test.normalize != nil {
			wantLines(t, x.add(from(0, "BACKUP", "")))
		}
	}
}

// TestNormalizedEvent pins that rules see the event in one form, that the caller's
// event stays as it is, and what Explain says.
func TestNormalizedEvent(t *testing.T) {
	t.Parallel()
	var seen monitor.Event
	tr := newTrail(t, &detect.Options{
		Rules:              []detect.Rule{{Name: "r", Match: func(e *monitor.Event) bool { seen = *e; return true }}},
		NormalizePrincipal: strings.ToUpper,
	})
	e := from(0, " ann", "[2001:DB8::1]:443")
	before := *e
	found := tr.add(e)
	check.Equal(t, "event", *e, before)
	check.Equal(t, "principal", seen.PrincipalID, "ANN")
	check.Equal(t, "address", seen.Session.IPAddress, "2001:db8::1")
	check.Equal(t, "ID", found[0].Event.ID, e.ID)
	check.Equal(t, "explanation", tr.engine.Explain(e, monitor.Arrival{OrganizationID: "org-1"})[0].Key, "ANN")
}

// TestNormalizedSnapshot goes on from a snapshot, and after a swap, with the groups
// that names had in other forms.
func TestNormalizedSnapshot(t *testing.T) {
	t.Parallel()
	options := &detect.Options{
		Rules:              []detect.Rule{{Name: "r", Match: any1, Threshold: 3, Window: time.Minute}},
		NormalizePrincipal: strings.ToLower,
	}
	first := newTrail(t, options)
	first.add(from(0, "ann", ""), from(time.Second, "Ann ", ""))
	second := newTrail(t, options)
	check.NoError(t, "restore", second.engine.Restore(bytes.NewReader(snapshot(t, first.engine))))
	wantLines(t, second.add(from(2*time.Second, " ANN", "")), "r org-1/ann 3 +2s")
	check.NoError(t, "swap", first.engine.Swap(options))
	wantLines(t, first.add(from(2*time.Second, " ANN", "")), "r org-1/ann 3 +2s")
}

// TestNormalizedEventDoesNotAllocate pins it for the address of a connection.
func TestNormalizedEventDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts allocations
	f := newFeed(t, nil, loginFailure(0, " "), time.Second)
	f.event.Session.IPAddress = "203.0.113.9:40001"
	if n := testing.AllocsPerRun(1000, func() { f.next(0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	check.Equal(t, "group", f.r.Findings()[0].Key, "203.0.113.9")
}

// TestNormalizePanics judges by the trimmed name when the application's function
// panics, and reports it.
func TestNormalizePanics(t *testing.T) {
	t.Parallel()
	tr := newTrail(t, &detect.Options{
		Rules:              []detect.Rule{{Name: "r", Match: any1}},
		NormalizePrincipal: func(string) string { panic("no") },
	})
	r := monitor.NewReporter(monitor.Arrival{OrganizationID: "org-1", Sequence: 1})
	check.NoError(t, "detect", tr.engine.Detect(t.Context(), from(0, " ann ", ""), r))
	wantLines(t, r.Findings(), "r org-1/ann 1 +0s")
	check.Equal(t, "panic", check.ErrorAs[*monitor.PanicError](t, "failure", r.Failure()).Where, "Options.NormalizePrincipal")
}
