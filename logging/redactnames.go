package logging

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A nameClass is a set of what is known about a word of a name, or about a name.
type nameClass uint16

const (
	// secretName: the value is a secret.
	secretName nameClass = 1 << iota
	// ownName: as secretName, by an option of the application.
	ownName
	// shortName: a single text is a secret, but not an object, a number or a word
	// that says how something went, since the name has other meanings as well.
	shortName
	// queryName: the value is a secret in a query or a form.
	queryName
	// queryCode: the value is a secret in a query or a form if it looks random.
	queryCode
	// plural: numbers are counts, not secrets.
	plural
	// quantity: numbers are not secrets, wherever the word stands in a name.
	quantity
	// property: at the end of a name it says that the value is not the secret itself.
	property
	// credentials: the value has the grammar of the header Authorization.
	credentials
	// cookies: the value has the grammar of the header Cookie.
	cookies
	// namesAnother: the value is the name of another value, which is under valueOf.
	namesAnother
	// valueOf: the value belongs to the name that is under namesAnother.
	valueOf
	// cookieOnly: only a cookie has a member of this name.
	cookieOnly
	// rawCookie: in a cookie, the value has all of it.
	rawCookie
	// lastOfSeveral: the word is the last of several that mean something together.
	lastOfSeveral
)

// anySecret is what makes the value of a name a secret, at least in some places.
const anySecret = secretName | ownName | shortName | queryName | queryCode

// structural is what a name says about other members of an object.
const structural = namesAnother | valueOf | cookieOnly | rawCookie

// nameTable has all words, and all words that mean something together, by which
// names are judged. A word is in lower case.
var nameTable = []struct {
	class nameClass
	words []string
}{
	{secretName, []string{
		"password", "passwd", "passwrd", "pswd", "pwd", "passphrase", "passcode", "pass phrase", "pass code",
		"dbpass", "dbpasswd", "userpass", "smtppass", "sshpass", "keypass", "storepass", "requirepass", "passwordhash",
		"secret", "token", "jwt", "otp", "totp", "credential", "cred", "api key", "access key", "secret key",
		"private key", "private key data", "client key data", "key data", "signing key", "encryption key", "hmac key", "master key",
		"session key", "shared key", "account key", "auth key", "app key", "consumer key", "license key", "subscription key",
		"functions key", "deploy key", "service key", "write key", "pre shared key", "preshared key", "psk",
		"cipher key", "crypt key", "aes key", "storage key", "server key", "ssh key",
		"ssn", "social security", "credit card", "card number", "cvv", "cvc", "dsn", "connection string", "conn string",
		"connstr", "conn str", "secret id", "mnemonic", "seed phrase", "recovery phrase", "recovery code", "recovery codes",
		"backup code", "backup codes", "verification code", "mfa code", "auth code", "authorization code", "code verifier",
		"saml response", "jsessionid", "phpsessid", "sessid", "master auth", "masterauth", "sas",
	}},
	{secretName | plural, []string{
		"passwords", "secrets", "tokens", "credentials", "creds", "api keys", "access keys", "secret keys", "private keys",
		"passphrases", "signing keys",
	}},
	{secretName | credentials, []string{"authorization"}},
	{secretName | cookies, []string{"cookie"}},
	{secretName | cookies | plural, []string{"cookies"}},
	{shortName | credentials, []string{"auth", "bearer"}},
	{shortName, []string{"pass", "pw"}},
	{queryName, []string{"sig", "signature", "assertion", "samlrequest"}},
	{queryCode, []string{"code", "ticket", "hmac"}},
	{namesAnother | property, []string{"name", "id"}},
	{namesAnother, []string{"k", "field", "header", "variable", "parameter", "param", "setting", "attribute", "env", "var"}},
	{namesAnother | queryCode, []string{"key"}},
	{valueOf, []string{"value", "val", "v"}},
	{cookieOnly, []string{"httponly", "http only", "samesite", "same site"}},
	{rawCookie, []string{"raw"}},
	{quantity, []string{
		"max", "maximum", "min", "minimum", "num", "total", "prompt", "completion", "input", "output", "cached", "cache",
		"reasoning", "thinking", "avg", "average", "mean", "remaining", "used", "budget", "per",
	}},
	{property | quantity, []string{"count", "counts", "limit", "limits", "usage", "length", "len", "size"}},
	{property, []string{
		"type", "types", "kind", "format", "encoding", "class", "algorithm", "alg", "method", "mode", "scheme", "version", "field",
		"url", "uri", "urls", "endpoint", "path", "file", "filename", "dir", "directory", "host", "hostname", "port", "server",
		"service", "provider", "providers", "store", "manager", "helper", "backend", "source", "bucket", "issuer", "audience",
		"owner", "user", "username", "userid", "email", "domain", "realm", "region", "scope", "scopes", "prefix", "names", "namespace",
		"ids", "uid", "index", "position", "offset", "policy", "rule", "rules", "strength", "age", "ttl", "expiry", "expires",
		"expire", "expiration", "exp", "at", "in", "on", "lifetime", "date", "time", "timestamp", "timeout", "interval", "duration",
		"seconds", "minutes", "hours", "days", "ms", "bytes", "percent", "rate", "ratio", "status", "state", "valid", "validity",
		"attempts", "attempt", "retries", "reset", "resets", "rotation", "rotated", "changed", "updated", "created", "required",
		"enabled", "disabled", "present", "exists", "missing", "invalid", "expired", "revoked", "error", "errors", "err",
		"exception", "failure", "failed", "failures", "event", "action", "result", "latency", "test", "tests", "parser", "handler",
		"controller", "go", "py", "js", "ts", "tsx", "jsx", "java", "kt", "scala", "rb", "rs", "php", "cs", "cpp", "c", "h", "ex", "swift",
		"vue", "sh", "sql", "yml", "yaml", "json", "toml", "xml", "txt", "log", "html", "md", "com", "org", "net", "io", "dev", "local",
		"internal", "svc", "cluster", "example", "ref", "refs", "reference", "selector", "mount", "details", "detail", "stats",
		"info", "metadata", "config", "settings", "options", "encoder", "decoder", "generator", "validator", "factory", "filter",
		"interceptor", "resolver", "builder", "loader", "reader", "writer", "repository", "client",
	}},
}

