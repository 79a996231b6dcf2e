package logging_test

import (
	"crypto/ed25519"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/alerting/notify/ntfy"
	"github.com/auditwarden/auditwarden/alerting/notify/pagerduty"
	"github.com/auditwarden/auditwarden/alerting/notify/slack"
	"github.com/auditwarden/auditwarden/alerting/notify/webhook"
	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/logging"
)

// TestOwnErrors logs errors of this library about secrets: they stay readable, also
// after the name of a secret.
func TestOwnErrors(t *testing.T) {
	t.Setenv("AUDIT_CRYPTO_SECRET", "short")
	r := logging.NewRedactor(nil)
	var all []error
	add := func(_ any, err error) { all = append(all, err) }
	add(crypto.KeyFromEnv("k1", nil))
	add(crypto.NewHMACKey("", []byte("short"), nil))
	add(crypto.NewHMACKey("k1", []byte("short"), nil))
	add(crypto.NewPrivateKey("k1", crypto.Ed25519, nil, nil))
	add(crypto.NewPublicKey("k1", crypto.RSAPSSSHA256, ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)), nil))
	add(crypto.NewKeyring(nil))
	add(crypto.NewSigner(nil))
	add(webhook.New("http://example.com/x", []notify.Secret{notify.NewSecret("whsec_x")}, nil))
	add(webhook.New("https://example.com/x", nil, nil))
	add(slack.New(notify.NewSecret("ftp://example.com"), nil))
	add(slack.New(notify.Secret{}, nil))
	add(ntfy.New("no address", nil))
	add(pagerduty.New(notify.Secret{}, nil))
	for _, err := range all {
		if err == nil {
			t.Fatal("a mistake was not noticed")
		}
		for _, prefix := range []string{"", "AUDIT_CRYPTO_SECRET: ", "read token: ", "password: ", "authorization: "} {
			text := prefix + err.Error()
			check.Equal(t, "error", r.String(text), text)
			check.Equal(t, "attribute", r.Value("error", errors.New(text)), any(text))
		}
	}
}

// TestOwnTexts redacts the texts of all errors in the source of this library: there
// is no secret in them.
func TestOwnTexts(t *testing.T) {
	t.Parallel()
	r := logging.NewRedactor(nil)
	verbs := strings.NewReplacer("%w", "connection refused", "%q", `"x"`, "%d", "7", "%s", "x", "%v", "x", "%T", "int")
	precision := regexp.MustCompile(`%\.\d+`)
	texts := 0
	walk := func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		function, isSelector := call.Fun.(*ast.SelectorExpr)
		literal, isLiteral := call.Args[0].(*ast.BasicLit)
		if !isSelector || !isLiteral || literal.Kind != token.STRING || function.Sel.Name != "Errorf" && function.Sel.Name != "New" {
			return true
		}
		text := verbs.Replace(precision.ReplaceAllString(check.Must(strconv.Unquote(literal.Value))(t), "%"))
		check.Equal(t, "text", r.String(text), text)
		texts++
		return true
	}
	check.NoError(t, "walk", filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
			ast.Inspect(check.Must(parser.ParseFile(token.NewFileSet(), path, nil, 0))(t), walk)
		}
		return err
	}))
	if texts < 200 {
		t.Errorf("only %d texts were found", texts)
	}
}
