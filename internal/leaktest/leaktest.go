// Package leaktest fails a package's tests when they leave goroutines behind.
//
//	func TestMain(m *testing.M) { leaktest.Main(m) }
package leaktest

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"
)

// Main runs the tests and exits with their status. If the tests pass but leave
// goroutines behind, it prints the stacks of these and exits with 1.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if leaked := Leaked(5 * time.Second); len(leaked) > 0 {
			fmt.Fprintf(os.Stderr, "leaktest: %d goroutines left:\n\n%s\n", len(leaked), strings.Join(leaked, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// Leaked waits for other goroutines to end, and returns the stacks of those that are
// left after the timeout. Those of the runtime and of package testing do not count.
func Leaked(timeout time.Duration) []string {
	for wait := time.Millisecond; timeout > 0; wait *= 2 {
		if len(others()) == 0 {
			return nil
		}
		<-time.After(min(wait, timeout))
		timeout -= wait
	}
	return others()
}

// others returns the stacks of the goroutines that a test may have started.
func others() []string {
	all := strings.Split(strings.TrimSpace(stacks()), "\n\n")
	return slices.DeleteFunc(all[1:], harmless) // the caller's stack comes first
}

// stacks returns the complete stacks of all goroutines.
func stacks() string {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2) // a Builder takes everything
	return all.String()
}

// harmless reports whether a goroutine belongs to the runtime or to package
// testing. The runtime does not show most of its own goroutines.
func harmless(stack string) bool {
	own := []string{
		"runtime.ensureSigM", "os/signal.signal_recv", "os/signal.loop", // the signal handling of go test
		"testing.tRunner", "testing.(*M).", "testing.RunFuzzWorker", "testing/internal/testdeps.",
		"runtime/pprof.profileWriter", "runtime/trace.Start", // -cpuprofile, -trace
	}
	return slices.ContainsFunc(own, func(name string) bool { return strings.Contains(stack, "\n"+name) })
}
