// Command replay tells what the rules would have found in recorded audit events,
// to try thresholds on history:
//
//	go run ./examples/replay -config thresholds.json events.jsonl
//
// It reads one event a line, goes by the timestamps of the events and prints a
// JSON line for each qualifying event, or a table. See replay -h.
package main

import (
	"os"
	_ "time/tzdata" // -timezone must not depend on the machine
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
