package guard_test

import (
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/guard"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"https://example.com/s3cret?s3cret": true,
		"http://[::1]:8080":                 true,
		"":                                  false,
		"s3cret":                            false,
		"https://":                          false,
		"https:///s3cret":                   false,
		"https://:443/s3cret":               false,
		"https:s3cret":                      false,
		"ftp://example.com/s3cret":          false,
		"file:///s3cret":                    false,
		"https://exa mple.com/s3cret":       false,
		"https://example.com:s3cret":        false,
		"https://example.com/s3cret\x7f":    false,
		"https://example.com/%zzs3cret":     false,
	} {
		_, err := guard.ParseURL(text)
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("ParseURL(%q) = %v", text, err)
		}
	}
}

func TestRequireTLS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://example.com":        true,
		"http://localhost:8080":      true,
		"http://127.0.0.1":           true,
		"http://127.1.2.3":           true,
		"http://[::1]:8080":          true,
		"http://[::ffff:127.0.0.1]":  true,
		"http://example.com":         false,
		"http://10.0.0.1":            false,
		"http://localhost.evil.com":  false,
		"http://127.0.0.1.evil.com":  false,
		"http://localhost@evil.com/": false,
	} {
		u := check.Must(guard.ParseURL(text))(t)
		if err := guard.RequireTLS(u); (err == nil) != want {
			t.Errorf("RequireTLS(%q) = %v", text, err)
		}
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	u := check.Must(guard.ParseURL("https://ann:s3cret@example.com:8443/s3cret?s3cret#s3cret"))(t)
	if got, want := guard.Origin(u), "https://example.com:8443"; got != want {
		t.Errorf("Origin = %q, want %q", got, want)
	}
}
