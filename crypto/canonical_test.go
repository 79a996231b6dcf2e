package crypto_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	auditcrypto "github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/monitortest"
)

// The files in testdata were computed by running the reference.
func TestVectors(t *testing.T) {
	t.Parallel()
	type vector struct {
		ID                                 int
		Secret, Canonical, Hash, Signature string
		Event                              json.RawMessage
	}
	vectors := readLines[vector](t, "testdata/hash.jsonl")
	if len(vectors) != 200 {
		t.Fatalf("%d vectors, want 200", len(vectors))
	}
	for _, v := range vectors {
		var e monitor.Event
		if err := json.Unmarshal(v.Event, &e); err != nil {
			t.Errorf("vector %d: %v", v.ID, err)
			continue
		}
		canonical, err := auditcrypto.AppendCanonical(nil, &e)
		if err != nil || string(canonical) != v.Canonical {
			t.Errorf("vector %d: canonical form\n%s\nwant\n%s\nerror %v", v.ID, canonical, v.Canonical, err)
		}
		wantVector(t, fmt.Sprint(v.ID), &e, v.Secret, v.Hash, v.Signature)
	}
}

func TestEdgeVectors(t *testing.T) {
	t.Parallel()
	type vector struct {
		Name, Secret, Hash, Signature string
		Event                         string `json:"event_json"`
	}
	vectors := readLines[vector](t, "testdata/hash-edge.jsonl")
	if len(vectors) != 21 {
		t.Fatalf("%d vectors, want 21", len(vectors))
	}
	refused := []string{"loneHigh", "loneLow", "swapped"}
	for _, v := range vectors {
		var e monitor.Event
		err := json.Unmarshal([]byte(v.Event), &e)
		if slices.Contains(refused, v.Name) {
			// No Go string holds a lone surrogate: such an event is refused
			// before anybody could call it tampered with.
			invalid, ok := errors.AsType[*monitor.InvalidEventError](err)
			if !ok || invalid.Field != "outcomeDescription" {
				t.Errorf("%s: error %v, want an InvalidEventError on outcomeDescription", v.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		wantVector(t, v.Name, &e, v.Secret, v.Hash, v.Signature)
	}
}

// wantVector hashes, signs and checks the event of a vector.
func wantVector(t *testing.T, name string, e *monitor.Event, secret, hash, signature string) {
	t.Helper()
	got, err := auditcrypto.Hash(e)
	if err != nil || got != hash {
		t.Errorf("vector %s: hash %s, %v, want %s", name, got, err, hash)
	}
	key := hmacKey(t, "k", secret, &auditcrypto.KeyOptions{AllowShort: true})
	sign(t, key, e)
	if e.Signature != signature || e.Hash != hash {
		t.Errorf("vector %s: signature %s over %s, want %s over %s", name, e.Signature, e.Hash, signature, hash)
	}
	e.Hash, e.Signature, e.SignatureAlgorithm, e.KeyID = hash, signature, "HMAC-SHA256", ""
	monitortest.WantVerdict(t, checker(t, key).Verify(t.Context(), e), monitor.DecisionAccept, monitor.VerdictVerified)
}

func TestAppendCanonical(t *testing.T) {
	t.Parallel()
	e := monitortest.NewEvent(func(e *monitor.Event) {
		e.PrincipalID = ""
		e.OutcomeDescription = "\"\\/<>&'\b\t\n\v\f\r\x00\x1f\x7f\u0080\u2028\u2029\ufeff\ufffd😀"
	})
	const want = `prefix action:"data.read"|organizationId:"org-1"|` +
		`outcomeDescription:"\"\\/<>&'\b\t\n\u000b\f\r\u0000\u001f` + "\x7f\u0080\u2028\u2029\ufeff\ufffd😀" + `"|` +
		`principalId:null|status:"success"|targetResourceId:"patient-1"|targetResourceType:"Patient"|` +
		`timestamp:"2026-03-02T10:00:00.000Z"`
	got, err := auditcrypto.AppendCanonical([]byte("prefix "), e)
	if err != nil || string(got) != want {
		t.Errorf("got\n%q, %v\nwant\n%q", got, err, want)
	}
}

// Every character of one byte and some of two, at every place of a short text.
func TestEveryCharacter(t *testing.T) {
	t.Parallel()
	const filling = "abcdefghijklmnopqrstuvwxyz"
	var buf []byte
	for r := range rune(0x100) {
		for before := range 9 {
			for _, after := range []int{0, 1, 8, 9} {
				e := monitortest.NewEvent(func(e *monitor.Event) {
					e.PrincipalID = filling[:before] + string(r) + filling[:after]
				})
				want, _ := plainCanonical(e)
				var err error
				if buf, err = auditcrypto.AppendCanonical(buf[:0], e); err != nil || string(buf) != want {
					t.Fatalf("%q: got %q, %v, want %q", e.PrincipalID, buf, err, want)
				}
			}
		}
	}
}

func TestCoveredV1(t *testing.T) {
	t.Parallel()
	const want = "timestamp,action,status,principalId,organizationId,targetResourceType,targetResourceId,outcomeDescription"
	if got := auditcrypto.CoveredV1.String(); got != want {
		t.Errorf("covered fields %s, want %s", got, want)
	}
}

func TestNotCanonical(t *testing.T) {
	t.Parallel()
	const bad = "a\xffb"
	tests := map[string]struct {
		field string
		edit  func(e *monitor.Event)
	}{
		"no status":        {"status", func(e *monitor.Event) { e.Status = "" }},
		"no timestamp":     {"timestamp", func(e *monitor.Event) { e.Timestamp = time.Time{} }},
		"bad action":       {"action", func(e *monitor.Event) { e.Action = bad }},
		"bad status":       {"status", func(e *monitor.Event) { e.Status = bad }},
		"bad organization": {"organizationId", func(e *monitor.Event) { e.OrganizationID = bad }},
		"bad outcome":      {"outcomeDescription", func(e *monitor.Event) { e.OutcomeDescription = bad }},
		"bad principal":    {"principalId", func(e *monitor.Event) { e.PrincipalID = bad }},
		"bad target":       {"targetResourceId", func(e *monitor.Event) { e.TargetResourceID = bad }},
		"bad type":         {"targetResourceType", func(e *monitor.Event) { e.TargetResourceType = bad }},
		"surrogate":        {"principalId", func(e *monitor.Event) { e.PrincipalID = "\xed\xa0\x80" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := monitortest.NewEvent(tt.edit)
			got, err := auditcrypto.AppendCanonical([]byte("kept"), e)
			invalid, ok := errors.AsType[*monitor.InvalidEventError](err)
			if !errors.Is(err, auditcrypto.ErrNotCanonical) || !ok || invalid.Field != tt.field {
				t.Errorf("error %v, want ErrNotCanonical on %s", err, tt.field)
			}
			want := "not UTF-8"
			if strings.HasPrefix(name, "no ") {
				want = "missing"
			}
			check.ErrorText(t, name, err, "no canonical form: "+want)
			if string(got) != "kept" {
				t.Errorf("returned %q with the error", got)
			}
			if _, err := auditcrypto.Hash(e); !errors.Is(err, auditcrypto.ErrNotCanonical) {
				t.Errorf("Hash: error %v", err)
			}
		})
	}
}

// plainCanonical is canonical form v1 written down without regard to speed.
func plainCanonical(e *monitor.Event) (string, bool) {
	fields := map[string]string{
		"action":             e.Action,
		"status":             string(e.Status),
		"principalId":        e.PrincipalID,
		"organizationId":     e.OrganizationID,
		"targetResourceType": e.TargetResourceType,
		"targetResourceId":   e.TargetResourceID,
		"outcomeDescription": e.OutcomeDescription,
		"timestamp":          e.TimestampText(),
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		if value == "" && name == "status" || !utf8.ValidString(value) {
			return "", false
		}
		text := "null"
		if value != "" || name == "action" {
			text = plainQuote(value)
		}
		parts = append(parts, name+":"+text)
	}
	return strings.Join(parts, "|"), true
}

func plainQuote(s string) string {
	short := map[rune]string{'"': `\"`, '\\': `\\`, 8: `\b`, 9: `\t`, 10: `\n`, 12: `\f`, 13: `\r`}
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range s {
		switch escape, ok := short[r]; {
		case ok:
			out.WriteString(escape)
		case r < 32:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

func FuzzAppendCanonical(f *testing.F) {
	f.Add("data.read", "success", "user-1", "org-1", "Patient", "p-1", "done", int64(1772445600000))
	f.Add("a\"\\", "\x00\x1f\n", "", "\u2028", "\xff", "\xed\xa0\x80", "😀|principalId:\"x\"", int64(0))
	f.Fuzz(func(t *testing.T, action, status, principal, organization, kind, target, decision string, ms int64) {
		e := &monitor.Event{
			Action: action, Status: monitor.EventStatus(status), PrincipalID: principal, OrganizationID: organization,
			TargetResourceType: kind, TargetResourceID: target, OutcomeDescription: decision,
			Timestamp: time.UnixMilli(ms % (1 << 42)),
		}
		want, ok := plainCanonical(e)
		got, err := auditcrypto.AppendCanonical(nil, e)
		if ok != (err == nil) || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
}
