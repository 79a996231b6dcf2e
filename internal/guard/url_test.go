package guard_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/guard"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://example.com/s3cret?s3cret": "",
		"http://[::1]:8080":                 "",
		"":                                  "missing",
		"s3cret":                            "does not begin with https:// or http://",
		"https://":                          "has no host",
		"https:///s3cret":                   "has no host",
		"https://:443/s3cret":               "has no host",
		"https:s3cret":                      "has no host",
		"ftp://example.com/s3cret":          "does not begin with https:// or http://",
		"file:///s3cret":                    "does not begin with https:// or http://",
		"https://exa mple.com/s3cret":       "is not a URL",
		"https://example.com:s3cret":        "is not a URL",
		"https://example.com/s3cret\x7f":    "is not a URL",
		"https://example.com/%zzs3cret":     "is not a URL",
		"https://example.com/s3cret ":       "is not a URL",
		"https://example.com/s3cret\n":      "is not a URL",
		"https://example.com:65536/s3cret":  "has a port that does not exist",
		"https://example.com:0/s3cret":      "has a port that does not exist",
		"https://example.com:/s3cret":       "",
	} {
		_, err := guard.ParseURL(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		check.Equal(t, "error about "+text, got, want)
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
