package alerting

import (
	"context"
	"fmt"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// A driverStore is a driver.Store, whose documentation says what the methods must do.
// It is declared here, too, because package driver imports this one.
type driverStore interface {
	StoreOccurrences(ctx context.Context, os []*monitor.Occurrence) ([]monitor.Disposition, error)
	Change(ctx context.Context, ref monitor.AlertRef, to monitor.AlertStatus, by, note string) (*monitor.Alert, error)
	Get(ctx context.Context, ref monitor.AlertRef) (*monitor.Alert, []Change, error)
	Evidence(ctx context.Context, ref monitor.AlertRef) ([]string, error)
	List(ctx context.Context, q Query) ([]*monitor.Alert, error)
	Count(ctx context.Context, q Query) (int, error)
	Statistics(ctx context.Context, q StatisticsQuery) (*Statistics, error)
	Purge(ctx context.Context, organization string, before time.Time) (int, error)
	Erase(ctx context.Context, organization, name string) (Erased, error)
	Settings(ctx context.Context, organization string) (Settings, error)
	AllSettings(ctx context.Context) (map[string]Settings, error)
	SaveSettings(ctx context.Context, organization string, s Settings, by string) (Settings, error)
	RunTimers(ctx context.Context) (escalated, resolved int, err error)
	outbox
}

type outbox interface {
	ClaimNotifications(
		ctx context.Context, route string, routes []Route, paused []string, limit int, lease time.Duration,
	) ([]*Notification, error)
	SettleNotifications(ctx context.Context, ds []Delivery) error
	DeadLetters(ctx context.Context, q DeadLetterQuery) ([]*Notification, error)
	Redrive(ctx context.Context, organization, route string) (int, error)
	Backlog(ctx context.Context) (Backlog, error)
}

// failed wraps the error of an operation. It returns nil if err is nil.
func failed(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("alerting: %s: %w", operation, err)
}
