package logging

import (
	"slices"
	"strings"
)

// phraseAt returns where the secret is that follows the words before the space at
// i: Bearer x, Basic x, password x in a .netrc, AUTH PLAIN x.
func phraseAt(s string, i int) (start, end int, ok bool) {
	const longest = 128
	before := s[max(0, i-longest):i]
	if before == "" {
		return 0, 0, false
	}
	switch before[len(before)-1] | 0x20 {
	case 'r':
		if endsInWord(before, "bearer") {
			return tokenAt(s, skipBlanks(s, i))
		}
		if endsInWord(before, "--user") {
			return userOptionAt(s, skipBlanks(s, i), before)
		}
	case 'c':
		if endsInWord(before, "basic") {
			start, end, ok = tokenAt(s, skipBlanks(s, i))
			return start, end, ok && !onlyLower(s[start+1:end])
		}
	case 'd':
		if endsInWord(before, "password") && followsLogin(before) {
			return wordAt(s, skipBlanks(s, i))
		}
	case 's':
		if endsInWord(before, "requirepass") {
			return wordAt(s, skipBlanks(s, i))
		}
		if endsInWord(before, "password is") || endsInWord(before, "token is") || endsInWord(before, "secret is") {
			return randomWordAt(s, skipBlanks(s, i), 6)
		}
	case 'n':
		if endsInWord(before, "token") {
			return randomWordAt(s, skipBlanks(s, i), 16)
		}
	case 'h':
		if endsInWord(before, "masterauth") {
			return wordAt(s, skipBlanks(s, i))
		}
		if endsInWord(before, "auth") {
			return authCommandAt(s, skipBlanks(s, i), before)
		}
	case '6':
		if strings.HasSuffix(before, "AWS4-HMAC-SHA256") {
			start = skipBlanks(s, i)
			return start, listEnd(s, start), strings.HasPrefix(s[start:], "Credential=")
		}
	case 'b':
		if endsInWord(before, "-b") && strings.Contains(before, "curl") {
			return wordAt(s, skipBlanks(s, i))
		}
	case 'y':
		if endsInWord(before, "identified by") {
			return wordAt(s, skipBlanks(s, i))
		}
	case 'u':
		if endsInWord(before, "-u") {
			return userOptionAt(s, skipBlanks(s, i), before)
		}
	case 'p':
		if endsInWord(before, "-p") && (strings.Contains(before, "sshpass") || strings.Contains(before, "login ")) {
			return wordAt(s, skipBlanks(s, i))
		}
	}
	return 0, 0, false
}

// endsInWord reports whether s ends in the word, in any case.
func endsInWord(s, word string) bool {
	head := len(s) - len(word)
	return head >= 0 && strings.EqualFold(s[head:], word) && (head == 0 || !isAlnum(s[head-1]))
}

// tokenAt returns where the token of a header Authorization is. It reports false
// if there is none, but a word or a parameter.
func tokenAt(s string, i int) (start, end int, ok bool) {
	const shortest = 6
	end = i
	for end < len(s) && (isAlnum(s[end]) || strings.IndexByte("-._~+/", s[end]) >= 0) {
		end++
	}
	length := end - i
	for end < len(s) && s[end] == '=' {
		end++
	}
	inside := end < len(s) && (s[end] == '[' ||
		end > i+length && (isAlnum(s[end]) || isOpening(s[end]) || isQuote(s[end]) && (!endsValue(s, end+1) || s[end+1:] != "" && s[end+1] == '[')))
	return i, end, length >= shortest && !inside && reasonWords[strings.ToLower(s[i:i+length])] == 0
}

// wordAt returns the word at i, unless it belongs to a sentence.
func wordAt(s string, i int) (start, end int, ok bool) {
	if i == len(s) || isSpace(s[i]) {
		return 0, 0, false
	}
	v := valueAt(s, i)
	word := s[v.start:v.end]
	n := reasonWordEnd(word)
	inSentence := reasonWords[strings.ToLower(word[:n])] != 0 && (n == len(word) || word[n] == ':')
	return v.start, v.end, !inSentence
}

// randomWordAt returns the word at i if it has letters and digits and so is no word
// of a sentence.
func randomWordAt(s string, i, shortest int) (start, end int, ok bool) {
	start, end, ok = wordAt(s, i)
	if !ok || end-start < shortest {
		return 0, 0, false
	}
	word := s[start:end]
	hasDigit := strings.ContainsAny(word, "0123456789")
	return start, end, hasDigit && strings.ContainsFunc(word, isLetter) && (shortest < 16 || isRandom(word)) && classifyReason(word) == 0
}

// followsLogin reports whether text is "login bob password" or "machine h
// password", as in a .netrc.
func followsLogin(text string) bool {
	words := strings.Fields(text)
	if len(words) < 3 {
		return false
	}
	switch words[len(words)-3] {
	case "login", "machine", "account", "user":
		return true
	default:
		return len(words) == 3 && words[0] == "default"
	}
}

