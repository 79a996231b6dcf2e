// Package monitortest helps to test code that uses package monitor or implements
// its ports. It provides a sample event, recorders for alerts and metrics, a few
// assertions, and the test suites that every implementation of a port must pass.
package monitortest
