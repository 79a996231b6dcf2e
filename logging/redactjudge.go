package logging

import "strings"

// assigned judges the assignment whose operator is at i and returns where the
// search goes on.
func (t *text) assigned(i, operator int) int {
	a, ok := t.assignmentAt(i, operator)
	if !ok {
		return i + operator
	}
	s := t.s
	if strings.HasPrefix(s[a.start:], redacted) {
		return a.start + len(redacted)
	}
	if t.skip(a.start) > a.start {
		return a.start // hidden already
	}
	if a.class&structural != 0 {
		if end, ok := t.paired(a); ok {
			return end
		}
	}
	if a.class&anySecret == 0 || a.class&(secretName|ownName) == 0 && looksInside(s[a.start:]) {
		return a.start
	}
	v := t.valueAt(a.start)
	if !t.isSecret(a, v) {
		return v.start
	}
	if v.form == bare {
		v.end = a.bareEnd(s, v.end)
	}
	t.hide(v.start, v.end)
	return t.changed(v)
}

// changed hides the other value in "old" -> "new", as in a plan of Terraform, and
// returns where the search goes on.
func (t *text) changed(v extent) int {
	rest := strings.TrimLeft(t.s[v.end:], "\"'`")
	next, ok := strings.CutPrefix(rest, " -> ")
	if !ok || v.form != quoted || next == "" {
		return v.end
	}
	changed := valueAt(t.s, len(t.s)-len(next))
	if changed.form == quoted {
		t.hide(changed.start, changed.end)
	}
	return v.end
}

// looksInside reports whether a value is an object, whose members are judged by
// their own names.
func looksInside(s string) bool {
	return s[0] == '{' || strings.HasPrefix(s, "map[") || strings.HasPrefix(s, "&{")
}

// isSecret reports whether the value of an assignment is a secret.
func (t *text) isSecret(a assignment, v extent) bool {
	s, value := t.s, t.s[v.start:v.end]
	switch {
	case isInert(value):
		return false
	case a.class&ownName != 0:
		return true
	case a.class&plural != 0 && isNumber(value):
		return false
	case a.class&(secretName|shortName) == 0:
		return v.form == bare && a.inQuery(s, v) && (a.class&queryName != 0 || len(value) >= 10 && isRandom(value))
	case a.class&shortName != 0 && (isNumber(value) || isScheme(value) || classifyReason(value) != 0):
		return false
	case v.form != bare:
		return true
	case value[0] == '/' && (a.name == "PWD" || a.name == "OLDPWD"), a.name == "PASS" && a.reason:
		return false
	case a.class&credentials != 0 && isScheme(value):
		return !a.reason || !isReason(s[skipBlanks(s, v.end):])
	case a.reason && isReason(s[v.start:]), a.header && !a.reason && isTag(value):
		return false
	case a.reason && a.class&shortName != 0 && (strings.HasPrefix(s[v.end:], ": ") || onlyLower(value) && beginsSentence(s[v.end:])):
		return false
	default:
		return !t.isReference(value)
	}
}

// isTag reports whether a value is the tag of an image or of a package that goes by
// the name of a secret, as in token:1.2.3.
func isTag(value string) bool {
	switch value {
	case "latest", "stable", "main", "all", "any", "amd64", "arm64":
		return true
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(value, "v"), "-")
	return strings.Count(version, ".") >= 1 && isNumber(version) && isDigit(version[0])
}

// beginsSentence reports whether s goes on with another word in lower case.
func beginsSentence(s string) bool {
	return len(s) > 1 && s[0] == ' ' && onlyLower(s[1:2]) && !beginsMember(s[1:], "=:")
}

// isReference reports whether a value is only the name of a secret elsewhere, as in
// token = config.token.
func (t *text) isReference(value string) bool {
	value = strings.ReplaceAll(value, redacted, "")
	n := strings.LastIndexByte(value, '.')
	if n <= 0 || strings.ContainsFunc(value, func(c rune) bool { return !isLetter(c) && c != '.' && c != '_' }) {
		return false
	}
	return t.names.classify(value[n+1:])&secretName != 0
}

// encoded judges an assignment in a part of a query that is a query itself, with
// %3D or %3A at i, and returns where the search goes on.
func (t *text) encoded(i int) int {
	s := t.s
	operator := i + len("%3D")
	if operator >= len(s) || s[i+1] != '3' || strings.IndexByte("DdAa", s[i+2]) < 0 {
		return i + 1
	}
	name, _ := nameBefore(s[:len(strings.TrimSuffix(s[:i], "%22"))], len(strings.TrimSuffix(s[:i], "%22")))
	if t.names.classify(name)&(secretName|ownName) == 0 {
		return operator
	}
	start := operator + len(s[operator:]) - len(strings.TrimPrefix(s[operator:], "%22"))
	end := start
	for end < len(s) && (isAlnum(s[end]) || strings.IndexByte("-._~+/!*(),", s[end]) >= 0 || s[end] == '%' && !endsEncoded(s[end:])) {
		end++
	}
	t.hide(start, end)
	return max(end, operator)
}

// endsEncoded reports whether an escape stands for what separates values.
func endsEncoded(s string) bool {
	for _, escape := range [...]string{"%26", "%22", "%2C", "%3B", "%7D", "%20", "%0"} {
		if strings.HasPrefix(s, escape) {
			return true
		}
	}
	return false
}
