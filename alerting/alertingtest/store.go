package alertingtest

import (
	"testing"

	"github.com/auditwarden/auditwarden/alerting/driver"
)

// A StoreHarness creates the stores that [RunStore] tests.
type StoreHarness struct {
	// New returns an empty store. It can call t.Cleanup.
	New func(t *testing.T) driver.Store
	// Reopen returns another store with the data of s, as a restarted or second
	// instance of the application would see them. It must be nil if the store is
	// volatile.
	Reopen func(t *testing.T, s driver.Store) driver.Store
}

// RunStore tests whether a store does what [driver.Store] demands, mostly through an
// [alerting.Manager], as applications use it. Each test case is a subtest that calls
// New. The cases use the real clock, so that they also work against a server.
func RunStore(t *testing.T, h StoreHarness) {
	t.Helper()
	for name, run := range storeCases() {
		t.Run(name, func(t *testing.T) {
			test := &storeTest{T: t, reopen: h.Reopen}
			test.use(h.New(t))
			run(test)
		})
	}
}

// storeCases are the test cases by name.
func storeCases() map[string]func(*storeTest) {
	return map[string]func(*storeTest){
		"Open":                  testOpen,
		"Join":                  testJoin,
		"OutOfOrder":            testOutOfOrder,
		"Batch":                 testBatch,
		"BatchAllOrNothing":     testBatchAllOrNothing,
		"Limits":                testLimits,
		"BeyondLimits":          testBeyondLimits,
		"RetryCountsOnce":       testRetryCountsOnce,
		"RetryAfterClose":       testRetryAfterClose,
		"RetryAfterLaterAlerts": testRetryAfterLaterAlerts,
		"IncidentEnds":          testIncidentEnds,
		"Copies":                testCopies,
		"Cooldown":              testCooldown,
		"CooldownSetting":       testCooldownSetting,
		"CooldownOff":           testCooldownOff,
		"CooldownAhead":         testCooldownAhead,
		"Suppression":           testSuppression,
		"SuppressionDaily":      testSuppressionDaily,
		"Silence":               testSilence,
		"Damping":               testDamping,
		"DampingEnds":           testDampingEnds,
		"HeldBack":              testHeldBack,
		"HeldBackLate":          testHeldBackLate,
		"HeldBackMany":          testHeldBackMany,
		"HeldBackSettings":      testHeldBackSettings,
		"HeldBackTimers":        testHeldBackTimers,
		"Lifecycle":             testLifecycle,
		"LifecycleFields":       testLifecycleFields,
		"Version":               testVersion,
		"ReopenConflict":        testReopenConflict,
		"ReopenOlder":           testReopenOlder,
		"History":               testHistory,
		"NotFound":              testNotFound,
		"List":                  testList,
		"ListFilters":           testListFilters,
		"ListPages":             testListPages,
		"ListPagesWhileWriting": testListPagesWhileWriting,
		"Statistics":            testStatistics,
		"Trends":                testTrends,
		"Purge":                 testPurge,
		"PurgeAll":              testPurgeAll,
		"Erase":                 testErase,
		"Evidence":              testEvidence,
		"EvidenceLimits":        testEvidenceLimits,
		"EvidenceErased":        testEvidenceErased,
		"PurgePredecessor":      testPurgePredecessor,
		"Settings":              testSettings,
		"AllSettings":           testAllSettings,
		"SettingsConflict":      testSettingsConflict,
		"Tenants":               testTenants,
		"TenantsByReference":    testTenantsByReference,
		"AllOrganizations":      testAllOrganizations,
		"ConcurrentOccurrences": testConcurrentOccurrences,
		"ConcurrentChanges":     testConcurrentChanges,
		"ConcurrentClosing":     testConcurrentClosing,
		"ConcurrentSettings":    testConcurrentSettings,
		"Durable":               testDurable,
		"Outbox":                testOutbox,
		"OutboxReasons":         testOutboxReasons,
		"OutboxSuppression":     testOutboxSuppression,
		"OutboxOpenedLate":      testOutboxOpenedLate,
		"OutboxOrder":           testOutboxOrder,
		"OutboxLease":           testOutboxLease,
		"OutboxRetry":           testOutboxRetry,
		"OutboxFairness":        testOutboxFairness,
		"OutboxRoundRobin":      testOutboxRoundRobin,
		"OutboxRouting":         testOutboxRouting,
		"OutboxRoutedOnce":      testOutboxRoutedOnce,
		"OutboxExpired":         testOutboxExpired,
		"OutboxPaused":          testOutboxPaused,
		"OutboxPurge":           testOutboxPurge,
		"OutboxTenants":         testOutboxTenants,
		"DeadLetters":           testDeadLetters,
		"RedriveFences":         testRedriveFences,
		"ConcurrentOutbox":      testConcurrentOutbox,
		"Escalation":            testEscalation,
		"EscalationAnswered":    testEscalationAnswered,
		"EscalationBySeverity":  testEscalationBySeverity,
		"SettingsReachAll":      testSettingsReachAll,
		"AutoResolve":           testAutoResolve,
		"AutoResolveQuiet":      testAutoResolveQuiet,
		"ConcurrentTimers":      testConcurrentTimers,
	}
}
