// Package alertingtest tests implementations of driver.Store: RunStore tells
// whether one keeps its promises, and BenchmarkStore how fast it is. RunClaims
// tests a claims.Set.
//
//	func TestStore(t *testing.T) {
//		alertingtest.RunStore(t, alertingtest.StoreHarness{
//			New: func(*testing.T) driver.Store { return memalerts.New(nil) },
//		})
//	}
package alertingtest