// userOptionAt returns where the password is in the option -u bob:password of
// curl.
func userOptionAt(s string, i int, before string) (start, end int, ok bool) {
	if !strings.Contains(before, "curl") {
		return 0, 0, false
	}
	v := valueAt(s, i)
	n := strings.IndexByte(s[v.start:v.end], ':')
	start = v.start + n + 1
	return start, v.end, v.form != bracketed && n >= 0 && !strings.Contains(s[v.start:start], redacted) && !strings.HasPrefix(s[start:], redacted)
}

// authCommandAt returns where the secret is that follows the command AUTH of SMTP
// and of Redis.
func authCommandAt(s string, i int, before string) (start, end int, ok bool) {
	if i == len(s) || isSpace(s[i]) {
		return 0, 0, false
	}
	end = bareEnd(s, i)
	second := skipBlanks(s, end)
	switch s[i:end] {
	case "PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER":
		return tokenAt(s, second)
	}
	start = i
	if second > end && second < len(s) && !isSpace(s[second]) { // a user, and the password
		start, end = second, bareEnd(s, second)
	}
	for _, answer := range [...]string{": WRONGPASS", ": ERR", ": NOAUTH", ": NOPERM", ": OK"} {
		ok = ok || strings.HasPrefix(s[end:], answer)
	}
	return start, end, ok || endsInWord(before, "hello 2 auth") || endsInWord(before, "hello 3 auth")
}

// quotedPhraseAt returns where the secret is in the text in quotes at i, after
// words that announce one: PASSWORD 'x' and IDENTIFIED BY 'x' in SQL, "AUTH" "x"
// in Redis.
func quotedPhraseAt(s string, i int) (start, end int, ok bool) {
	const longest = 64
	before := s[max(0, i-longest):i]
	if n := len(before); n > 1 && isLetter(rune(before[n-1])) && isBlank(before[n-2]) {
		before = before[:n-1] // as in E'x'
	}
	before = strings.TrimRight(before, " \t(")
	if !announcesSecret(before) {
		return 0, 0, false
	}
	quote := s[i : i+1]
	if quote == "$" {
		n := strings.IndexByte(s[i+1:min(len(s), i+longest)], '$')
		if n < 0 {
			return 0, 0, false
		}
		quote = s[i : i+n+2]
	}
	start = i + len(quote)
	return start, quotedEnd(s, start, quote), true
}

// argumentAt returns where the secret is in the text in quotes at i, the argument
// of a function: setPassword("x"), Token("x").
func (n names) argumentAt(s string, i int) (start, end int, ok bool) {
	from := wordBefore(s, i-1)
	name := s[from : i-1]
	name = name[strings.LastIndexByte(name, '.')+1:]
	lower := strings.ToLower(name)
	if n.classify(name)&(secretName|ownName) == 0 || !hasPrefix(lower, "set", "with", "new", "token", "secret", "password", "passphrase", "api") {
		return 0, 0, false
	}
	start = i + 1
	return start, quotedEnd(s, start, s[i:start]), true
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
}

func announcesSecret(before string) bool {
	if before == "" {
		return false
	}
	switch before[len(before)-1] | 0x20 {
	case 'd':
		return endsInWord(before, "password") || endsInWord(before, "passwd")
	case 'e':
		return endsInWord(before, "passphrase")
	case 'y', 's':
		words := strings.ToLower(before)
		return (endsInWord(words, "by") || endsInWord(words, "as") || endsInWord(words, "values")) && strings.Contains(words, "identified")
	case '"' | 0x20:
		command := strings.ToLower(before)
		return strings.HasSuffix(command, `"auth"`) || strings.HasSuffix(command, `"requirepass"`) || strings.HasSuffix(command, `"masterauth"`)
	default:
		return false
	}
}

// optionAt returns where the secret is in --password x, an option whose dash is at
// i.
func (n names) optionAt(s string, i int) (start, end int, ok bool) {
	name := i + leading(s[i:min(len(s), i+3)], '-')
	end = name
	for end < len(s) && end < name+lookAhead && partOfName(s[end]) {
		end++
	}
	if end == name || end == len(s) || n.classify(s[name:end])&(secretName|ownName) == 0 {
		return 0, 0, false
	}
	value := skipBlanks(s, end)
	if isQuote(s[end]) { // the element of a list
		value = end + 1 + leading(s[end+1:], ',')
		value = skipBlanks(s, value)
		if value == end+1 || value == len(s) || s[value] != s[end] {
			return 0, 0, false
		}
	}
	if value == end || value == len(s) || s[value] == '-' || strings.HasPrefix(s[value:], redacted) {
		return 0, 0, false
	}
	return wordAt(s, value)
}
