// Package alertingtest tests implementations of [alerting.Store]: RunStore says
// whether one keeps the contract, BenchmarkStore how fast it is. RunClaims does
// the former for [alerting.Claims].
//
//	func TestStore(t *testing.T) {
//		alertingtest.RunStore(t, alertingtest.StoreHarness{
//			New: func(*testing.T) alerting.Store { return memalerts.New(nil) },
//		})
//	}
package alertingtest
