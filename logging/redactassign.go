package logging

import "strings"

// An assignment is a name, an operator and a value: name=value, "name": "value",
// Name: value, name => value.
type assignment struct {
	class     nameClass
	name      string
	nameStart int
	start     int  // of the value, or of its quotes
	header    bool // the operator is a colon
	reason    bool // the value may also be the reason of an error
}

// assignmentAt returns the assignment whose operator is at i. It reports false if
// its name means nothing, or if it has no value.
func (t *text) assignmentAt(i, operator int) (a assignment, ok bool) {
	s := t.s
	a.name, a.nameStart = nameBefore(s, i)
	if a.name == "" {
		return a, false
	}
	if a.name == "is" || a.name == "was" { // the token is: x
		a.nameStart = wordBefore(s, a.nameStart)
		a.name, _, _ = strings.Cut(s[a.nameStart:i], " ")
	}
	a.class = t.names.classify(a.name)
	if a.class&(lastOfSeveral|secretName|ownName) == lastOfSeveral {
		a.class |= t.names.classify(s[wordBefore(s, a.nameStart):a.nameStart+len(a.name)]) &^ structural
	}
	if a.class&(anySecret|structural) == 0 {
		return a, false
	}
	a.header = s[i] == ':'
	if strings.EqualFold(a.name, "token") && isOfParser(s[wordBefore(s, a.nameStart):a.nameStart]) {
		return a, false
	}
	end := i + operator
	for end < len(s) && strings.IndexByte("=:>", s[end]) >= 0 && !strings.HasPrefix(s[end:], "://") {
		end++
	}
	a.start = skipTypes(s, skipBlanks(s, end))
	switch spaced := a.start > end; {
	case a.start == len(s) || s[a.start] == '\n' || s[a.start] == '\r':
		return a, false
	case a.header:
		a.reason = spaced
		return a, !isURN(s, a.nameStart)
	default: // name= other=value has no value
		return a, !spaced || i > 0 && isBlank(s[i-1]) || !isParameter(s[a.start:])
	}
}

// isOfParser reports whether the word before "token" says that it is a parser's.
func isOfParser(word string) bool {
	switch strings.ToLower(strings.TrimRight(word, " \t")) {
	case "unexpected", "expected", "expecting", "next", "illegal":
		return true
	default:
		return false
	}
}

// skipTypes returns the offset after the notes in "(string) (len=5) x", as some
// dumps of values have them.
func skipTypes(s string, i int) int {
	if strings.HasPrefix(s[i:], "string(") { // PHP
		i += len("string")
	}
	for i < len(s) && s[i] == '(' {
		n := strings.Index(s[i:min(len(s), i+longestName)], ") ")
		if n < 0 || i+n+2 >= len(s) || s[i+n+2] != '(' && s[i+n+2] != '"' {
			break
		}
		i += n + 2
	}
	return i
}

// nameBefore returns the name before the operator at i, which may be in quotes or
// brackets, and where it begins.
func nameBefore(s string, i int) (name string, start int) {
	from := max(0, i-longestName)
	end := i
	for end > from && strings.IndexByte(" \t\"'`\\]!?+", s[end-1]) >= 0 {
		end--
	}
	if before, ok := strings.CutSuffix(s[from:end], "%5D"); ok {
		end = from + len(before)
	}
	start = end
	for start > from && partOfName(s[start-1]) {
		start--
	}
	return s[start:end], start
}

const longestName = 128

// wordBefore returns where the word before a name begins.
func wordBefore(s string, i int) int {
	from := max(0, i-longestName)
	for i > from && isBlank(s[i-1]) {
		i--
	}
	for i > from && partOfName(s[i-1]) {
		i--
	}
	return i
}

// isURN reports whether a name is part of urn:x:name or arn:x:name.
func isURN(s string, name int) bool {
	if name == 0 || s[name-1] != ':' {
		return false
	}
	from := max(0, name-longestName)
	for i := name; i > from && !isSpace(s[i-1]) && !isQuote(s[i-1]); i-- {
		if rest := s[i-1:]; strings.HasPrefix(rest, "arn:") || strings.HasPrefix(rest, "urn:") {
			return true
		}
	}
	return false
}

// bareEnd returns the end of a secret without quotes, whose first word ends at end.
func (a *assignment) bareEnd(s string, end int) int {
	switch {
	case a.class&credentials != 0:
		return credentialsEnd(s, a.start, a.header)
	case a.class&cookies != 0:
		return listEnd(s, a.start)
	case a.reason && end+1 < len(s) && s[end] == ':' && isBlank(s[end+1]):
		return max(end, bareEnd(s, skipBlanks(s, end)+2))
	default:
		return end
	}
}

// inQuery reports whether the assignment is a parameter of a query or a form.
func (a *assignment) inQuery(s string, v extent) bool {
	if a.nameStart > 0 && (s[a.nameStart-1] == '?' || s[a.nameStart-1] == '&') {
		return true
	}
	return v.end < len(s) && s[v.end] == '&' && beginsMember(s[v.end+1:], "=")
}
