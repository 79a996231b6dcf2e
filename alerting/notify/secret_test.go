package notify_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/alerting/notify"
	"github.com/auditwarden/auditwarden/internal/check"
)

func TestCheckToken(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"": true, "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2": true, "!~+/=": true,
		"s3cret\n": false, "s3cret\r\nX: y": false, " s3cret": false, "s3 cret": false, "s3cret\x00": false, "s3crét": false, "s3cret\xff": false,
	} {
		err := notify.NewSecret(text).CheckToken()
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "s3") {
			t.Errorf("CheckToken of %q = %v", text, err)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	const text = "s3cret"
	s := notify.NewSecret(text)
	type options struct {
		Key    notify.Secret
		hidden notify.Secret
	}
	o := options{s, s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "options", o)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "options", &o)
	encoded := check.Must(json.Marshal(o))(t)
	shown := []string{log.String(), string(encoded), fmt.Errorf("options %v", o).Error()}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown = append(shown, fmt.Sprintf(format, s), fmt.Sprintf(format, &s), fmt.Sprintf(format, o), fmt.Sprintf(format, &o), fmt.Sprintf(format, []any{s, o}))
	}
	for _, text := range shown {
		for _, form := range []string{"s3cret", "733363726574", "115 51"} {
			if strings.Contains(text, form) {
				t.Errorf("it shows: %s", text)
			}
		}
	}
	if got := s.String(); got != "[REDACTED]" || s.IsZero() || s.Reveal() != text {
		t.Errorf("String = %q, Reveal = %q", got, s.Reveal())
	}
	for _, empty := range []notify.Secret{{}, notify.NewSecret("")} {
		if empty.String() != "" || !empty.IsZero() || empty.Reveal() != "" {
			t.Errorf("the empty secret: %q, %q", empty.String(), empty.Reveal())
		}
	}
}
