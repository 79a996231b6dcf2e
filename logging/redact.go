package logging

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// redacted replaces a secret.
const redacted = "[REDACTED]"

// The names of secrets, in lower case and without anything between their words.
var secretNames = []string{
	"password", "passwords", "passwd", "pwd", "passphrase", "passcode",
	"secret", "secrets", "token", "tokens", "jwt", "otp", "totp",
	"credential", "credentials", "authorization", "cookie", "cookies",
	"apikey", "apikeys", "accesskey", "privatekey", "secretkey", "signingkey",
	"encryptionkey", "hmackey", "masterkey", "sessionkey",
	"ssn", "socialsecurity", "creditcard", "cardnumber", "cvv", "cvc",
	"dsn", "connectionstring",
}

// RedactorOptions are the options of [NewRedactor].
type RedactorOptions struct {
	// Keys are additional keys whose values are secret, such as "patient name". Case
	// and the separators between words are ignored.
	Keys []string
	// Patterns are additional patterns. All text that matches one of them is secret.
	Patterns []*regexp.Regexp
}

// A Redactor replaces secrets with "[REDACTED]". The handlers apply it to log
// records. You can also apply it to other text that leaves the program, such as
// the attributes of spans. It is safe for concurrent use.
//
// A value is secret if its key, one word of the key or two adjacent words of the
// key are the name of a secret: password, token, secret, credential,
// authorization, cookie, api key, access key, private key, signing key, connection
// string, ssn, credit card and the like. A change of case, a digit or punctuation
// separates words: dbPassword, X-Api-Key and client_secret name secrets, but
// author, keyId and tokenizer do not. Times, durations and booleans are never
// secret.
//
// The following is secret in text: a value that is assigned to such a name
// (password=x, "token": "x", Authorization: Basic x), a token after the word
// Bearer or Basic, a PEM private key, the password in a URL, a JSON Web Token, and
// a key of AWS, GitHub, GitLab, Slack or Stripe. Other hex and base64 text is not
// redacted, because hashes and signatures must stay readable.
type Redactor struct {
	names    map[string]bool
	patterns []*regexp.Regexp
}

// NewRedactor returns a redactor. If options is nil, it only recognizes the
// secrets that are listed at [Redactor].
func NewRedactor(options *RedactorOptions) *Redactor {
	options = cmp.Or(options, &RedactorOptions{})
	r := &Redactor{names: make(map[string]bool), patterns: options.Patterns}
	for _, key := range slices.Concat(secretNames, options.Keys) {
		if name := lowerLetters(key); name != "" {
			r.names[name] = true
		}
	}
	return r
}

// lowerLetters returns the letters of a key in lower case.
func lowerLetters(key string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsLetter(c) {
			return -1
		}
		return unicode.ToLower(c)
	}, key)
}

// secret reports whether the key names a secret. A word of the key ends before
// anything that is not a letter, before an upper-case letter that follows a
// lower-case one, and before the last of several upper-case letters if a
// lower-case one follows it.
func (r *Redactor) secret(key string) bool {
	var array [64]byte
	letters := array[:0]   // of the key so far, in lower case
	previous, word := 0, 0 // where the last two words begin in letters
	named := func() bool {
		return r.names[string(letters[word:])] || r.names[string(letters[previous:])]
	}
	var last rune
	for i, c := range key {
		isLetter := unicode.IsLetter(c)
		begins := unicode.IsUpper(c) && (unicode.IsLower(last) || beginsLower(key[i+utf8.RuneLen(c):]))
		if (!isLetter || begins) && len(letters) > word {
			if named() {
				return true
			}
			previous, word = word, len(letters)
		}
		if isLetter {
			letters = utf8.AppendRune(letters, unicode.ToLower(c))
		}
		last = c
	}
	return named() || r.names[string(letters)]
}

func beginsLower(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(c)
}
