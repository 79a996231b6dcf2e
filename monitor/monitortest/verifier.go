package monitortest

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
)

// VerifierHarness gives [RunVerifier] access to a verifier.
type VerifierHarness struct {
	// New returns a verifier that requires a signature.
	New func(t *testing.T) monitor.Verifier
	// Sign sets the hash and signature fields so that the verifier accepts the event.
	Sign func(e *monitor.Event)
	// SignWrong is like Sign, but uses a different key with the same algorithm and
	// ID, so that the verifier must reject the event.
	SignWrong func(e *monitor.Event)
}

// RunVerifier checks that a verifier accepts signed events and rejects events that
// were tampered with: changes of any field that it reports as covered, swapped
// fields, wrong keys, truncated or missing hashes and signatures, other
// algorithms, and signatures of other events. It also checks that the verifier
// does not change events and is safe for concurrent use.
func RunVerifier(t *testing.T, h VerifierHarness) {
	t.Helper()
	for _, c := range verifierCases() {
		t.Run(c.name, func(t *testing.T) {
			c.check(verifierCheck{t, h, h.New(t)})
		})
	}
}

// verifierCheck is a verifier at a test.
type verifierCheck struct {
	testing.TB
	harness  VerifierHarness
	verifier monitor.Verifier
}

type verifierCase struct {
	name  string
	check func(v verifierCheck)
}

func verifierCases() []verifierCase {
	cases := []verifierCase{
		{"accepts", verifierCheck.accepts},
		{"covered_fields", verifierCheck.coveredFields},
		{"event_unchanged", verifierCheck.eventUnchanged},
		{"concurrent", verifierCheck.concurrent},
	}
	for _, t := range tamperings {
		cases = append(cases, verifierCase{t.name, func(v verifierCheck) {
			v.rejects(t.name, func(e *monitor.Event) { t.tamper(v, e) })
		}})
	}
	return cases
}

// tamperings turn a signed event into one that must be rejected.
var tamperings = []struct {
	name   string
	tamper func(v verifierCheck, e *monitor.Event)
}{
	{"swapped_fields", func(_ verifierCheck, e *monitor.Event) {
		e.PrincipalID, e.OrganizationID = e.OrganizationID, e.PrincipalID
	}},
	{"wrong_key", func(v verifierCheck, e *monitor.Event) { v.harness.SignWrong(e) }},
	{"unknown_key_id", func(_ verifierCheck, e *monitor.Event) { e.KeyID = "no-such-key" }},
	{"hash_flipped", func(_ verifierCheck, e *monitor.Event) { e.Hash = otherDigit(e.Hash) }},
	{"hash_truncated", func(_ verifierCheck, e *monitor.Event) { e.Hash = e.Hash[:len(e.Hash)-2] }},
	{"hash_extended", func(_ verifierCheck, e *monitor.Event) { e.Hash += "00" }},
	{"hash_stripped", func(_ verifierCheck, e *monitor.Event) { e.Hash, e.HashAlgorithm = "", "" }},
	{"signature_flipped", func(_ verifierCheck, e *monitor.Event) { e.Signature = otherDigit(e.Signature) }},
	{"signature_truncated", func(_ verifierCheck, e *monitor.Event) { e.Signature = e.Signature[:len(e.Signature)/2] }},
	{"signature_extended", func(_ verifierCheck, e *monitor.Event) { e.Signature += "00" }},
	{"signature_stripped", func(_ verifierCheck, e *monitor.Event) {
		e.Signature, e.SignatureAlgorithm, e.KeyID = "", "", ""
	}},
	{"everything_stripped", func(_ verifierCheck, e *monitor.Event) {
		e.Hash, e.HashAlgorithm, e.Signature, e.SignatureAlgorithm, e.KeyID = "", "", "", "", ""
	}},
	{"algorithm_none", func(_ verifierCheck, e *monitor.Event) { e.SignatureAlgorithm = "none" }},
	{"algorithm_swapped", func(_ verifierCheck, e *monitor.Event) {
		if e.SignatureAlgorithm == "ED25519" {
			e.SignatureAlgorithm = "HMAC-SHA256"
		} else {
			e.SignatureAlgorithm = "ED25519"
		}
	}},
	{"hash_algorithm_swapped", func(_ verifierCheck, e *monitor.Event) { e.HashAlgorithm = "MD5" }},
	{"signature_is_hash", func(_ verifierCheck, e *monitor.Event) { e.Signature = e.Hash }},
	// Edited and hashed again by somebody without the key.
	{"rehashed", func(v verifierCheck, e *monitor.Event) {
		signature := e.Signature
		e.PrincipalID = "intruder"
		v.harness.Sign(e)
		e.Signature = signature
	}},
	// Hash and signature of another event.
	{"replayed_signature", func(v verifierCheck, e *monitor.Event) {
		v.harness.Sign(e)
		e.PrincipalID = "intruder"
	}},
}

