package logging_test

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/logging"
)

// pieces are parts of all grammars that a redactor knows.
var pieces = strings.Split("password|token|auth|=|: |:|\"|'|\\\"|{|}|[|]|(|)| |,|;|&|?|x|abc|hunter2|name|value|key|Cookie|Authorization|Basic |Bearer |"+
	"a=b|://|@|/|bob|\n|\\n|\\r\\n|%3D|%26|<|>|</|[REDACTED]|expired|not found|crypto: |user |--|-|- |PASSWORD |identified by |AUTH |login |"+
	"eyJhbGciOiJub25lIn0.eyJz.x|ghp_aaaaaaaaaaaaaaaaaaaa|-----BEGIN PRIVATE KEY-----|-----END PRIVATE KEY-----|HttpOnly|SameSite=|Raw:|tokens|7|"+
	"12ms|map[|$|#|%|***|null|true|sig|code|A1b2C3d4E5f6G7h8|form-data; name=\"|\r\n\r\n|@tcp(|.|GMT|Expires=|is |the |.token|pw|curl -u |"+
	"sk-aaaaaaaaaaaaaaaaaaaaaaaa|/hooks/|é|\\|`|=>|+|!|*|_|| =|$$", "|")

// TestRandomText redacts pieces of grammars in random order: redacting again
// changes nothing.
func TestRandomText(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	random := rand.New(rand.NewSource(1))
	for range 20_000 {
		var b strings.Builder
		for range 2 + random.Intn(14) {
			b.WriteString(pieces[random.Intn(len(pieces))])
		}
		got := r.String(b.String())
		if again := r.String(got); again != got {
			t.Fatalf("%q\ngives %q\nand then %q", b.String(), got, again)
		}
	}
}

// TestLongText redacts long texts that repeat a beginning of every grammar: with
// work that grew faster than the text, the test would not end.
func TestLongText(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	for _, piece := range slices.Concat(pieces, []string{
		"password=", "a:", "token: ", "a://", "a://b:", "eyJ", "-----BEGIN ", "value=\"", "value='", "value=[", "name=password value=(", "token=a( ",
		"auth={", "\"\\", "password=\\\"", "password: token: ", "token: crypto: ", "--password ", "--password \"", "<password>", "</password>", " AUTH {x",
		" -u \"", "curl -u \"", "token%3D", "Cookie: a=b; ", "a=b; ", "a=b&", "a,b", "Authorization: a ", "password 'x", "PASSWORD ''", "bearer abcde",
		"login x password ", "a:b@tcp(", "\xff", "key=", "api key: ", "(\"token\",\"", "form-data; name=\"password\"\n\n", "SG.", "/hooks/a1b2c3",
		"://x@", "?sig=", "Set-Cookie: Expires=", "value={", "token=      ", "Private-Lines:", "token=$(", "a -> ", "(string) (",
	}) {
		if piece == "" {
			continue
		}
		text := strings.Repeat(piece, 1<<17/len(piece))
		if got := r.String(text); len(got) > 3*len(text)+len("[REDACTED]") {
			t.Errorf("%q: %d bytes become %d", piece, len(text), len(got))
		}
	}
}
