// Package lognotify writes each notification to a logger, as a record with the
// message "alert notification". The level is error for CRITICAL and HIGH alerts,
// warn for MEDIUM and info for the others. Each text is one line without control
// characters, so that a reader at a terminal sees what is there.
package lognotify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/internal/printable"
	"github.com/auditwarden/auditwarden/monitor"
)

// A Notifier writes to one logger. It is safe for concurrent use.
type Notifier struct {
	logger *slog.Logger
}

// New returns a notifier that writes to the logger, which must not be nil.
func New(logger *slog.Logger) (*Notifier, error) {
	if logger == nil {
		return nil, errors.New("lognotify: make notifier: logger is nil")
	}
	return &Notifier{logger}, nil
}

// Notify writes the record. It always returns nil: a logger reports no errors.
func (l *Notifier) Notify(ctx context.Context, n *alerting.Notification) error {
	a := n.Alert
	l.logger.LogAttrs(ctx, level(a.Severity), "alert notification",
		slog.String("key", printable.Line(n.Key)),
		slog.String("reason", string(n.Reason)),
		slog.Group("alert",
			slog.String("id", printable.Line(a.ID)),
			slog.String("organization", printable.Line(a.OrganizationID)),
			slog.String("rule", printable.Line(a.Finding.Rule)),
			slog.String("severity", a.Severity.String()),
			slog.String("status", string(a.Status)),
			slog.String("title", printable.Line(a.Title)),
			slog.String("description", printable.Line(a.Description)),
			slog.String("counted", printable.Line(a.Finding.Describe())),
			slog.Int64("occurrences", a.Occurrences),
			slog.String("firstSeen", a.FirstSeen.UTC().Format(time.RFC3339Nano)),
			slog.String("lastSeen", a.LastSeen.UTC().Format(time.RFC3339Nano)),
		),
	)
	return nil
}

func level(s monitor.Severity) slog.Level {
	switch {
	case s >= monitor.SeverityHigh:
		return slog.LevelError
	case s == monitor.SeverityMedium:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
