package logging_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/logging"
)

// FuzzRedactText checks that redacting a text ends, repeats to the same, and does
// not make the text much longer.
func FuzzRedactText(f *testing.F) {
	for _, name := range []string{"secrets.txt", "harmless.txt"} {
		for _, line := range corpus(f, name) {
			f.Add(strings.NewReplacer("⟦", "", "⟧", "").Replace(line))
		}
	}
	r := logging.NewRedactor(nil)
	f.Fuzz(func(t *testing.T, text string) {
		got := r.String(text)
		if again := r.String(got); again != got {
			t.Fatalf("redacting again gives\n%q\n%q", again, got)
		}
		if len(got) > 3*len(text)+len("[REDACTED]") {
			t.Fatalf("%d bytes of %d: %q", len(got), len(text), got)
		}
	})
}

// FuzzRedactSecret checks that redacting hides an assigned secret whatever is
// around it.
func FuzzRedactSecret(f *testing.F) {
	f.Add("", "")
	f.Add("password=", `\"x\" `)
	f.Add(`{"token":["`, "]} Bearer abcdef1")
	f.Add("a:b=c:'", "://u:p@h")
	r := logging.NewRedactor(nil)
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2-9f3a"
		got := r.String(before + " password=" + secret + " " + after)
		if strings.Contains(got, secret) && !strings.Contains(before+after, secret) {
			t.Fatalf("the secret is in %q", got)
		}
	})
}

// FuzzRedactValue checks that redacting a value of JSON ends, and repeats to the
// same.
func FuzzRedactValue(f *testing.F) {
	for _, line := range corpus(f, "harmless.txt") {
		f.Add(line)
	}
	for _, m := range markings(f) {
		f.Add(m.line)
	}
	r := logging.NewRedactor(nil)
	f.Fuzz(func(t *testing.T, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = []byte(text)
		}
		got := r.Value("k", value)
		if again := r.Value("k", got); !reflect.DeepEqual(again, got) {
			t.Fatalf("redacting again gives\n%v\n%v", again, got)
		}
		r.Value("k", json.RawMessage(text))
	})
}
