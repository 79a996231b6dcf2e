package logging

import "strings"

// String returns the text with its secrets replaced. The time that it takes is
// proportional to the length of the text.
func (r *Redactor) String(s string) string {
	// What is left when a secret is gone may be a secret, too. Once more is nearly
	// always enough.
	const passes = 4
	for range passes {
		t := text{s: s, names: r.names}
		t.search()
		if len(t.spans) == 0 {
			break
		}
		s = t.redact()
	}
	for _, p := range r.patterns {
		s = p.ReplaceAllLiteralString(s, redacted)
	}
	return s
}

// search finds the secrets of a text.
func (t *text) search() {
	s := t.s
	for i := 0; i < len(s); {
		if i+2 < len(s) && mayBeginShape(s, i) {
			if start, end, ok := shapeAt(s, i); ok {
				t.hide(start, end)
				i = t.skip(max(end, i+1))
				continue
			}
		}
		if special[s[i]] {
			i = t.searchAt(i)
		} else {
			i++
		}
		if len(t.spans) > 0 {
			i = t.skip(i)
		}
	}
}

// special tells the characters at which a grammar may begin.
var special = func() (is [256]bool) {
	for _, c := range "=:,%> \"'`$@-P{}[" {
		is[c] = true
	}
	return is
}()

// searchAt applies the grammar that begins with the character at i, and returns
// where the search goes on.
func (t *text) searchAt(i int) int {
	s := t.s
	var start, end int
	ok := false
	switch s[i] {
	case '=':
		return t.assigned(i, 1)
	case ':':
		switch {
		case strings.HasPrefix(s[i:], "://"):
			start, end, ok = userinfoAt(s, i)
		case strings.HasPrefix(s[i:], "::"): // of Ruby, C++, Rust and SQL
			return i + 2
		default:
			if start, end, ok = passfileAt(s, i); !ok {
				return t.assigned(i, 1)
			}
		}
	case ',':
		if i > 0 && isQuote(s[i-1]) {
			return t.tuple(i)
		}
	case '%':
		return t.encoded(i)
	case '>':
		if i > 0 && s[i-1] != '-' && s[i-1] != '=' {
			return t.element(i)
		}
	case '{':
		t.open()
	case '}':
		t.close()
	case '[':
		if strings.HasPrefix(s[i:], redacted) {
			return i + len(redacted)
		}
	case ' ':
		start, end, ok = phraseAt(s, i)
		if !ok && i+1 < len(s) && s[i+1] == '-' {
			start, end, ok = t.names.optionAt(s, i+1)
		}
	case '"', '\'', '`', '$':
		if i > 0 && (s[i-1] == ' ' || s[i-1] == '(' || i > 1 && s[i-2] == ' ') {
			start, end, ok = quotedPhraseAt(s, i)
		}
		if !ok && i > 1 && s[i-1] == '(' && s[i] != '$' {
			start, end, ok = t.names.argumentAt(s, i)
		}
		if !ok && i+1 < len(s) && s[i+1] == '-' {
			start, end, ok = t.names.optionAt(s, i+1)
		}
	case '@':
		start, end, ok = dsnPasswordAt(s, i, t.done(i))
	case '-':
		if i == 0 || s[i-1] == '[' {
			start, end, ok = t.names.optionAt(s, i)
		}
		if !ok && (i == 0 || s[i-1] != '-') {
			start = i
			end, ok = blockAt(s, i)
		}
	case 'P':
		end, ok = puttyBlockAt(s, i)
		start = i
	}
	if !ok {
		return i + 1
	}
	t.hide(start, end)
	return i + 1
}