func (v verifierCheck) accepts() {
	for name, edit := range map[string]func(e *monitor.Event){
		"plain":   func(*monitor.Event) {},
		"unicode": func(e *monitor.Event) { e.OutcomeDescription = "\"<é>\u2028\\\n\x00\x7f😀" },
		"received": func(e *monitor.Event) {
			check.NoError(v, "SetTimestampText", e.SetTimestampText("2026-03-02T12:00:00.1+02:00"))
		},
		"minimal": func(e *monitor.Event) {
			*e = monitor.Event{Timestamp: e.Timestamp, Action: e.Action, Status: e.Status}
		},
	} {
		got := v.verifier.Verify(v.Context(), v.signed(edit))
		if got.Decision != monitor.DecisionAccept || got.Verdict != monitor.VerdictVerified || got.Err != nil || got.Covered == 0 {
			v.Errorf("%s event: %v, %v, covered %q, error %v", name, got.Decision, got.Verdict, got.Covered, got.Err)
		}
	}
}

// coveredFields changes each field that the verifier says is covered.
func (v verifierCheck) coveredFields() {
	covered := v.verifier.Verify(v.Context(), v.signed()).Covered
	if !covered.Has(monitor.FieldAction | monitor.FieldTimestamp) {
		v.Errorf("covers %q: neither what was done nor when", covered)
	}
	for field, change := range fieldChanges {
		if covered.Has(field) {
			v.rejects(field.String()+" changed", change)
		}
	}
}

// fieldChanges change one bit of a field, or the least that it can.
var fieldChanges = map[monitor.Fields]func(e *monitor.Event){
	monitor.FieldTimestamp:          func(e *monitor.Event) { e.Timestamp = e.Timestamp.Add(time.Millisecond) },
	monitor.FieldAction:             func(e *monitor.Event) { flip(&e.Action) },
	monitor.FieldStatus:             func(e *monitor.Event) { e.Status = monitor.StatusFailure },
	monitor.FieldPrincipalID:        func(e *monitor.Event) { flip(&e.PrincipalID) },
	monitor.FieldOrganizationID:     func(e *monitor.Event) { flip(&e.OrganizationID) },
	monitor.FieldTargetResourceType: func(e *monitor.Event) { flip(&e.TargetResourceType) },
	monitor.FieldTargetResourceID:   func(e *monitor.Event) { flip(&e.TargetResourceID) },
	monitor.FieldOutcomeDescription: func(e *monitor.Event) { flip(&e.OutcomeDescription) },
	monitor.FieldID:                 func(e *monitor.Event) { e.ID += "x" },
	monitor.FieldSession:            func(e *monitor.Event) { flip(&e.Session.IPAddress) },
	monitor.FieldCorrelationID:      func(e *monitor.Event) { e.CorrelationID += "x" },
	monitor.FieldEventVersion:       func(e *monitor.Event) { e.EventVersion += "x" },
	monitor.FieldRetentionPolicy:    func(e *monitor.Event) { e.RetentionPolicy += "x" },
	monitor.FieldDataClassification: func(e *monitor.Event) { e.DataClassification = monitor.ClassificationPublic },
	monitor.FieldRecordCount:        func(e *monitor.Event) { e.RecordCount ^= 1 },
	monitor.FieldDetails:            func(e *monitor.Event) { e.Details = map[string]any{"added": true} },
}

func (v verifierCheck) eventUnchanged() {
	for name, edit := range map[string]func(e *monitor.Event){
		"signed":   func(*monitor.Event) {},
		"tampered": func(e *monitor.Event) { e.Action = "data.export" },
		"unsigned": func(e *monitor.Event) { e.Hash, e.Signature = "", "" },
	} {
		e := v.signed(func(e *monitor.Event) { e.Details = map[string]any{"a": "b"} })
		edit(e)
		before := *e
		before.Details = maps.Clone(e.Details)
		v.verifier.Verify(v.Context(), e)
		check.Equal(v, name+" event", *e, before)
	}
}

// concurrent verifies good and bad events at the same time.
func (v verifierCheck) concurrent() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range 8 {
		good := v.signed(func(e *monitor.Event) { e.PrincipalID = fmt.Sprint("user-", i) })
		bad := *good
		bad.PrincipalID = "intruder"
		wg.Go(func() {
			for range 50 {
				g := v.verifier.Verify(v.Context(), good)
				b := v.verifier.Verify(v.Context(), &bad)
				if g.Decision != monitor.DecisionAccept || b.Decision != monitor.DecisionFail {
					v.Errorf("concurrent use: good event %v (%v), bad event %v", g.Decision, g.Err, b.Decision)
				}
			}
		})
	}
}

// rejects checks that a signed event fails after the change.
func (v verifierCheck) rejects(what string, change func(e *monitor.Event)) {
	e := v.signed()
	change(e)
	got := v.verifier.Verify(v.Context(), e)
	if got.Decision != monitor.DecisionFail || got.Verdict == monitor.VerdictVerified {
		v.Errorf("%s: %v, %v, want failed", what, got.Decision, got.Verdict)
	}
	if got.Err == nil {
		v.Errorf("%s: no error tells why", what)
	}
}

func (v verifierCheck) signed(edits ...func(e *monitor.Event)) *monitor.Event {
	e := NewEvent(edits...)
	v.harness.Sign(e)
	return e
}

// flip changes the lowest bit of the last byte.
func flip(s *string) {
	b := []byte(*s)
	b[len(b)-1] ^= 1
	*s = string(b)
}

// otherDigit puts another digit, of hex and of base64, in the middle.
func otherDigit(s string) string {
	b := []byte(s)
	if middle := len(b) / 2; b[middle] == '0' {
		b[middle] = '1'
	} else {
		b[middle] = '0'
	}
	return string(b)
}
