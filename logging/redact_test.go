package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

func TestRedactorKeys(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(&logging.RedactorOptions{Keys: []string{"Patient name", "blood-type of donor", "", "7"}})
	for _, key := range []string{
		"password", "Password", "PASSWORD", "dbPassword", "db_password", "db-password", "DBPassword", "password2",
		"user.password", "passwordHash", "secret", "client_secret", "CLIENT_SECRET", "token", "accessToken",
		"x-auth-token", "apiKey", "api_key", "X-Api-Key", "APIKey", "apikey", "privateKey", "private key",
		"Authorization", "Set-Cookie", "cookies", "AUDIT_CRYPTO_SECRET", "OTLP_API_KEY", "ssn", "creditCard",
		"credit_card_number", "HTTPToken", "oauth2Token", "connectionString", "socialSecurityNumber",
		"passwords", "passwd", "pwd", "passphrase", "passcode", "secrets", "tokens", "jwt", "otp", "totp",
		"credential", "credentials", "cookie", "apikeys", "accessKey", "secretKey", "signingKey", "encryptionKey",
		"hmacKey", "masterKey", "sessionKey", "cardNumber", "cvv", "cvc", "dsn", "dbPASSWORD",
		"patientName", "PATIENT_NAME", "bloodTypeOfDonor",
	} {
		if got := r.Value(key, "value"); got != "[REDACTED]" {
			t.Errorf("%s: got %v", key, got)
		}
	}
	for _, key := range []string{
		"", "author", "authority", "key", "keyId", "keyboard", "tokenizer", "passport", "secretary", "principalId",
		"monkey", "api", "apiKeyboard", "hash", "signature", "name", "patient", "nameOfPatient", "bloodType", "ключ", "7",
	} {
		if got := r.Value(key, "value"); got != "value" {
			t.Errorf("%s: got %v", key, got)
		}
	}
}

