// Package memalerts stores alerts in memory. It is for tests, and for services that
// run as one instance and may lose their alerts on restart.
//
// It passes alertingtest.RunStore, as every backend does. [Options] MaxAlerts limits
// the alerts of an organization; open alerts are never evicted. A repeat of an open
// alert does not allocate memory.
package memalerts
