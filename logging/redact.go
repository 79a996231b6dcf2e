package logging

import (
	"cmp"
	"regexp"
)

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
// A value is secret if its key, one word of the key or adjacent words of the key
// are the name of a secret: password, token, secret, credential, authorization,
// cookie, api key, access key, private key, connection string, ssn, credit card
// and the like. A change of case, a digit or punctuation separates words:
// dbPassword, X-Api-Key and client_secret name secrets, and so do names in one word
// such as clientsecret and PGPASSWORD, but author, keyId and tokenizer do not. A key
// that ends in a property of a secret, such as token_type, secretName and
// password_file, does not name one either. Numbers are no secrets under plurals and
// quantities, such as max_tokens and token_count. Times, durations and booleans
// never are. Of auth, pass and bearer only a text is secret. The value that belongs
// to such a name is secret as well, as in {"name": "password", "value": "x"}, and so
// is the value of a cookie.
//
// The following is secret in text:
//
//   - a value that is assigned to such a name: password=x, "token": "x", password: x,
//     <password>x</password>, --password x, PGPASSWORD=x, a member of a form,
//   - the whole value of the headers Authorization, Cookie and Set-Cookie, and a token
//     after the word Bearer or Basic,
//   - in an address, the password, a user that looks like a token, and in the query a
//     signature (sig, Signature, X-Amz-Signature) and a code or key that looks random,
//   - a password in a statement: PASSWORD 'x' and IDENTIFIED BY 'x' in SQL, password x
//     in a .netrc, AUTH x in Redis and SMTP, user:x@tcp(host) of MySQL,
//   - a block with a private key: PEM, OpenSSH, PGP, SSH2, PuTTY,
//   - what has the form of a JSON Web Token, of a key or token of a well-known service
//     (AWS, Google, GitHub, GitLab, Slack, Stripe, OpenAI and others), of the secret of a
//     webhook (whsec_), of the address of an incoming webhook or of a password hash as
//     servers keep it.
//
// The following is not: hashes, signatures and IDs in hex and base64, also those of
// events; the reason of an error after the name of a secret ("token: expired", "read
// password: unexpected end of input"), which is told from a secret by its words;
// what is hidden already or put in later (***, null, $1, ${VAR}); a secret in a
// sentence ("the password is swordfish"), the values of an INSERT, and all other
// secrets that have neither a name nor a known form.
type Redactor struct {
	names    names
	patterns []*regexp.Regexp
}

// NewRedactor returns a redactor. If options is nil, it only recognizes the
// secrets that are listed at [Redactor].
func NewRedactor(options *RedactorOptions) *Redactor {
	options = cmp.Or(options, &RedactorOptions{})
	return &Redactor{names: newNames(options.Keys), patterns: options.Patterns}
}
