package notify

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The longest reasons, in bytes.
const (
	maxPublicReason = 200
	maxDetailReason = 400
)

// withheld stands for a word of a reason that not everybody may read.
const withheld = "…"

// Reason returns why a destination refuses a notification, from the text of its
// response, in two forms of one line: for everybody, who may be a tenant, with at most
// 200 bytes, and for the operator, with at most 400.
//
// Of JSON only the texts are taken that explain an error, and of HTML nothing. Both
// forms have "[REDACTED]" or an ellipsis in place of the secrets, of their parts, and of
// what looks like a key. The form for everybody has only words of letters and short
// numbers, such as channel_is_archived and 5.1.1, and an ellipsis in place of everything
// else, such as an address, a URL or the name of a host. It cannot tell the name of a
// host that consists of letters alone from another word.
func Reason(text string, secrets ...Secret) (public, detail string) {
	line := redact(strings.Join(strings.Fields(Line(explanation(text))), " "), secrets)
	words := strings.Fields(line)
	for i, word := range words {
		if !plainWord.MatchString(word) {
			words[i] = withheld
		}
	}
	words = slices.CompactFunc(words, func(a, b string) bool { return a == withheld && b == withheld })
	return Clip(strings.Join(words, " "), maxPublicReason), Clip(line, maxDetailReason)
}

// plainWord matches what everybody may read: a word of letters, or a number or code of
// SMTP that is no address and no port.
var plainWord = regexp.MustCompile(`^["'(]?(\pL[\pL\pM_'-]{0,63}|\d{1,3}(\.\d{1,3}){0,2})["')]?[.,:;!?]?$`)

// redact replaces secrets, their parts and what looks like a key.
func redact(line string, secrets []Secret) string {
	const shortest = 4 // shorter parts are in every text
	var parts []string
	for _, s := range secrets {
		parts = append(parts, s.Reveal())
		parts = append(parts, strings.FieldsFunc(s.Reveal(), notInToken)...)
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return len(part) < shortest })
	slices.SortStableFunc(parts, func(a, b string) int { return len(b) - len(a) }) // the longest is replaced
	var pairs []string
	for _, part := range parts {
		pairs = append(pairs, part, hidden)
	}
	line = strings.NewReplacer(pairs...).Replace(line)
	return longToken.ReplaceAllStringFunc(line, func(token string) string {
		if strings.ContainsFunc(token, unicode.IsDigit) && strings.ContainsFunc(token, unicode.IsLetter) {
			return hidden
		}
		return token
	})
}

func notInToken(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// longToken matches what is a key if it mixes letters and digits.
var longToken = regexp.MustCompile(`[\pL\d]{16,}`)

// explanation returns the part of a response that explains an error.
func explanation(text string) string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "<") { // a page
		return ""
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return strings.Join(explanations(v, 0), ": ")
}

// explanations returns the texts in a JSON value that explain an error: itself, or those
// with the usual names.
func explanations(v any, depth int) (texts []string) {
	const deepest = 3
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, element := range v {
			texts = append(texts, explanations(element, depth)...)
		}
	case map[string]any:
		if depth == deepest {
			return nil
		}
		for _, name := range []string{"error", "title", "message", "detail", "description", "reason", "errors"} {
			texts = append(texts, explanations(v[name], depth+1)...)
		}
	}
	return texts
}
