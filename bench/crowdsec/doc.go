// Package crowdsec compares a rule of monitor/detect with a leaky bucket of
// CrowdSec, as package bench does with other engines. It needs a C compiler:
//
//	GOWORK=off go test -bench . -benchmem ./...
package crowdsec
