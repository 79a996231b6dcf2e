// Package memalerts keeps alerts in memory: for services that run as one
// instance and may forget closed alerts on restart, and for tests.
//
// It passes alertingtest.RunStore, as every backend does. What it holds per
// organization is bounded by [Options] MaxAlerts; only open alerts are never
// evicted. A repeat of an open alert costs no allocation.
package memalerts
