package logging

import "strings"

// schemes are the schemes of authentication whose names are also words, or that
// are written after an = as well.
var schemes = []string{
	"basic", "bearer", "digest", "negotiate", "ntlm", "apikey", "api-key", "token", "oauth", "hawk", "mac", "jwt", "key", "dpop",
	"aws", "aws4-hmac-sha256", "goog4-rsa-sha256", "hmac", "signature", "sharedkey", "sharedaccesssignature", "splunk", "ssws", "bot",
	"geniekey", "hoba", "vapid", "privatetoken", "kerberos", "scram-sha-256", "scram-sha-1", "user", "client", "app", "wsse", "x-api-key",
}

// isScheme reports whether a word is the name of a scheme of authentication.
func isScheme(word string) bool {
	for _, scheme := range schemes {
		if strings.EqualFold(word, scheme) {
			return true
		}
	}
	return false
}

// credentialsEnd returns the end of the value of a header Authorization that
// starts at i: a token, or a scheme and a token or a list of parameters. A scheme
// that is not known counts only in a header, with a colon.
func credentialsEnd(s string, i int, inHeader bool) int {
	end := bareEnd(s, i)
	next := skipBlanks(s, end)
	if next == end || next == len(s) || strings.HasPrefix(s[i:], redacted) || isSpace(s[next]) {
		return end
	}
	scheme := s[i:end]
	param := isParameter(s[next:])
	switch {
	case isScheme(scheme):
	case !inHeader, strings.ContainsFunc(scheme, func(c rune) bool { return !isLetter(c) && c != '-' && c != '_' }):
		return end
	case !param && beginsMember(s[next:], "=:"):
		return end
	}
	if param {
		return listEnd(s, next)
	}
	return bareEnd(s, next)
}

// isParameter reports whether s begins with name=value. The = at the end of base64
// is none.
func isParameter(s string) bool {
	if !beginsMember(s, "=") {
		return false
	}
	n := strings.IndexByte(s, '=')
	return n+1 < len(s) && s[n+1] != '=' && !isSpace(s[n+1]) && !isClosing(s[n+1])
}

// listEnd returns the end of the list that starts at i, as in the headers
// Authorization and Cookie: parts with ; or a comma between them, which may be
// name="value".
func listEnd(s string, i int) int {
	for {
		end := partEnd(s, i)
		if end == len(s) || s[end] != ';' && s[end] != ',' {
			return end
		}
		i = skipBlanks(s, end+1)
		if i == len(s) || !partOfName(s[i]) || s[end] == ',' && !isParameter(s[i:]) {
			return end
		}
	}
}

// partEnd returns the end of one part of a list.
func partEnd(s string, i int) int {
	value := i
	for value < len(s) && partOfName(s[value]) {
		value++
	}
	if value+1 >= len(s) || s[value] != '=' {
		return bareEnd(s, i)
	}
	if strings.EqualFold(s[i:value], "expires") { // a time with blanks and a comma
		const longest = 48
		if n := strings.Index(s[value:min(len(s), value+longest)], "GMT"); n >= 0 {
			return value + n + len("GMT")
		}
	}
	value++
	if v := valueAt(s, value); v.form == quoted && v.end < len(s) {
		return v.end + v.start - value
	}
	return bareEnd(s, value)
}
