package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// covered is what canonical form v1 covers.
const covered = monitor.FieldTimestamp | monitor.FieldAction | monitor.FieldStatus | monitor.FieldPrincipalID |
	monitor.FieldOrganizationID | monitor.FieldTargetResourceType | monitor.FieldTargetResourceID | monitor.FieldOutcomeDescription

// uncovered returns the texts that it does not cover, by the names in metrics.
func uncovered() map[string]func(e *monitor.Event) *string {
	texts := map[string]func(e *monitor.Event) *string{}
	for name, place := range eventTexts {
		switch name {
		case "action", "principalId", "organizationId", "targetResourceType", "targetResourceId", "outcomeDescription":
			continue
		}
		var metric strings.Builder
		for _, r := range strings.TrimPrefix(name, "sessionContext.") {
			if unicode.IsUpper(r) {
				metric.WriteByte('_')
			}
			metric.WriteRune(unicode.ToLower(r))
		}
		texts[metric.String()] = place
	}
	return texts
}

// bad are texts that no valid event has, with what is left of them.
var bad = map[string]string{
	"a\xff\xfeb":                           "a\uFFFDb",
	strings.Repeat("x", 9000):              strings.Repeat("x", monitor.MaxFieldSize-3) + "…",
	"y" + strings.Repeat("ü", 5000):        "y" + strings.Repeat("ü", (monitor.MaxFieldSize-4)/2) + "…",
	strings.Repeat("\xff", 9000):           "\uFFFD…",
	strings.Repeat("\xffz", 5000):          strings.Repeat("\uFFFDz", 2047) + "…",
	strings.Repeat("z", 8191) + "\xff\xff": strings.Repeat("z", monitor.MaxFieldSize-3) + "…",
}

// TestUncoveredFieldsAreCleaned accepts events whose faults are in fields that no
// signature covers, and hands them on without these.
func TestUncoveredFieldsAreCleaned(t *testing.T) {
	t.Parallel()
	for name, place := range uncovered() {
		for text, want := range bad {
			for _, v := range []monitor.Verifier{nil, verdicts(map[string]monitor.Verification{"data.read": {Covered: covered}})} {
				var seen []*monitor.Event
				c := &counters{}
				m := newMonitor(t, func(cfg *monitor.Config) {
					cfg.Verifier, cfg.AllowUnverified, cfg.Metrics = v, v == nil, c
					cfg.Detectors = []monitor.Detector{&detector{name: "d", fail: func(e *monitor.Event) error {
						seen = append(seen, e)
						return nil
					}}}
				})
				e := newEvent("e1", 0)
				*place(e) = text
				before := e.Clone()
				r := process(t, m, e)
				check.Equal(t, name+": state", r.State, monitor.StateDone)
				check.Equal(t, name+": the caller's event", e, before)
				check.Equal(t, name+": seen", len(seen), 1)
				check.NoError(t, name, seen[0].Validate())
				if got := *place(seen[0]); name == "id" {
					check.Equal(t, name+": size", len(got) <= monitor.MaxFieldSize, true)
				} else {
					check.Equal(t, name, got, want)
				}
				check.Equal(t, name+": notes", len(seen[0].Details["cleanedFields"].(map[string]any)), 1)
				check.Equal(t, name+": counted", c.get("fields_cleaned/"+name), 1)
			}
		}
	}
	m := newMonitor(t, nil)
	e := newEvent("e1", 0)
	e.RecordCount = -1
	check.Equal(t, "record count", process(t, m, e).State, monitor.StateDone)
}

