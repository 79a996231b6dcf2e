package detect_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

// section returns the part of docs/events.md under a heading, up to the next of
// its level.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/events.md has no heading %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	if strings.HasPrefix(heading, "### ") {
		text, _, _ = strings.Cut(text, "\n### ")
	}
	return text
}

// rows returns the cells of the tables in a text, without their heads.
func rows(text string) [][]string {
	var all [][]string
	for line := range strings.Lines(text) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) > 1 {
			cells[0] = strings.TrimPrefix(cells[0], "| ")
			cells[len(cells)-1] = strings.TrimSuffix(cells[len(cells)-1], " |")
			all = append(all, cells)
		}
	}
	return all[1:]
}

var codeSpan = regexp.MustCompile("`([^`]*)`")

// code returns the texts between backticks.
func code(text string) []string {
	var all []string
	for _, match := range codeSpan.FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

// TestEventsPageRules judges the events of the page.
func TestEventsPageRules(t *testing.T) {
	t.Parallel()
	sets := [][]detect.Rule{detect.Defaults(), detect.Modern()}
	for _, rule := range sets[1] {
		examples := rows(section(t, "### "+rule.Name))
		seen := map[string]bool{}
		for _, cells := range examples {
			text := code(cells[0])[0]
			e := decode(t, text)
			e.OrganizationID = "org-1"
			for i, rules := range sets {
				want := cells[1+i] == "yes"
				if !want && cells[1+i] != "no" {
					t.Errorf("%s: %q is neither yes nor no", text, cells[1+i])
				}
				seen[fmt.Sprint(i, want)] = true
				engine, err := detect.New(&detect.Options{Rules: rules, SkipAnonymous: true})
				if err != nil {
					t.Fatal(err)
				}
				matched := false
				for _, x := range engine.Explain(e, monitor.Arrival{OrganizationID: "org-1"}) {
					matched = matched || x.Rule == rule.Name && x.Judgment != detect.NotMatched && x.Judgment != detect.WorkingHours
				}
				if matched != want {
					t.Errorf("%s: set %d matches %s: %v", rule.Name, i, text, matched)
				}
			}
		}
		if !seen["1 true"] || !seen["1 false"] {
			t.Errorf("%s: the page has no event that matches or none that does not: %v", rule.Name, seen)
		}
	}
}

// decode returns the event of a text, at noon if the text has no timestamp.
func decode(t *testing.T, text string) *monitor.Event {
	t.Helper()
	if !strings.Contains(text, `"timestamp"`) {
		text = `{"timestamp": "2026-03-02T12:00:00.000Z", ` + strings.TrimPrefix(text, "{")
	}
	e := new(monitor.Event)
	if err := monitor.DecodeEvent([]byte(text), e); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if e.Details != nil || e.Session.Details != nil {
		t.Errorf("%s has fields of no event: %v %v", text, e.Details, e.Session.Details)
	}
	return e
}

// TestEventsPageFields pins that the page lists every field, once, with a value that
// it can have, and says rightly which are signed.
func TestEventsPageFields(t *testing.T) {
	t.Parallel()
	event, session := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	signed := strings.Split(crypto.CoveredV1.String(), ",")
	for _, cells := range rows(section(t, "## Fields")) {
		name, example := code(cells[0])[0], json.RawMessage(code(cells[3])[0])
		fields := event
		if inner, ok := strings.CutPrefix(name, "sessionContext."); ok {
			name, fields = inner, session
		}
		if fields[name] != nil {
			t.Errorf("%s is there twice", name)
		}
		fields[name] = example
		if want := map[bool]string{true: "yes", false: "no"}[slices.Contains(signed, name)]; cells[4] != want {
			t.Errorf("%s is signed: %s, want %s", name, cells[4], want)
		}
	}
	event["sessionContext"] = marshal(t, session)
	e := decode(t, string(marshal(t, event)))
	for _, v := range []reflect.Value{reflect.ValueOf(*e), reflect.ValueOf(e.Session)} {
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Details" && v.Field(i).IsZero() {
				t.Errorf("%s is not on the page", f.Name)
			}
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestEventsPageWords pins that the words that the page lists for logins are those
// that Modern knows.
func TestEventsPageWords(t *testing.T) {
	t.Parallel()
	text, _, _ := strings.Cut(section(t, "### failed_auth"), "Both alert")
	words := code(text)
	behind := words[slices.Index(words, "on")+1:]
	for _, word := range behind {
		wantMatches(t, &monitor.Event{Action: "login." + word, Status: monitor.StatusFailure}, detect.FailedAuth)
	}
	if words[0] != "failure" || len(behind) != 37 {
		t.Errorf("words of the page: %q, %d behind the login", words, len(behind))
	}
}

// TestEventsPageIDs shows what the page says of IDs: a stage in the ID keeps two
// records apart, and a record that is delivered twice counts once.
func TestEventsPageIDs(t *testing.T) {
	t.Parallel()
	engine, err := detect.New(&detect.Options{Rules: detect.Modern()})
	if err != nil {
		t.Fatal(err)
	}
	m, err := monitor.New(monitor.Config{AllowUnverified: true, MaxSkew: -1, Detectors: []monitor.Detector{engine}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id, status string
		duplicate  monitor.Duplicate
	}{
		{"8f3c/RequestReceived", "attempt", monitor.DuplicateNone},
		{"8f3c/ResponseComplete", "success", monitor.DuplicateNone},
		{"8f3c/ResponseComplete", "success", monitor.DuplicateRedelivered},
		{"8f3c", "attempt", monitor.DuplicateNone},
		{"8f3c", "success", monitor.DuplicateConflicting},
	} {
		e := at(0, "data.read", "ann")
		e.ID, e.Status = test.id, monitor.EventStatus(test.status)
		result, err := m.Process(t.Context(), e)
		if err != nil || result.Duplicate != test.duplicate {
			t.Errorf("%s, %s: %v, %v", test.id, test.status, result.Duplicate, err)
		}
	}
}
