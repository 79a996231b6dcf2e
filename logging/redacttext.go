package logging

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secretForms are the forms by which a secret is recognized without its name. A
// text without the hint does not match the pattern.
var secretForms = []struct {
	hint    string
	pattern *regexp.Regexp
	result  string
}{
	{"PRIVATE KEY-----", regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), redacted},
	{"://", regexp.MustCompile(`(://[^\s/?#:@"']*:)[^\s"']*@`), "${1}" + redacted + "@"},
	{"eyJ", regexp.MustCompile(`eyJ[\w-]{6,}\.[\w-]{4,}(\.[\w-]*)?`), redacted},
	{"AKIA", regexp.MustCompile(`AKIA[0-9A-Z]{16}`), redacted},
	{"gh", regexp.MustCompile(`gh[opsur]_\w{16,}`), redacted},
	{"github_pat_", regexp.MustCompile(`github_pat_\w{16,}`), redacted},
	{"glpat-", regexp.MustCompile(`glpat-[\w-]{16,}`), redacted},
	{"xox", regexp.MustCompile(`xox[abeoprs]-[\w-]{8,}`), redacted},
	{"k_live_", regexp.MustCompile(`[rs]k_live_\w{8,}`), redacted},
}

// String returns the text with its secrets replaced.
func (r *Redactor) String(s string) string {
	for _, f := range secretForms {
		if strings.Contains(s, f.hint) {
			s = f.pattern.ReplaceAllString(s, f.result)
		}
	}
	s = replaceSpans(s, r.assigned)
	s = replaceSpans(s, schemeToken)
	for _, p := range r.patterns {
		s = p.ReplaceAllLiteralString(s, redacted)
	}
	return s
}

// replaceSpans replaces all that find finds in s. Find searches from an offset on
// and returns a negative start if there is nothing.
func replaceSpans(s string, find func(s string, from int) (start, end int)) string {
	start, end := find(s, 0)
	if start < 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for start >= 0 {
		b.WriteString(s[done:start])
		b.WriteString(redacted)
		done = end
		start, end = find(s, done)
	}
	b.WriteString(s[done:])
	return b.String()
}

// assigned finds the value in name=value, name: value and the like, if the name
// is that of a secret.
func (r *Redactor) assigned(s string, from int) (start, end int) {
	for i := from; ; i++ {
		n := strings.IndexAny(s[i:], "=:")
		if n < 0 {
			return -1, -1
		}
		i += n
		if r.secretBefore(s[:i]) {
			if start, end = valueAfter(s, i); start < end && s[start:end] != redacted {
				return start, end
			}
		}
	}
}

// secretBefore reports whether text ends in the name of a secret, which may be
// quoted and be two words.
func (r *Redactor) secretBefore(text string) bool {
	const longest = 128
	if len(text) > longest {
		text = text[len(text)-longest:]
	}
	text = strings.TrimRight(text, " \t\"'`\\")
	rest := strings.TrimRightFunc(text, partOfName)
	last := text[len(rest):]
	if last == "" {
		return false
	}
	if r.secret(last) {
		return true
	}
	rest = strings.TrimRight(rest, " ")
	previous := rest[len(strings.TrimRightFunc(rest, partOfName)):]
	return r.names[strings.ToLower(previous+last)]
}

func partOfName(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '-' || c == '.'
}

// valueAfter returns where the value after the = or : at i starts and ends. In
// doubt it takes too much rather than too little.
func valueAfter(s string, i int) (start, end int) {
	start = i + len(s[i:]) - len(strings.TrimLeft(s[i:], "=:> \t"))
	opening := strings.TrimLeft(s[start:], `\`)
	escape := s[start : len(s)-len(opening)]
	switch {
	case opening == "":
		return start, len(s)
	case opening[0] == '"' || opening[0] == '\'' || opening[0] == '`':
		start += len(escape) + 1
		return start, start + quotedLength(s[start:], escape+opening[:1])
	case escape == "" && strings.IndexByte("[{(", opening[0]) >= 0 && !strings.HasPrefix(opening, redacted):
		return start, start + bracketLength(opening)
	default:
		return start, start + bareLength(s[start:])
	}
}

// quotedLength returns how far it is to the closing quote, which has the same
// number of backslashes before it as the opening one.
func quotedLength(s, quote string) int {
	for i := 0; ; {
		n := strings.Index(s[i:], quote)
		if n < 0 {
			return len(s)
		}
		i += n
		if i == 0 || s[i-1] != '\\' {
			return i
		}
		i += len(quote)
	}
}

// bracketLength returns the length of the text in brackets at the start of s.
func bracketLength(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[', '{', '(':
			depth++
		case ']', '}', ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// bareLength returns the length of a value without quotes. It ends at white
// space, a quote, & or ;, and before closing punctuation. After the name of an
// authentication scheme, the token that follows belongs to the value.
func bareLength(s string) int {
	if strings.HasPrefix(s, redacted) {
		return len(redacted)
	}
	word := wordLength(s)
	switch strings.ToLower(s[:word]) {
	case "basic", "bearer", "digest", "negotiate", "apikey":
		if rest := strings.TrimLeft(s[word:], " \t"); rest != "" {
			word = len(s) - len(rest) + wordLength(rest)
		}
	}
	return len(strings.TrimRight(s[:word], ",)]}"))
}

func wordLength(s string) int {
	if n := strings.IndexAny(s, " \t\r\n\"'`&;"); n >= 0 {
		return n
	}
	return len(s)
}

// schemeToken finds the token after the word Bearer or Basic. A token has at
// least six characters. Since "basic" is a common word, the token after it must
// not look like a word.
func schemeToken(s string, from int) (start, end int) {
	for i := from; ; i++ {
		n := strings.IndexByte(s[i:], ' ')
		if n < 0 {
			return -1, -1
		}
		i += n
		bearer := endsInWord(s[:i], "bearer")
		if !bearer && !endsInWord(s[:i], "basic") {
			continue
		}
		start = len(s) - len(strings.TrimLeft(s[i:], " "))
		token := s[start:]
		if n := strings.IndexFunc(token, notInToken); n >= 0 {
			token = token[:n]
		}
		if len(token) >= 6 && (bearer || strings.ContainsFunc(token[1:], notInWord)) {
			return start, start + len(token)
		}
	}
}

func notInToken(c rune) bool {
	return c >= utf8.RuneSelf || !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-._~+/=", c)
}

func notInWord(c rune) bool { return !unicode.IsLower(c) }

// endsInWord reports whether s ends in the word, in any case.
func endsInWord(s, word string) bool {
	head := len(s) - len(word)
	if head < 0 || !strings.EqualFold(s[head:], word) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:head])
	return head == 0 || !unicode.IsLetter(before)
}
