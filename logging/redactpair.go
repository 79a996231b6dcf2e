package logging

import "strings"

// namesSecret is what makes the value that belongs to a name a secret.
const namesSecret = secretName | ownName | shortName

// paired judges a member that has the name of another value, or the value for such
// a name. It reports false if the search goes on inside of the member.
func (t *text) paired(a assignment) (end int, ok bool) {
	s := t.s
	switch inside := isOpening(s[a.start]); {
	case a.class&cookieOnly != 0:
		m := t.object()
		m.cookie = true
		t.hide(m.value.start, m.value.end)
	case a.class&rawCookie != 0:
		if t.object().cookie {
			t.hide(a.start, listEnd(s, a.start))
		}
	case a.class&valueOf != 0 && inside && t.object().name&namesSecret == 0:
		*t.object() = members{}
	case a.class&valueOf != 0:
		v := t.valueAt(a.start)
		if v.form == bare {
			a.class = t.object().name
			v.end = a.bareEnd(s, v.end)
		}
		return v.end, t.valueIs(v.start, v.end)
	case !inside:
		if v := t.valueAt(a.start); v.end-v.start <= longestName {
			t.nameIs(s[v.start:v.end])
			t.formField(a.nameStart, v.end)
		}
	}
	return 0, false
}

// nameIs notes the name in an object. If the object had a value before, that is its
// value.
func (t *text) nameIs(name string) {
	m := t.object()
	class := t.names.classify(name)
	if strings.Contains(name, redacted) {
		class = 0
	}
	if m.loose {
		m.loose = false
		t.hidePaired(class, m.value)
		return
	}
	m.named, m.name = true, class
}

// valueIs notes the value in an object and reports whether its name makes it a
// secret.
func (t *text) valueIs(start, end int) bool {
	m := t.object()
	class := m.name
	m.value, m.loose = span{start, end}, !m.named
	m.named, m.name = false, 0
	return t.hidePaired(class, m.value)
}

func (t *text) hidePaired(class nameClass, value span) bool {
	content := t.s[value.start:value.end]
	if class&namesSecret == 0 || isInert(content) || class&plural != 0 && isNumber(content) {
		return false
	}
	t.hide(value.start, value.end)
	return true
}

// tuple judges ("name", "value") and ["name", "value"], whose comma is at i, and
// returns where the search goes on.
func (t *text) tuple(i int) int {
	s := t.s
	name, start := nameBefore(s, i)
	value := skipBlanks(s, i+1)
	if start < 2 || !isQuote(s[start-1]) || !isOpening(s[start-2]) || value == len(s) || s[value] != s[start-1] {
		return i + 1
	}
	v := valueAt(s, value)
	if v.end+1 < len(s) && isClosing(s[v.end+1]) && t.hidePaired(t.names.classify(name), span{v.start, v.end}) {
		return v.end
	}
	return value
}

// formField hides the field of a multipart form after its name, whose value begins
// after an empty line.
func (t *text) formField(name, end int) {
	s := t.s
	if !strings.HasSuffix(strings.TrimRight(s[max(0, name-longestName):name], " "), "form-data;") || t.object().name&namesSecret == 0 {
		return
	}
	header := s[end:min(len(s), end+lookAhead)]
	for _, line := range [...]string{"\r\n", "\n", `\r\n`, `\n`} {
		if n := strings.Index(header, line+line); n >= 0 {
			start := end + n + 2*len(line)
			if n := strings.Index(s[start:], line); n >= 0 {
				t.hide(start, start+n)
			} else {
				t.hide(start, start+strings.IndexAny(s[start:]+" ", " \"'"))
			}
			return
		}
	}
}

// element judges the element of XML whose tag ends at i and returns where the
// search goes on.
func (t *text) element(i int) int {
	s := t.s
	from := max(0, i-longestName)
	tag := strings.LastIndexByte(s[from:i], '<')
	if tag < 0 {
		return i + 1
	}
	name, _, _ := strings.Cut(s[from+tag+1:i], " ")
	name = name[strings.LastIndexByte(name, ':')+1:]
	class := t.names.classify(name)
	if class&(secretName|ownName|namesAnother|valueOf) == 0 || strings.ContainsAny(name, "/!?") {
		return i + 1
	}
	start := i + 1
	ending := "<"
	if rest, ok := strings.CutPrefix(s[start:], "<![CDATA["); ok {
		start = len(s) - len(rest)
		ending = "]]>"
	}
	n := strings.Index(s[start:], ending)
	if n < 0 {
		return start
	}
	end := start + n
	switch {
	case class&(secretName|ownName) != 0:
		t.hidePaired(class, span{start, end})
	case class&valueOf != 0:
		t.valueIs(start, end)
	case n <= longestName:
		t.nameIs(s[start:end])
	}
	return start
}
