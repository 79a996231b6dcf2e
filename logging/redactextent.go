package logging

import "strings"

// redacted replaces a secret.
const redacted = "[REDACTED]"

// A form is how a value is written.
type form uint8

const (
	bare form = iota
	quoted
	bracketed
)

// lookAhead is how far it is looked for the end of something that may have none.
// It bounds the work for a text that has many beginnings.
const lookAhead = 512

// An extent is where a value starts and ends in a text.
type extent struct {
	start, end int
	form       form
}

// valueAt returns the value that starts at i, without its quotes. In doubt it takes
// too much rather than too little.
func valueAt(s string, i int) extent {
	opening := i + leading(s[i:], '\\')
	quote := opening
	for quote < len(s) && quote < opening+2 && isLetter(rune(s[quote])) {
		quote++ // as in b'x' of Python and N'x' of SQL
	}
	switch {
	case opening == len(s):
		return extent{i, opening, bare}
	case quote < len(s) && isQuote(s[quote]):
		start := quote + 1
		return extent{start, quotedEnd(s, start, s[i:opening]+s[quote:start]), quoted}
	case opening == i && isOpening(s[i]) && !strings.HasPrefix(s[i:], redacted):
		end, _ := compositeEnd(s, i, len(s))
		return extent{i, end, bracketed}
	default:
		return extent{i, bareEnd(s, i), bare}
	}
}

func leading(s string, c byte) int {
	n := 0
	for n < len(s) && s[n] == c {
		n++
	}
	return n
}

func isQuote(c byte) bool   { return c == '"' || c == '\'' || c == '`' }
func isOpening(c byte) bool { return c == '[' || c == '{' || c == '(' }
func isClosing(c byte) bool { return c == ']' || c == '}' || c == ')' }
func isBlank(c byte) bool   { return c == ' ' || c == '\t' }
func isSpace(c byte) bool   { return isBlank(c) || c == '\n' || c == '\r' }
func isDigit(c byte) bool   { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }

// partOfName reports whether a byte may be part of a name. All that is not ASCII
// may.
func partOfName(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c >= 0x80 }

// skipBlanks returns the offset of the first byte from i on that is no blank.
func skipBlanks(s string, i int) int {
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	return i
}

// quotedEnd returns where the closing quote is, which has the same number of
// backslashes before it as the opening one. A doubled quote is part of the value.
func quotedEnd(s string, start int, quote string) int {
	for i := start; ; {
		n := strings.Index(s[i:], quote)
		if n < 0 {
			return len(s)
		}
		i += n
		after := i + len(quote)
		switch {
		case i > start && s[i-1] == '\\':
		case i > start && len(quote) == 1 && strings.HasPrefix(s[after:], quote):
			after++
		default:
			return i
		}
		i = after
	}
}

// compositeEnd returns the end of brackets, and of all that adjoins them, as in
// []byte{1, 2}. It reports false if a bracket is not closed before the limit.
func compositeEnd(s string, i, limit int) (end int, closed bool) {
	depth := 0
	for ; i < limit; i++ {
		switch c := s[i]; {
		case isOpening(c):
			depth++
		case isClosing(c) && depth > 0:
			depth--
		case depth == 0 && !partOfName(c):
			return i, true
		}
	}
	return limit, depth == 0
}

// bareEnd returns the end of a value without quotes. It ends at white space, at ;
// and at what separates it from another value: a closing quote or bracket, an &
// or a comma before another name.
func bareEnd(s string, start int) int {
	if strings.HasPrefix(s[start:], redacted) {
		return start + len(redacted)
	}
	typed := true // all so far may be the name of a type or a function
	for i := start; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n', ';':
			return i
		case '<':
			if i == start && inTag(s, i+1) || strings.HasPrefix(s[i:], "</") || strings.HasPrefix(s[i:], "<br") {
				return i
			}
		case '&':
			if endsValue(s, i+1) || beginsMember(s[i+1:], "=;") {
				return i
			}
		case ',':
			if next := skipBlanks(s, i+1); next > i+1 || endsValue(s, next) || beginsMember(s[next:], "=:") {
				return i
			}
		case '"', '\'', '`', '>', ')', ']', '}':
			if endsValue(s, i+1) {
				return i
			}
		case ':', '|':
			if i+1 == len(s) || isSpace(s[i+1]) {
				return i
			}
		case '\\':
			if escapeEnds(s, i) {
				return i
			}
		case '(', '[', '{':
			if strings.HasPrefix(s[i:], redacted) {
				i += len(redacted) - 1
			} else if end, closed := compositeEnd(s, i, min(len(s), i+lookAhead)); i > start && closed && (typed || strings.IndexByte("$#%", s[i-1]) >= 0) {
				i = end - 1
			}
		default:
			typed = typed && (partOfName(c) || c == '*')
		}
	}
	return len(s)
}

// endsValue reports whether what is at i cannot be part of a value, after a
// character that may be its end.
func endsValue(s string, i int) bool {
	return i >= len(s) || strings.IndexByte(" \t\r\n,;:.\"'`)]}>({[<\\&|/", s[i]) >= 0
}

// inTag reports whether what is at i may follow the < of a tag or of a note such as <nil>.
func inTag(s string, i int) bool {
	return i < len(s) && (isLetter(rune(s[i])) || s[i] == '/' || s[i] == '!')
}

// escapeEnds reports whether a value ends at the backslash at i: before a quote in
// a text in quotes, and at the end of a line in it.
func escapeEnds(s string, i int) bool {
	next := i + leading(s[i:min(len(s), i+lookAhead)], '\\')
	if next == len(s) {
		return false
	}
	rest := s[next+1:]
	switch s[next] {
	case '"', '\'', '`':
		return endsValue(s, next+1)
	case 'r', 'n', 't':
		return rest == "" || strings.IndexByte("\\\"'`-[", rest[0]) >= 0 || beginsMember(rest, "=:")
	case 'u':
		return strings.HasPrefix(rest, "00")
	default:
		return false
	}
}

// beginsMember reports whether s begins with a name and one of the operators.
func beginsMember(s, operators string) bool {
	const longest = 64
	for i := 0; i < len(s) && i < longest; i++ {
		if strings.IndexByte(operators, s[i]) >= 0 {
			return i > 0
		}
		if !partOfName(s[i]) && s[i] != '[' && s[i] != ']' && s[i] != '%' {
			return false
		}
	}
	return false
}
