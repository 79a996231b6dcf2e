package logging

import (
	"log/slog"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// redacted stands in the place of a secret.
const redacted = "[REDACTED]"

// The names of what is secret, in lower case without anything between their
// words.
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
	// Keys are further names whose values are secret, such as "patient name".
	// Case and what stands between the words do not matter.
	Keys []string
	// Patterns match further text that is secret.
	Patterns []*regexp.Regexp
}

// A Redactor replaces secrets by "[REDACTED]", in log records, and wherever else
// text leaves the program, such as the attributes of spans. It is safe for
// concurrent use.
//
// A value is secret when a word of its key, two neighbouring words, or the whole
// key name a secret: password, token, secret, credential, authorization, cookie,
// api key, access key, private key, signing key, connection string, ssn, credit
// card and the like. Words are told apart by case, digits and punctuation:
// dbPassword, X-Api-Key and client_secret name secrets; author, keyId and
// tokenizer do not. Times, durations and booleans are never secret.
//
// Text is secret where it assigns a value to such a name (password=x,
// "token": "x", Authorization: Basic x), follows the word Bearer or Basic as a
// token does, is a PEM private key, the password of a URL, a JSON web token, or
// a key of AWS, GitHub, GitLab, Slack or Stripe. Hex and base64 as such are not,
// since hashes and signatures are meant to be read.
type Redactor struct {
	names    map[string]bool
	patterns []*regexp.Regexp
}

// NewRedactor returns a redactor. Options may be nil.
func NewRedactor(options *RedactorOptions) *Redactor {
	r := &Redactor{names: make(map[string]bool)}
	for _, name := range secretNames {
		r.names[name] = true
	}
	if options != nil {
		for _, key := range options.Keys {
			if name := lowerLetters(key); name != "" {
				r.names[name] = true
			}
		}
		r.patterns = options.Patterns
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

// secret reports whether the key names something secret. A word of the key ends
// before anything that is no letter, before an upper-case letter that follows a
// lower-case one, and before the last of several upper-case letters when a
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

// Value returns the value of a key without its secrets and in plain types: nil,
// bool, string, int64, uint64, float64, [encoding/json.Number], []any and
// map[string]any. Structs become maps of their exported fields under their JSON
// names; what encodes itself as text or JSON does so; errors become their text,
// and byte slices the text that they hold or their length. A value that is
// deeper than 32, or larger than 10,000 values, is cut; what panics says so.
func (r *Redactor) Value(key string, v any) any {
	w := walker{redactor: r, left: maxValues}
	return w.member(key, v)
}

// Attr returns the attribute without its secrets, with its value resolved and
// in the plain types of [Redactor.Value].
func (r *Redactor) Attr(a slog.Attr) slog.Attr {
	w := walker{redactor: r, left: maxValues}
	return w.attr(a, 0)
}

// attrs returns the attributes as a handler writes them: each as Attr returns it,
// groups without a name dissolved, empty groups and attributes left out, and of
// several with one key the last, except that groups become one.
func (r *Redactor) attrs(attrs []slog.Attr) []slog.Attr {
	w := walker{redactor: r, left: maxValues}
	return w.group(nil, attrs, 0)
}