// TestCoveredFieldsVeto refuses events with faults in what a signature covers, and does
// not touch them.
func TestCoveredFieldsVeto(t *testing.T) {
	t.Parallel()
	places := map[string]func(e *monitor.Event) *string{
		"action":             func(e *monitor.Event) *string { return &e.Action },
		"principalId":        func(e *monitor.Event) *string { return &e.PrincipalID },
		"organizationId":     func(e *monitor.Event) *string { return &e.OrganizationID },
		"targetResourceType": func(e *monitor.Event) *string { return &e.TargetResourceType },
		"targetResourceId":   func(e *monitor.Event) *string { return &e.TargetResourceID },
		"outcomeDescription": func(e *monitor.Event) *string { return &e.OutcomeDescription },
	}
	session := monitor.VerifierFunc(func(_ context.Context, e *monitor.Event) monitor.Verification {
		check.Equal(t, "what the verifier sees", len(e.Session.UserAgent) != monitor.MaxFieldSize, true)
		return monitor.Verification{Verdict: monitor.VerdictVerified, Covered: covered | monitor.FieldSession}
	})
	m := newMonitor(t, func(c *monitor.Config) { c.Verifier, c.AllowUnverified = session, false })
	for text := range bad {
		for name, place := range places {
			e := newEvent("e1", 0)
			*place(e) = text
			_, err := m.Process(t.Context(), e)
			wantInvalid(t, err, name)
			wantInvalid(t, m.Submit(t.Context(), e), name)
		}
		e := newEvent("e1", 0)
		e.Session.UserAgent = text
		_, err := m.Process(t.Context(), e)
		wantInvalid(t, err, "sessionContext.userAgent")
	}
}

// TestCleanedDuplicates tells events apart by all that was received.
func TestCleanedDuplicates(t *testing.T) {
	t.Parallel()
	m := newMonitor(t, nil)
	duplicate := func(id, agent string) monitor.Duplicate {
		e := newEvent(id, 0)
		e.Session.UserAgent = agent
		return process(t, m, e).Duplicate
	}
	long := strings.Repeat("x", 9000)
	check.Equal(t, "new", duplicate("e1", long+"a"), monitor.DuplicateNone)
	check.Equal(t, "again", duplicate("e1", long+"a"), monitor.DuplicateRedelivered)
	check.Equal(t, "another", duplicate("e1", long+"b"), monitor.DuplicateConflicting)
	for _, id := range []string{long + "a", long + "b", "\xff", "\xfe", "\uFFFD"} {
		check.Equal(t, "new ID", duplicate(id, ""), monitor.DuplicateNone)
		check.Equal(t, "known ID", duplicate(id, ""), monitor.DuplicateRedelivered)
	}
	for i, text := range []string{`"\ud800"`, `"\udc00"`, `"�"`} {
		var e monitor.Event
		check.NoError(t, "decode", monitor.DecodeEvent([]byte(`{`+requiredFields+`,"organizationId":"o","id":`+text+`}`), &e))
		check.Equal(t, fmt.Sprint("ID ", i), process(t, m, &e).Duplicate, monitor.DuplicateNone)
	}
}

// TestTamperedIsCleaned raises the alert about an event that failed verification
// whatever its texts are, and gives the verifier no endless ones of the signature.
func TestTamperedIsCleaned(t *testing.T) {
	t.Parallel()
	for text := range bad {
		s := &store{}
		m := newMonitor(t, func(c *monitor.Config) {
			c.AllowUnverified, c.Alerts = false, s
			c.Verifier = monitor.VerifierFunc(func(_ context.Context, e *monitor.Event) monitor.Verification {
				check.Equal(t, "size of the signature", len(e.Signature) <= monitor.MaxFieldSize, true)
				return monitor.Verification{Decision: monitor.DecisionFail, Verdict: monitor.VerdictForged}
			})
		})
		e := newEvent(text, 0)
		e.CorrelationID, e.Signature, e.Session.UserAgent = text, text, text
		r := process(t, m, e)
		check.Equal(t, "rule", r.Findings[0].Rule, monitor.RuleTampered)
		check.Equal(t, "stored", r.Dispositions[0].Stored, monitor.StoredNew)
		a := s.order[0]
		check.Equal(t, "ID", strings.ToValidUTF8(a.Finding.Event.ID, ""), a.Finding.Event.ID)
		check.Equal(t, "correlation", strings.ToValidUTF8(a.CorrelationID, ""), a.CorrelationID)
		check.Equal(t, "size", max(len(a.Finding.Event.ID), len(a.CorrelationID)) <= monitor.MaxFieldSize, true)
	}
}

