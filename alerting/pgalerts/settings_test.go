package pgalerts_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func testAllSettingsInPages(t *testing.T, server string) {
	pool := migrated(t, server)
	const organizations = 2000
	run(t, pool, `INSERT INTO auditwarden_alert_settings (organization_id, version, settings)
		SELECT 'o' || n, n + 0, jsonb_build_object('version', n) FROM generate_series(1, $1) AS n`, organizations)
	all, err := newStore(t, pool, nil).AllSettings(t.Context())
	require.NoError(t, err)
	require.Len(t, all, organizations)
	for n := range int64(organizations) {
		require.Equal(t, n+1, all[fmt.Sprint("o", n+1)].Version)
	}
}
