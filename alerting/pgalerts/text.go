package pgalerts

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
)

// clean returns text that PostgreSQL can store. It knows no NUL and nothing that
// is not UTF-8, and an alert must not be lost because an attacker sent some.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func cleanAll[T ~string](texts []T) []string {
	cleaned := make([]string, len(texts))
	for i, t := range texts {
		cleaned[i] = clean(string(t))
	}
	return cleaned
}

// document returns the JSON form of a finding, or of what an alert has from it,
// for a column of type jsonb, which knows no NUL either.
func document(v any) (string, error) {
	text, err := json.Marshal(v) // replaces what is not UTF-8
	if err != nil {
		return "", &alerting.InvalidError{Field: "Occurrence.Finding", Err: err}
	}
	return withoutNUL.Replace(string(text)), nil
}

// withoutNUL replaces the escape of NUL in JSON text. An escaped backslash begins
// no other escape.
var withoutNUL = strings.NewReplacer(`\\`, `\\`, `\u0000`, `\ufffd`)

// orNull returns an ID, or nil if it is zero.
func orNull(id []byte) []byte {
	if bytes.Count(id, []byte{0}) == len(id) {
		return nil
	}
	return id
}