// FuzzClean checks that a cleaned event is valid, signable and readable, and that it
// stays as it is when it is cleaned again.
func FuzzClean(f *testing.F) {
	f.Add("id", "ann\xff", "agent", "name", "text", 3, int64(-1), 1.5)
	f.Add("\xff", "", "a", "principalId", "\xfe\x00", 9000, int64(1), math.NaN())
	f.Add("x", "y", "\u2028", "cleanedFields", "\x01", 60_000, int64(0), math.Inf(1))
	f.Add("x", "y", "z", "details", "\"", 99_999, int64(0), 0.0)
	f.Fuzz(func(t *testing.T, id, principal, agent, name, text string, repeat int, count int64, number float64) {
		repeat = max(0, repeat) % 100_000
		long := strings.Repeat(text, repeat/max(1, len(text)))
		e := newEvent(id, 0)
		e.PrincipalID, e.Session.UserAgent, e.RecordCount = principal+long, agent, count
		e.OutcomeDescription, e.CorrelationID, e.TargetResourceID = text, long, long
		e.Session.Details = map[string]any{name: long, "ipAddress": text, "list": []any{text, number, long, json.Number(text)}}
		e.Details = map[string]any{
			name: text, name + "\xff": number, "timestamp": long, "raw": json.RawMessage(text), "channel": make(chan int),
			"deep": nested(200, text), "object": map[string]any{name: long, text: nil},
		}
		check.NoError(t, "clean", e.Clean())
		check.NoError(t, "validate", e.Validate())
		_, err := crypto.Hash(e)
		check.NoError(t, "hash", err)
		line, err := e.AppendJSON(nil)
		check.NoError(t, "encode", err)
		var again monitor.Event
		check.NoError(t, "decode", monitor.DecodeEvent(line, &again))
		check.NoError(t, "validate again", again.Validate())
		check.Equal(t, "principal", again.PrincipalID, e.PrincipalID)
		check.NoError(t, "clean again", e.Clean())
		twice, err := e.AppendJSON(nil)
		check.NoError(t, "encode again", err)
		check.Equal(t, "text", bytes.Equal(twice, line), true)
	})
}

// nested returns a text in so many arrays.
func nested(depth int, v any) any {
	for range depth {
		v = []any{v}
	}
	return v
}

func TestClean(t *testing.T) {
	t.Parallel()
	valid := newEvent("e1", 0)
	valid.Details = map[string]any{"x": 1}
	before := valid.Clone()
	check.NoError(t, "clean", valid.Clean())
	check.Equal(t, "a valid event", valid, before)

	for name, change := range map[string]func(e *monitor.Event){
		"timestamp":      func(e *monitor.Event) { e.Timestamp = time.Time{} },
		"action":         func(e *monitor.Event) { e.Action = "" },
		"status":         func(e *monitor.Event) { e.Status = "done" },
		"organizationId": func(e *monitor.Event) { e.OrganizationID = "a\xff" },
	} {
		e := newEvent("e1", 0)
		e.PrincipalID = "\xff"
		change(e)
		before := *e
		wantInvalid(t, e.Clean(), name)
		check.Equal(t, name, *e, before)
	}

	e := newEvent("e1", 0)
	details := map[string]any{"userId": 7, "text": "a\xffb", "keyId": "k", "keyId_": "l"}
	e.PrincipalID, e.Session.UserAgent, e.Details = "ann\xff", strings.Repeat("x", 9000), details
	check.NoError(t, "clean", e.Clean())
	check.Equal(t, "principal", e.PrincipalID, "ann\uFFFD")
	check.Equal(t, "user agent", e.Session.UserAgent, strings.Repeat("x", monitor.MaxFieldSize-3)+"…")
	why := e.Details["cleanedFields"].(map[string]any)
	check.Equal(t, "principal's note", why["principalId"], any("not valid UTF-8"))
	check.Equal(t, "user agent's note", why["sessionContext.userAgent"], any("9000 bytes are more than 8192: too large"))
	check.Equal(t, "text", e.Details["text"], any("a\uFFFDb"))
	check.Equal(t, "number", e.Details["userId"], any(7))
	check.Equal(t, "taken name", e.Details["keyId__"], any("k"))
	check.Equal(t, "other name", e.Details["keyId_"], any("l"))
	check.Equal(t, "the caller's map", details["text"], any("a\xffb"))

	large := newEvent("e1", 0)
	large.Details = map[string]any{"big": strings.Repeat("\"", 2<<20), "small": "s"}
	check.NoError(t, "clean", large.Clean())
	_, err := large.AppendJSON(nil)
	check.NoError(t, "encode", err)
}
