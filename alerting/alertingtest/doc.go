// Package alertingtest tests implementations of driver.Store and claims.Set. RunStore
// tests whether a store does what driver.Store demands, BenchmarkStore measures its
// speed, and RunClaims tests a claims.Set.
//
//	func TestStore(t *testing.T) {
//		alertingtest.RunStore(t, alertingtest.StoreHarness{
//			New: func(*testing.T) driver.Store { return memalerts.New(nil) },
//		})
//	}
package alertingtest
