package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/auditwarden/auditwarden/monitor"
)

// loginFailures reports every failed login.
var loginFailures = monitor.DetectorFunc("login_failures", func(_ context.Context, e *monitor.Event, r *monitor.Reporter) error {
	return nil
})
