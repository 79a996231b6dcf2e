package redisclaim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/claims"
	"github.com/auditwarden/auditwarden/alerting/pgalerts"
	"github.com/auditwarden/auditwarden/internal/testservice"
	"github.com/auditwarden/auditwarden/monitor"
)

// BenchmarkSecondInstance measures the first occurrences that an instance has of
// incidents that another one has just opened, each in a call of its own, and the
// flush of what was held back of them.
func BenchmarkSecondInstance(b *testing.B) {
	const incidents = 256
	shared := newClaims(b, testservice.SharedRedisClient(b), testservice.Prefix(b))
	pool := testservice.PostgresPool(b, testservice.Postgres(b).URL())
	require.NoError(b, pgalerts.Migrate(b.Context(), pool))
	for name, set := range map[string]claims.Set{"Claims": shared, "None": nil} {
		b.Run(name, func(b *testing.B) {
			store, err := pgalerts.New(pool, nil)
			require.NoError(b, err)
			first, second := newInstance(b, store, set), newInstance(b, store, set)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				var opened []*monitor.Occurrence
				var keys []string
				for range incidents {
					n++
					keys = append(keys, fmt.Sprint(b.Name(), b.N, "key", n))
					opened = append(opened, alertingtest.Occurrence("acme", keys[len(keys)-1], keys[len(keys)-1], time.Unix(0, 0)))
				}
				_, err := first.StoreOccurrences(b.Context(), opened)
				require.NoError(b, err)
				b.StartTimer()
				for _, key := range keys {
					second.occur(b, key, key+" again")
				}
				if err := second.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/occurrence")
			for _, i := range []*instance{first, second} {
				require.NoError(b, i.stop())
			}
		})
	}
}

// BenchmarkClaims measures the calls.
func BenchmarkClaims(b *testing.B) {
	client := testservice.SharedRedisClient(b)
	for _, n := range []int{1, 256} {
		var incidents []claims.AlertKey
		var all []claims.Claim
		for i := range n {
			all = append(all, claimOf(fmt.Sprint(i)))
			incidents = append(incidents, all[i].AlertKey)
		}
		for name, call := range map[string]func(c claims.Set) error{
			"Lookup": func(c claims.Set) error {
				_, err := c.Lookup(b.Context(), incidents)
				return err
			},
			"Claim": func(c claims.Set) error { return c.Claim(b.Context(), all, time.Minute) },
		} {
			b.Run(fmt.Sprint(name, n), func(b *testing.B) {
				c := newClaims(b, client, testservice.Prefix(b))
				claim(b, c, "0")
				b.ReportAllocs()
				for b.Loop() {
					if err := call(c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
