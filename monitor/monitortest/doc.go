// Package monitortest helps to test what uses package monitor, and what
// implements its ports: an event to start from, recorders for alerts and
// metrics, a few assertions, and the suites that every implementation of a port
// has to pass.
package monitortest
