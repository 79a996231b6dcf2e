package logging

import "strings"

// blockAt returns where a block with a private key ends that begins with the dashes
// at i: PEM, OpenSSH, PGP or SSH2. A block without an end ends with the text.
func blockAt(s string, i int) (end int, ok bool) {
	const longestLabel = 64
	body := i + leading(s[i:min(len(s), i+longestLabel)], '-')
	head, isBegin := strings.CutPrefix(strings.TrimLeft(s[body:min(len(s), body+longestLabel)], " "), "BEGIN ")
	label, _, _ := strings.Cut(head, "-")
	label = strings.TrimRight(label, " ")
	if !isBegin || !strings.Contains(label, "PRIVATE KEY") {
		return 0, false
	}
	ending := "END " + label
	n := strings.Index(s[body:], ending)
	if n < 0 {
		return len(s), true
	}
	end = body + n + len(ending)
	for end < len(s) && (s[end] == ' ' || s[end] == '-') && (s[end] == '-' || strings.HasPrefix(s[end:], " -")) {
		end++
	}
	return end, true
}

// puttyBlockAt returns where the private lines of a key file of PuTTY end, if they
// begin at i.
func puttyBlockAt(s string, i int) (end int, ok bool) {
	if !strings.HasPrefix(s[i:], "Private-Lines:") {
		return 0, false
	}
	if n := strings.Index(s[i:], "Private-MAC:"); n >= 0 {
		return i + n, true
	}
	return len(s), true
}
