// Package monitor checks audit events as they happen: each event is verified,
// run through detectors, and turned into alerts.
package monitor
