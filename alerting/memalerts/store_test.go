package memalerts_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
)

func TestStore(t *testing.T) {
	t.Parallel()
	alertingtest.RunStore(t, alertingtest.StoreHarness{
		New: func(*testing.T) alerting.Store { return memalerts.New(nil) },
	})
}

func BenchmarkStore(b *testing.B) {
	alertingtest.BenchmarkStore(b, func(*testing.B) alerting.Store { return memalerts.New(nil) })
}
