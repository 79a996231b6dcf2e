package alertingtest

import (
	"testing"

	"github.com/auditwarden/auditwarden/alerting/driver"
)

// A StoreHarness makes the stores that [RunStore] tests.
type StoreHarness struct {
	// New returns an empty store, to be cleaned up by t.
	New func(t *testing.T) driver.Store
	// Reopen returns another store over what s has stored, as a restarted or
	// second instance of the application would use. Nil means that the store is
	// volatile.
	Reopen func(t *testing.T, s driver.Store) driver.Store
}

// RunStore tests that a store does what [driver.Store] promises, most of it through
// an [alerting.Manager] as applications use it. Every case is a subtest with a
// store of its own. The cases use the real clock and may run against a server.
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

// storeCases are the cases by name.
func storeCases() map[string]func(*storeTest) {
	return map[string]func(*storeTest){
		"Open":                  testOpen,
		"Join":                  testJoin,
		"OutOfOrder":            testOutOfOrder,
		"Batch":                 testBatch,
		"BatchAllOrNothing":     testBatchAllOrNothing,
		"RetryCountsOnce":       testRetryCountsOnce,
		"RetryAfterClose":       testRetryAfterClose,
		"IncidentEnds":          testIncidentEnds,
		"Copies":                testCopies,
		"Cooldown":              testCooldown,
		"CooldownSetting":       testCooldownSetting,
		"CooldownOff":           testCooldownOff,
		"Suppression":           testSuppression,
		"SuppressionDaily":      testSuppressionDaily,
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
		"PurgePredecessor":      testPurgePredecessor,
		"Settings":              testSettings,
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
		"OutboxOrder":           testOutboxOrder,
		"OutboxLease":           testOutboxLease,
		"OutboxRetry":           testOutboxRetry,
		"OutboxFairness":        testOutboxFairness,
		"OutboxRouting":         testOutboxRouting,
		"OutboxRoutedOnce":      testOutboxRoutedOnce,
		"OutboxExpired":         testOutboxExpired,
		"OutboxPurge":           testOutboxPurge,
		"OutboxTenants":         testOutboxTenants,
		"DeadLetters":           testDeadLetters,
		"ConcurrentOutbox":      testConcurrentOutbox,
		"Escalation":            testEscalation,
		"EscalationAnswered":    testEscalationAnswered,
		"EscalationBySeverity":  testEscalationBySeverity,
		"AutoResolve":           testAutoResolve,
		"AutoResolveQuiet":      testAutoResolveQuiet,
		"ConcurrentTimers":      testConcurrentTimers,
	}
}
