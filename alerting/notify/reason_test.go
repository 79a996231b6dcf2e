package notify_test

import (
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/internal/check"
)

// TestReason has what the destinations answer, and what proxies and pages answer in
// their place.
func TestReason(t *testing.T) {
	t.Parallel()
	secret := notify.NewSecret("/services/T000/s3cret-path")
	for text, want := range map[string][2]string{
		"":                      {"", ""},
		"channel_is_archived":   {"channel_is_archived", "channel_is_archived"},
		" no_service\r\n":       {"no_service", "no_service"},
		`"unexpected status"`:   {"unexpected status", "unexpected status"},
		"5.1.1 mailbox unknown": {"5.1.1 mailbox unknown", "5.1.1 mailbox unknown"},
		`{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is invalid"]}`: {
			"Event object is invalid: 'routing_key' is invalid", "Event object is invalid: 'routing_key' is invalid",
		},
		`{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs/publish/#authentication"}`: {"forbidden", "forbidden"},
		`{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow"}}`:             {"Could not execute workflow", "Could not execute workflow"},
		`{"ok":false}`:    {"", ""},
		`[{"a":1},"two"]`: {"two", "two"},
		"<html><body>Please log in</body></html>":                          {"", ""},
		"connect to 10.1.2.3 failed":                                       {"connect to … failed", "connect to 10.1.2.3 failed"},
		"1.1.1.1 and ::1 say no":                                           {"… and … say no", "1.1.1.1 and ::1 say no"},
		"squid01: denied by proxy.corp.example":                            {"… denied by …", "squid01: denied by proxy.corp.example"},
		"see https://example.com/x?y, please":                              {"see … please", "see https://example.com/x?y, please"},
		"bob@example.com is unknown":                                       {"… is unknown", "bob@example.com is unknown"},
		"POST /services/T000/s3cret-path failed":                           {"POST … failed", "POST [REDACTED] failed"},
		"the place 's3cret' is none":                                       {"the place … is none", "the place '[REDACTED]' is none"},
		"key=e93facc04764012d7bfb002500d5d1a6":                             {"…", "key=[REDACTED]"},
		"bad\x00\x1b[31m\u202eline\nnext":                                  {"bad … line next", "bad [31m line next"},
		"certificate is valid for db.internal, not dead::":                 {"certificate is valid for … not …", "certificate is valid for db.internal, not dead::"},
		"port 8080, status 429.":                                           {"port … status 429.", "port 8080, status 429."},
		"'xs3cretx'":                                                       {"…", "'x[REDACTED]x'"},
		strings.Repeat("word ", 200):                                       {strings.Repeat("word ", 39) + "wo…", strings.Repeat("word ", 79) + "wo…"},
		strings.Repeat(`{"error":`, 5) + `"deep"` + strings.Repeat("}", 5): {"", ""},
		`{"error":"cut off`:                                                {"… off", `{"error":"cut off`},
	} {
		public, detail := notify.Reason(text, secret)
		check.Equal(t, "for everybody: "+text, public, want[0])
		check.Equal(t, "for the operator: "+text, detail, want[1])
		if len(public) > 200 || len(detail) > 400 {
			t.Errorf("%d and %d bytes", len(public), len(detail))
		}
	}
	public, detail := notify.Reason("is not !@#$%^ or so", notify.NewSecret("!@#$%^"))
	check.Equal(t, "for everybody", public, "is not … or so")
	check.Equal(t, "for the operator", detail, "is not [REDACTED] or so")
}

func FuzzReason(f *testing.F) {
	f.Add("channel_is_archived", "T0KEN")
	f.Add(`{"error":{"message":"key T0KEN at 10.1.2.3"}}`, "T0KEN")
	f.Add("\x00\u202e=?utf-8?q?x?=", "\xff")
	f.Fuzz(func(t *testing.T, text, secret string) {
		public, detail := notify.Reason(text, notify.NewSecret(secret))
		if public != notify.Line(public) || detail != notify.Line(detail) || len(public) > 200 || len(detail) > 400 {
			t.Errorf("reason %q, %q", public, detail)
		}
		if strings.ContainsAny(public, "/@<>&=\\") {
			t.Errorf("reason for everybody %q", public)
		}
		const hidden = "[REDACTED]"
		if len(secret) >= 4 && !strings.Contains(hidden, secret) && !strings.ContainsAny(secret, " …[]") && (strings.Contains(public, secret) || strings.Contains(detail, secret)) {
			t.Errorf("reason %q, %q has %q", public, detail, secret)
		}
	})
}
