package lognotify_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/auditwarden/auditwarden/alerting/notify/lognotify"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
)

func Example() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case "level", "msg", "reason", "id", "status":
				return a
			}
			return slog.Attr{} // short enough for an example
		},
	}))
	notifier, err := lognotify.New(logger)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := notifier.Notify(context.Background(), notifytest.Notification()); err != nil {
		fmt.Println(err)
	}
	// Output: level=ERROR msg="alert notification" reason=opened alert.id=alert-1 alert.status=active
}
