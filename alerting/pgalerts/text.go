package pgalerts

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/auditwarden/auditwarden/alerting"
)

// clean replaces NUL and invalid UTF-8, which PostgreSQL cannot store. An attacker
// could otherwise prevent an alert by sending some.
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

// document returns the JSON form of a finding or of a part of an alert for a column
// of type jsonb, which cannot store NUL either.
func document(v any) (string, error) {
	text, err := json.Marshal(v) // replaces what is not UTF-8
	if err != nil {
		return "", &alerting.InvalidError{Field: "Occurrence.Finding", Err: err}
	}
	return withoutNUL.Replace(string(text)), nil
}

// withoutNUL replaces escaped NULs in JSON text. It matches escaped backslashes
// first, so that the text after one is not taken for an escape.
var withoutNUL = strings.NewReplacer(`\\`, `\\`, `\u0000`, `\ufffd`)

// orNull returns an ID, or nil if all of its bytes are zero.
func orNull(id []byte) []byte {
	if bytes.Count(id, []byte{0}) == len(id) {
		return nil
	}
	return id
}
