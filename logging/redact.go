package logging

import (
	"log/slog"
	"regexp"
	"strings"
	"unicode"
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
			r.names[strings.Join(words(key), "")] = true
		}
		delete(r.names, "") // of a key without letters
		r.patterns = options.Patterns
	}
	return r
}

// secret reports whether the key names something secret.
func (r *Redactor) secret(key string) bool {
	before := ""
	all := words(key)
	for _, word := range all {
		if r.names[word] || r.names[before+word] {
			return true
		}
		before = word
	}
	return len(all) > 2 && r.names[strings.Join(all, "")]
}

// words returns the words of a key in lower case. A word ends before anything
// that is no letter, before an upper-case letter that follows a lower-case one,
// and before the last of several upper-case letters when a lower-case one
// follows it.
func words(key string) []string {
	var all []string
	letters := []rune(key)
	start := 0
	end := func(i int) {
		if i > start {
			all = append(all, strings.ToLower(string(letters[start:i])))
		}
	}
	for i, c := range letters {
		switch {
		case !unicode.IsLetter(c):
			end(i)
			start = i + 1
		case i > start && unicode.IsUpper(c) &&
			(unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])):
			end(i)
			start = i
		}
	}
	end(len(letters))
	return all
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
// several with one key the last.
func (r *Redactor) attrs(attrs []slog.Attr) []slog.Attr {
	w := walker{redactor: r, left: maxValues}
	return w.group(nil, attrs, 0)
}
