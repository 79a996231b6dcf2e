package leaktest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func block(release <-chan struct{}) { <-release }

func TestLeaked(t *testing.T) {
	if leaked := leaktest.Leaked(time.Second); leaked != nil {
		t.Fatalf("leaks before anything was started: %s", leaked)
	}
	release := make(chan struct{})
	go block(release)
	leaked := leaktest.Leaked(10 * time.Millisecond)
	if len(leaked) != 1 || !strings.Contains(leaked[0], "leaktest_test.block") {
		t.Errorf("leaked = %q, want the goroutine in block", leaked)
	}
	close(release)
	if leaked := leaktest.Leaked(5 * time.Second); leaked != nil {
		t.Errorf("leaks after it ended: %s", leaked)
	}
}

// TestLeakedFindsBurst has more goroutines than fit the first stack buffer.
func TestLeakedFindsBurst(t *testing.T) {
	const n = 2000
	release := make(chan struct{})
	for range n {
		go block(release)
	}
	if got := len(leaktest.Leaked(10 * time.Millisecond)); got != n {
		t.Errorf("%d goroutines leaked, want %d", got, n)
	}
	close(release)
}
