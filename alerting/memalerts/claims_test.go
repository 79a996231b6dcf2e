package memalerts_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	alertingtest.RunClaims(t, alertingtest.ClaimsHarness{New: func(*testing.T) (here, there claims.Set) {
		claims := memalerts.NewClaims()
		return claims, claims
	}})
}