func TestRedactorString(t *testing.T) {
	t.Parallel()
	const pem = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
	r := logging.NewRedactor(&logging.RedactorOptions{Patterns: []*regexp.Regexp{regexp.MustCompile(`MRN-\d+`)}})
	for text, want := range map[string]string{
		"":                                          "",
		"nothing to hide: 5 of 7 = 71%":             "nothing to hide: 5 of 7 = 71%",
		"password=hunter2":                          "password=[REDACTED]",
		"password=[REDACTED]":                       "password=[REDACTED]",
		"PASSWORD : hunter2 user=bob":               "PASSWORD : [REDACTED] user=bob",
		"host=h password='two words' port=1":        "host=h password='[REDACTED]' port=1",
		"user=bob;password=a;b":                     "user=bob;password=[REDACTED];b",
		"GET /x?token=abc&n=1 HTTP/1.1":             "GET /x?token=[REDACTED]&n=1 HTTP/1.1",
		"GET /x?api_key=abc":                        "GET /x?api_key=[REDACTED]",
		"the api key: abc is bad":                   "the api key: [REDACTED] is bad",
		"the key: abc":                              "the key: abc",
		`{"user":"bob","password":"a\"b","n":1}`:    `{"user":"bob","password":"[REDACTED]","n":1}`,
		`{"password" : 12345, "n":1}`:               `{"password" : [REDACTED], "n":1}`,
		`{"tokens":["a","b"],"n":1}`:                `{"tokens":[REDACTED],"n":1}`,
		`"{\"token\":\"a b\",\"n\":1}"`:             `"{\"token\":\"[REDACTED]\",\"n\":1}"`,
		`token="" user="bob"`:                       `token="" user="bob"`,
		"X-Api-Key: abc n=1":                        "X-Api-Key: [REDACTED] n=1",
		"api.key=abc n=1":                           "api.key=[REDACTED] n=1",
		"a==1 password==x":                          "a==1 password==[REDACTED]",
		"= x : y":                                   "= x : y",
		"secrets={a {b} c} user=bob":                "secrets=[REDACTED] user=bob",
		"secrets=(a (b) c) user=bob":                "secrets=[REDACTED] user=bob",
		strings.Repeat("long ", 50) + "password=x":  strings.Repeat("long ", 50) + "password=[REDACTED]",
		"map[password:hunter2 user:bob]":            "map[password:[REDACTED] user:bob]",
		"map[tokens:[a b] user:bob]":                "map[tokens:[REDACTED] user:bob]",
		"{Password:hunter2}":                        "{Password:[REDACTED]}",
		"secret => x":                               "secret => [REDACTED]",
		"password := `x y`":                         "password := `[REDACTED]`",
		"a=1 password=":                             "a=1 password=",
		"password=\nnext":                           "password=\nnext",
		`password="unterminated`:                    `password="[REDACTED]`,
		`password=\`:                                `password=[REDACTED]`,
		"secrets=[a, b":                             "secrets=[REDACTED]",
		"Authorization: Bearer abc.def":             "Authorization: [REDACTED]",
		"authorization: Basic dXNlcjpwYXNz":         "authorization: [REDACTED]",
		"Authorization: Negotiate":                  "Authorization: [REDACTED]",
		"sent Bearer abc.def-123, refused":          "sent Bearer [REDACTED], refused",
		"Bearer abcdef":                             "Bearer [REDACTED]",
		"sent bearer  abcdef":                       "sent bearer  [REDACTED]",
		"sent Basic dXNlcjpwYXNz":                   "sent Basic [REDACTED]",
		"Authorization: Digest abc n=1":             "Authorization: [REDACTED] n=1",
		"Authorization: Negotiate abc n=1":          "Authorization: [REDACTED] n=1",
		"Authorization: ApiKey abc n=1":             "Authorization: [REDACTED] n=1",
		"two  spaces, Bearer abcdef":                "two  spaces, Bearer [REDACTED]",
		"bearerabcdefgh 12":                         "bearerabcdefgh 12",
		"abearer abcdefgh":                          "abearer abcdefgh",
		"basic aBcdefg":                             "basic [REDACTED]",
		"basic authentication, bearer of news":      "basic authentication, bearer of news",
		"forbearer abcdefgh":                        "forbearer abcdefgh",
		"key " + pem + " end":                       "key [REDACTED] end",
		"key -----BEGIN PRIVATE KEY-----\nMHc":      "key [REDACTED]",
		"-----BEGIN PUBLIC KEY-----":                "-----BEGIN PUBLIC KEY-----",
		"postgres://bob:p@ss/w:rd@h:5432/db":        "postgres://bob:[REDACTED]@h:5432/db",
		"redis://:pw@h and amqp://u:pw@h":           "redis://:[REDACTED]@h and amqp://u:[REDACTED]@h",
		"http://bob@h:80/x":                         "http://bob@h:80/x",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": "[REDACTED]",
		"AKIAIOSFODNN7EXAMPLE here":                 "[REDACTED] here",
		"ghp_0123456789abcdefABCDEF":                "[REDACTED]",
		"github_pat_0123456789abcdefABCDEF":         "[REDACTED]",
		"glpat-0123456789abcdefABCD":                "[REDACTED]",
		"xoxb-123456789-abc":                        "[REDACTED]",
		"sk_live_0123456789":                        "[REDACTED]",
		"patient MRN-1234 seen":                     "patient [REDACTED] seen",
		"hash e5255446123868fac834d415a3c3641fb77b87f54c46aff854de524148d90ff2": "hash e5255446123868fac834d415a3c3641fb77b87f54c46aff854de524148d90ff2",
	} {
		if got := r.String(text); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
		if got := r.String(want); got != want {
			t.Errorf("redacting %s again gives %s", want, got)
		}
	}
}

type account struct {
	Name     string
	Password string `json:"pw"`
	Code     string `json:"accessToken"`
	MFA      *string
	Login    struct{ Secrets []string }
	Expires  time.Time
	TokenTTL time.Duration
	HasToken bool
	Cookie   *string
}

func TestRedactorValue(t *testing.T) {
	t.Parallel()
	in := account{Name: "bob", Password: "hunter2", Code: "hunter2", Expires: recordTime, TokenTTL: time.Minute, HasToken: true}
	in.Login.Secrets = []string{"hunter2"}
	got := logging.NewRedactor(nil).Value("account", []any{&in, map[string]any{"bearerToken": 7, "n": uint8(1)}})
	want := []any{
		map[string]any{
			"Name": "bob", "pw": "[REDACTED]", "accessToken": "[REDACTED]", "MFA": nil,
			"Login": map[string]any{"Secrets": "[REDACTED]"}, "Expires": "2023-10-26T10:30:00.123Z",
			"TokenTTL": "1m0s", "HasToken": true, "Cookie": nil,
		},
		map[string]any{"bearerToken": "[REDACTED]", "n": uint64(1)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

type (
	plainText  string
	named      []byte
	fixed      [4]byte
	masked     string
	credential struct{ Name, Value string }
	cookie     struct {
		Name, Value, Raw string
		HTTPOnly         bool
	}
)

func (masked) String() string { return "***" }

// TestRedactorKinds pins what becomes of values of all kinds.
func TestRedactorKinds(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	text := "token=x n=1"
	for name, test := range map[string]struct {
		key      string
		in, want any
	}{
		"named text":               {"k", plainText(text), "token=[REDACTED] n=1"},
		"bytes":                    {"k", []byte(text), "token=[REDACTED] n=1"},
		"named bytes":              {"k", named(text), "token=[REDACTED] n=1"},
		"bytes in an array":        {"k", fixed{'a', 'b', 'c', 'd'}, "abcd"},
		"bytes that are no text":   {"k", named{0xff, 0xfe}, "[2 bytes]"},
		"no bytes":                 {"k", named(nil), nil},
		"named bytes under a name": {"password", named("x"), "[REDACTED]"},
		"array under a name":       {"secret", fixed{}, "[REDACTED]"},
		"JSON":                     {"k", json.RawMessage(`{"password":"x","n":1}`), map[string]any{"password": "[REDACTED]", "n": json.Number("1")}},
		"no JSON":                  {"k", json.RawMessage(`password=x`), "json: error calling MarshalJSON for type json.RawMessage: invalid character 'p' looking for beginning of value"},
		"text with a method":       {"k", masked("hunter2"), "***"},
		"text with a method, deep": {"k", []any{&[]masked{"hunter2"}[0]}, []any{"***"}},
		"pair":                     {"k", credential{"DB_PASSWORD", "x"}, map[string]any{"Name": "DB_PASSWORD", "Value": "[REDACTED]"}},
		"pair of another name":     {"k", credential{"DB_HOST", "x"}, map[string]any{"Name": "DB_HOST", "Value": "x"}},
		"pair in a map":            {"k", map[string]any{"value": []any{"x"}, "key": "client_secret"}, map[string]any{"value": "[REDACTED]", "key": "client_secret"}},
		"pair in a list":           {"k", []map[string]string{{"name": "API_TOKEN", "value": "x"}}, []any{map[string]any{"name": "API_TOKEN", "value": "[REDACTED]"}}},
		"pair with a count":        {"k", map[string]any{"name": "max_tokens", "value": 7}, map[string]any{"name": "max_tokens", "value": int64(7)}},
		"cookie":                   {"k", &cookie{Name: "sid", Value: "x", Raw: "sid=x"}, map[string]any{"Name": "sid", "Value": "[REDACTED]", "Raw": "[REDACTED]", "HTTPOnly": false}},
		"cookie of net/http":       {"k", []*http.Cookie{{Name: "sid", Value: "x"}}, nil},
		"option":                   {"k", []string{"app", "--db-password", "x", "--token", "-v"}, []any{"app", "--db-password", "[REDACTED]", "--token", "-v"}},
		"count":                    {"max_tokens", 4096, int64(4096)},
		"count as text":            {"token_count", "153", "153"},
		"counts":                   {"tokens", []int{1, 2}, []any{int64(1), int64(2)}},
		"number":                   {"otp", 4096, "[REDACTED]"},
		"floating count":           {"tokens_per_second", 1.5, 1.5},
		"property":                 {"token_type", "bearer", "bearer"},
		"file":                     {"password_file", "/run/secrets/x", "/run/secrets/x"},
		"auth":                     {"auth", "x-1", "[REDACTED]"},
		"auth that failed":         {"auth", "failed", "failed"},
		"auth by a scheme":         {"auth", "basic", "basic"},
		"auth with members":        {"auth", map[string]any{"user": "bob", "pass": "x-1"}, map[string]any{"user": "bob", "pass": "[REDACTED]"}},
		"auth as a list":           {"auth", []string{"bob", "x"}, "[REDACTED]"},
		"pass":                     {"pass", "x-1", "[REDACTED]"},
		"passed tests":             {"pass", 12, int64(12)},
		"bearer":                   {"bearer", "x-1", "[REDACTED]"},
		"one word":                 {"clientsecret", "x", "[REDACTED]"},
	} {
		got := r.Value(test.key, test.in)
		if name == "cookie of net/http" {
			got, test.want = got.([]any)[0].(map[string]any)["Value"], "[REDACTED]"
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %#v, want %#v", name, got, test.want)
		}
	}
	pair := slog.Group("env", "name", "PASSWORD", "value", "x")
	if got := r.Attr(pair); !got.Equal(slog.Group("env", "name", "PASSWORD", "value", "[REDACTED]")) {
		t.Errorf("pair in a group: got %v", got)
	}
	count := slog.Int("max_tokens", 7)
	if got := r.Attr(count); !got.Equal(count) {
		t.Errorf("count in an attribute: got %v", got)
	}
}

func TestRedactorAttr(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	for name, test := range map[string]struct{ in, want slog.Attr }{
		"string":     {slog.String("url", "redis://:pw@h"), slog.String("url", "redis://:[REDACTED]@h")},
		"number":     {slog.Int("n", 7), slog.Int("n", 7)},
		"secret":     {slog.Int("otp", 123456), slog.String("otp", "[REDACTED]")},
		"nothing":    {slog.Any("token", nil), slog.Any("token", nil)},
		"boolean":    {slog.Bool("hasToken", true), slog.Bool("hasToken", true)},
		"duration":   {slog.Duration("tokenTTL", 1), slog.Duration("tokenTTL", 1)},
		"group":      {slog.Group("g", "password", "x", "n", 1), slog.Group("g", "password", "[REDACTED]", "n", 1)},
		"group name": {slog.Group("credentials", "user", "bob"), slog.String("credentials", "[REDACTED]")},
		"error":      {slog.Any("err", errors.New("token=x")), slog.String("err", "token=[REDACTED]")},
		"valuer":     {slog.Any("v", valuer{slog.StringValue("token=x")}), slog.String("v", "token=[REDACTED]")},
		"key":        {slog.Int("redis://:pw@h", 1), slog.Int("redis://:[REDACTED]@h", 1)},
	} {
		if got := r.Attr(test.in); !got.Equal(test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// TestLimits pins how much of a value is read.
func TestLimits(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)

	var list any = 7
	for range 40 {
		list = []any{list}
	}
	levels, value := 0, r.Value("k", list)
	for inner, ok := value.([]any); ok; inner, ok = value.([]any) {
		levels, value = levels+1, inner[0]
	}
	check.Equal(t, "lists, each in an interface", levels, 17)
	check.Equal(t, "list cut off", value, any("..."))

	var mapped any = 7
	for range 40 {
		mapped = map[string]any{"k": mapped}
	}
	value = r.Value("k", mapped)
	for levels = 0; value != any("..."); levels++ {
		value = value.(map[string]any)["k"]
	}
	check.Equal(t, "maps, each in an interface", levels, 17)

	ring := &node{}
	ring.Next = ring
	value = r.Value("k", ring)
	for levels = 0; value != any("..."); levels++ {
		value = value.(map[string]any)["Next"]
	}
	check.Equal(t, "structs, each behind a pointer", levels, 16)

	large := make(map[int]int)
	for i := range 10_001 {
		large[i] = i
	}
	check.Equal(t, "pairs of a map", len(r.Value("k", large).(map[string]any)), 10_000)

	group := slog.Int("g", 7)
	for range 40 {
		group = slog.GroupAttrs("g", group)
	}
	group = r.Attr(group)
	for levels = 0; group.Value.Kind() == slog.KindGroup; levels++ {
		group = group.Value.Group()[0]
	}
	check.Equal(t, "groups", levels, 33)
	check.Equal(t, "group cut off", group, slog.String("g", "..."))

	numbers := make([]int, 10_001)
	numbers[9_998] = 7
	long := r.Value("k", numbers).([]any)
	check.Equal(t, "elements", len(long), 10_000)
	check.Equal(t, "the last elements", long[9_998:], []any{int64(7), "..."})

	floats := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.5}
	check.Equal(t, "floats", r.Value("k", floats), any([]any{"NaN", "+Inf", "-Inf", 1.5}))
}

// TestSecretsAnywhere puts a secret wherever a record has room for one.
func TestSecretsAnywhere(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-9f3a"
	text := "password=" + secret
	pointer := &account{Name: "bob", Password: secret}
	header := http.Header{"Authorization": {"Bearer " + secret}, "X-Api-Key": {secret}}
	address := check.Must(url.Parse("https://bob:" + secret + "@example.com/?token=" + secret))(t)
	for name, change := range map[string]func(l *slog.Logger) *slog.Logger{
		"message":         func(l *slog.Logger) *slog.Logger { l.Info("login with " + text); return l }, //nolint:sloglint // the message is what is tested
		"field":           func(l *slog.Logger) *slog.Logger { return l.With("password", secret) },
		"bytes":           func(l *slog.Logger) *slog.Logger { return l.With("apiKey", []byte(secret), "b", []byte(text)) },
		"text of a field": func(l *slog.Logger) *slog.Logger { return l.With("query", text) },
		"group":           func(l *slog.Logger) *slog.Logger { return l.WithGroup("a").WithGroup("b").With("token", secret) },
		"name of a group": func(l *slog.Logger) *slog.Logger { return l.WithGroup("secret").With("x", secret) },
		"inline group":    func(l *slog.Logger) *slog.Logger { return l.With(slog.Group("", "token", secret)) },
		"error":           func(l *slog.Logger) *slog.Logger { return l.With("error", errors.New(text)) },
		"wrapped error":   func(l *slog.Logger) *slog.Logger { return l.With("e", fmt.Errorf("a: %w", errors.New(text))) },
		"joined errors":   func(l *slog.Logger) *slog.Logger { return l.With("e", errors.Join(errors.New("a"), errors.New(text))) },
		"map":             func(l *slog.Logger) *slog.Logger { return l.With("m", map[string]string{"clientSecret": secret}) },
		"map in maps": func(l *slog.Logger) *slog.Logger {
			return l.With("m", map[string]any{"a": []any{map[string]any{"pwd": secret}}})
		},
		"key of a map":        func(l *slog.Logger) *slog.Logger { return l.With("m", map[string]int{text: 1}) },
		"key of an attribute": func(l *slog.Logger) *slog.Logger { return l.With(text, 1) },
		"slice":               func(l *slog.Logger) *slog.Logger { return l.With("s", []string{"a", text}) },
		"struct":              func(l *slog.Logger) *slog.Logger { return l.With("s", *pointer) },
		"pointer":             func(l *slog.Logger) *slog.Logger { return l.With("s", &pointer) },
		"pointer in a struct": func(l *slog.Logger) *slog.Logger { s := secret; return l.With("s", account{Cookie: &s}) },
		"header":              func(l *slog.Logger) *slog.Logger { return l.With("header", header) },
		"URL":                 func(l *slog.Logger) *slog.Logger { return l.With("url", address, "s", address.String()) },
		"user of a URL":       func(l *slog.Logger) *slog.Logger { return l.With("user", address.User) },
		"valuer": func(l *slog.Logger) *slog.Logger {
			return l.With("v", valuer{slog.GroupValue(slog.String("token", secret))})
		},
		"valuer in a map": func(l *slog.Logger) *slog.Logger {
			return l.With("m", map[string]any{"v": valuer{slog.StringValue(text)}})
		},
		"own JSON":           func(l *slog.Logger) *slog.Logger { return l.With("j", raw{`{"token":"` + secret + `"}`}) },
		"panic":              func(l *slog.Logger) *slog.Logger { return l.With("p", panicking{text}) },
		"valuer that panics": func(l *slog.Logger) *slog.Logger { return l.With("p", map[string]any{"v": panicking{text}}) },
		"JSON web token":     func(l *slog.Logger) *slog.Logger { return l.With("j", "eyJhbGciOiJIUzI1NiJ9."+secret+secret+".x") },
		"private key":        func(l *slog.Logger) *slog.Logger { return l.With("k", "-----BEGIN PRIVATE KEY-----\n"+secret) },
		"number":             func(l *slog.Logger) *slog.Logger { return l.With("pin", 1, "otp", 9073) },
	} {
		for format, newHandler := range map[string]newHandler{"json": newJSON, "console": newConsole} {
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				var out bytes.Buffer
				ctx := logging.WithRequestID(t.Context(), "token="+secret)
				change(slog.New(newHandler(&out, nil))).InfoContext(ctx, "m", "after", 1)
				if strings.Contains(out.String(), secret) || strings.Contains(out.String(), "9073") {
					t.Errorf("the secret is in %s", out.String())
				}
				if !strings.Contains(out.String(), "[REDACTED]") {
					t.Errorf("nothing was redacted in %s", out.String())
				}
			})
		}
	}
}

type panicking struct{ text string }

func (p panicking) MarshalText() ([]byte, error) { panic(p.text) }

func TestOwnRedactor(t *testing.T) {
	t.Parallel()
	options := &logging.Options{Redactor: logging.NewRedactor(&logging.RedactorOptions{Keys: []string{"patient"}})}
	got := write(t.Context(), t, newJSON, options, record(slog.LevelInfo, "m", "patientId", "p-1", "password", "x"))
	if want := `"context":{"patientId":"[REDACTED]","password":"[REDACTED]"}`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// BenchmarkRedactorString redacts lines as programs log them.
func BenchmarkRedactorString(b *testing.B) {
	r := logging.NewRedactor(nil)
	for _, line := range []struct{ name, text string }{
		{"plain", "request handled in 5 ms by worker 7"},
		{"error", "alerting: store occurrences: pgalerts: begin: dial tcp 10.0.0.7:5432: connect: connection refused"},
		{"logfmt", `time=2023-10-26T10:30:00.123Z level=INFO msg="request handled" method=GET path=/api/users/42 status=200 bytes=5123 duration=5.31ms`},
		{"json", `{"time":"2023-10-26T10:30:00.123Z","level":"info","msg":"request handled","method":"GET","path":"/api/users/42","status":200,"bytes":5123,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}`},
		{"access", `10.0.0.7 - bob [26/Oct/2023:10:30:00 +0000] "GET /api/users?page=2&sort=name HTTP/1.1" 200 5123 "https://example.com/start" "Mozilla/5.0 (X11; Linux x86_64)"`},
		{"trace", strings.Repeat("goroutine 7 [running]:\nmain.(*worker).run(0xc0000b2000, {0x1234, 0x5678})\n\t/app/internal/worker/worker.go:123 +0x1f\n", 10)},
		{"secret", "connect postgres://bob:hunter2@db/audit: password=hunter2"},
	} {
		b.Run(line.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.String(line.text)
			}
		})
	}
}
