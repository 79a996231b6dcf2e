package lognotify_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/notify/lognotify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/printable"
	"github.com/auditwarden/auditwarden/monitor"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	for severity, level := range map[monitor.Severity]string{
		monitor.SeverityCritical: "ERROR",
		monitor.SeverityHigh:     "ERROR",
		monitor.SeverityMedium:   "WARN",
		monitor.SeverityLow:      "INFO",
		monitor.SeverityInfo:     "INFO",
	} {
		n := notifytest.InStatus(monitor.AlertDismissed)
		n.Reason = alerting.ReasonOpened // it comes late
		n.Alert.Severity, n.Alert.Title = severity, notifytest.Hostile
		var out bytes.Buffer
		notifier := check.Must(lognotify.New(slog.New(slog.NewJSONHandler(&out, nil))))(t)
		if err := notifier.Notify(t.Context(), n); err != nil {
			t.Errorf("Notify = %v", err)
		}
		if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != 1 {
			t.Errorf("%d lines: %s", lines, &out)
		}
		var got struct {
			Level, Key, Reason string
			Alert              map[string]any
		}
		check.NoError(t, "decode", json.Unmarshal(out.Bytes(), &got))
		if got.Level != level || got.Key != n.Key || got.Reason != "opened" {
			t.Errorf("record %+v, want level %s", got, level)
		}
		for name, want := range map[string]any{
			"id": "alert-1", "organization": "acme", "rule": "failed_auth", "severity": severity.String(),
			"status": "dismissed", "title": printable.Line(notifytest.Hostile), "description": n.Alert.Description, "occurrences": 3.0,
			"counted":   printable.Line(n.Alert.Finding.Describe()),
			"firstSeen": "2026-03-01T02:29:00Z", "lastSeen": "2026-03-01T02:30:00Z",
		} {
			if got.Alert[name] != want {
				t.Errorf("%s = %v, want %v", name, got.Alert[name], want)
			}
		}
	}
}

// FuzzText: a record is one line with the names of a harmless one, and has nothing
// that a terminal obeys.
func FuzzText(f *testing.F) {
	for _, text := range notifytest.Texts() {
		f.Add(text)
	}
	write := func(tb testing.TB, n *alerting.Notification) string {
		var out bytes.Buffer
		notifier := check.Must(lognotify.New(slog.New(slog.NewJSONHandler(&out, nil))))(tb)
		check.NoError(tb, "Notify", notifier.Notify(tb.Context(), n))
		return out.String()
	}
	harmless := write(f, notifytest.Notification())
	f.Fuzz(func(t *testing.T, text string) {
		record := write(t, notifytest.Filled(notifytest.Notification(), text))
		check.Equal(t, "names", notifytest.Shape(t, record), notifytest.Shape(t, harmless))
		check.Equal(t, "line", record, printable.Line(record)+"\n")
	})
}

func TestNoLogger(t *testing.T) {
	t.Parallel()
	_, err := lognotify.New(nil)
	check.ErrorText(t, "new", err, "lognotify: make notifier: logger is nil")
}
