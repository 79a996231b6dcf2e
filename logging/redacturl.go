package logging

import "strings"

// userinfoAt returns where the secret is in the address whose "://" is at i: the
// password, or the user if there is no password and it looks like a token.
func userinfoAt(s string, i int) (start, end int, ok bool) {
	start = i + len("://")
	address := s[start:addressEnd(s, start)]
	at := lastAt(address)
	if at <= 0 || strings.HasPrefix(address, "[") {
		return 0, 0, false
	}
	userinfo := address[:at]
	n := strings.IndexAny(userinfo, ":/?#")
	switch {
	case n < 0:
		return start, start + at, looksLikeToken(userinfo)
	case userinfo[n] != ':' || isPort(userinfo[n+1:]):
		return 0, 0, false
	case n+1 == at: // an empty password
		return start, start + n, n > 0
	case looksLikeToken(userinfo[:n]):
		return start, start + at, true
	default:
		return start + n + 1, start + at, !isInert(userinfo[n+1:])
	}
}

// addressEnd returns where the address ends that begins at i, at the latest where
// another one has its "://".
func addressEnd(s string, i int) int {
	for ; i < len(s); i++ {
		if isSpace(s[i]) || isQuote(s[i]) || s[i] == '<' || s[i] == '>' || s[i] == ':' && strings.HasPrefix(s[i:], "://") {
			break
		}
	}
	return i
}

// lastAt returns where the last @ of an address is that can end the userinfo. One
// in a query is not meant unless there is no other: a password may have a
// question mark.
func lastAt(address string) int {
	path, _, _ := strings.Cut(address, "?")
	if at := strings.LastIndexByte(path, '@'); at >= 0 {
		return at
	}
	return strings.LastIndexByte(address, '@')
}

// isPort reports whether a port ends at a path, a query or another host.
func isPort(s string) bool {
	const longest = 5
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	return digits > 0 && digits <= longest && digits < len(s) && strings.IndexByte("/?#,", s[digits]) >= 0
}

// looksLikeToken reports whether a user may be a token.
func looksLikeToken(user string) bool {
	return len(user) >= 16 && (isRandom(user) || len(user) >= 32) && !strings.ContainsRune(user, '@')
}

// dsnPasswordAt returns where the password is in user:password@tcp(host), the
// notation of MySQL, whose @ is at i. It looks back no further than to from.
func dsnPasswordAt(s string, i, from int) (start, end int, ok bool) {
	switch rest := s[i+1:]; {
	case strings.HasPrefix(rest, "tcp("), strings.HasPrefix(rest, "tcp6("), strings.HasPrefix(rest, "unix("), strings.HasPrefix(rest, "/"):
	default:
		return 0, 0, false
	}
	from = max(from, i-lookAhead)
	from += strings.LastIndexAny(s[from:i], " \t\r\n\"'`<>") + 1
	if n := strings.LastIndex(s[from:i], redacted); n >= 0 {
		from += n + len(redacted)
	}
	userinfo := s[from:i]
	n := strings.IndexByte(userinfo, ':')
	if n < 0 || n+1 == len(userinfo) || strings.HasPrefix(userinfo[n:], "://") {
		return 0, 0, false
	}
	return from + n + 1, i, true
}

// passfileAt returns where the password is in host:port:database:user:password, a
// line of a .pgpass whose first colon is at i.
func passfileAt(s string, i int) (start, end int, ok bool) {
	if !strings.HasPrefix(s[i:], ":5432:") && !strings.HasPrefix(s[i:], ":6432:") && !strings.HasPrefix(s[i:], ":*:") {
		return 0, 0, false
	}
	field, start := 0, i
	for end = i; end < len(s) && end < i+lookAhead && !isSpace(s[end]) && !isQuote(s[end]); end++ {
		if s[end] == ':' && field < 4 {
			field, start = field+1, end+1
		}
	}
	return start, end, field == 4
}