// wordEndings are the words that name a secret also at the end of another word, as
// in "clientsecret".
var wordEndings = []string{
	"password", "passwords", "passwd", "passphrase", "passcode", "secret", "secrets", "token", "tokens", "apikey", "apikeys",
	"accesskey", "secretkey", "privatekey", "credential", "credentials", "cookie", "cookies",
}

// names has the class of each word, and of the words that mean something together,
// which it has without anything between them.
type names map[string]nameClass

// newNames returns the names of the table and those that an application adds.
func newNames(own []string) names {
	n := make(names)
	for _, row := range nameTable {
		for _, words := range row.words {
			n.add(row.class, words)
		}
	}
	for _, words := range own {
		n.add(ownName, words)
	}
	return n
}

func (n names) add(class nameClass, text string) {
	words := splitWords(text)
	if len(words) == 0 {
		return
	}
	n[strings.Join(words, "")] |= class
	if len(words) > 1 {
		n[words[len(words)-1]] |= lastOfSeveral
	}
}

// splitWords returns the words of a name in lower case.
func splitWords(name string) []string {
	var words []string
	var w wordReader
	for w.next(name) {
		words = append(words, string(w.last()))
	}
	return words
}

// A wordReader reads a name word by word. A word ends before anything that is not
// a letter, before an upper-case letter that follows a lower-case one, and before
// the last of several upper-case letters if a lower-case one follows it. Of a very
// long name it has only the end.
type wordReader struct {
	letters        [64]byte // of the name so far, in lower case
	n              int      // how many of them there are
	previous, word int      // where the last two words begin in letters
	offset         int
}

// next reads one word and reports whether there is one.
func (w *wordReader) next(name string) bool {
	w.previous, w.word = w.word, w.n
	var last rune
	for w.offset < len(name) {
		c, size := rune(name[w.offset]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(name[w.offset:])
		}
		inside := w.n > w.word
		if !isLetter(c) {
			w.offset += size
			if inside {
				return true
			}
			continue
		}
		if inside && isUpper(c) && (!isUpper(last) || beginsLower(name[w.offset+size:])) {
			return true
		}
		w.offset += size
		w.add(c)
		last = c
	}
	return w.n > w.word
}

func (w *wordReader) add(c rune) {
	if w.n+utf8.UTFMax > len(w.letters) {
		w.n = copy(w.letters[:], w.letters[w.word:w.n])
		w.previous, w.word = 0, 0
	}
	switch {
	case w.n+utf8.UTFMax > len(w.letters): // no word of the table is that long
	case c < utf8.RuneSelf:
		w.letters[w.n] = byte(c) | 0x20
		w.n++
	default:
		w.n += utf8.EncodeRune(w.letters[w.n:], unicode.ToLower(c))
	}
}

// both returns the last two words together.
func (w *wordReader) both() []byte { return w.letters[w.previous:w.n] }

// last returns the last word.
func (w *wordReader) last() []byte { return w.letters[w.word:w.n] }

// all returns all words together.
func (w *wordReader) all() []byte { return w.letters[:w.n] }

func isLetter(c rune) bool {
	if c < utf8.RuneSelf {
		return 'a' <= c|0x20 && c|0x20 <= 'z'
	}
	return unicode.IsLetter(c)
}

func isUpper(c rune) bool {
	if c < utf8.RuneSelf {
		return 'A' <= c && c <= 'Z'
	}
	return unicode.IsUpper(c)
}

func beginsLower(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(c)
}

// classify returns what is known about a name.
func (n names) classify(name string) nameClass {
	var w wordReader
	var all, last nameClass // of all words, and of the last
	count := 0
	for w.next(name) {
		last = n[string(w.last())]
		if last == 0 {
			last = endingClass(w.last())
		}
		if last&lastOfSeveral != 0 && w.previous < w.word {
			last |= n[string(w.both())]
		}
		all |= last
		count++
	}
	if count > 2 {
		last |= n[string(w.all())]
		all |= last
	}
	class := last & (structural | lastOfSeveral)
	switch {
	case all&ownName != 0:
		return class | ownName
	case last&secretName == 0 && last&property != 0:
		return class
	case all&secretName != 0:
		class |= secretName | all&(credentials|cookies)
	default:
		return class | last&(shortName|queryName|queryCode|credentials)
	}
	if all&quantity != 0 {
		class |= plural
	}
	return class | last&plural
}

// endingClass returns the class of a word that ends in another one.
func endingClass(word []byte) nameClass {
	if len(word) < len("dbtoken") {
		return 0
	}
	switch word[len(word)-1] {
	case 'd', 's', 'e', 't', 'n', 'y', 'l':
	default:
		return 0
	}
	i := slices.IndexFunc(wordEndings, func(ending string) bool {
		return len(word) > len(ending) && string(word[len(word)-len(ending):]) == ending
	})
	switch {
	case i < 0:
		return 0
	case word[len(word)-1] == 's':
		return secretName | plural
	default:
		return secretName
	}
}
