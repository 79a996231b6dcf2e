package benchtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/auditwarden/auditwarden/bench/benchtest"
)

func Example() {
	var b testing.B // that of the benchmark
	engine := benchtest.Auditwarden().New(&b, 1)
	at := time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)
	for range benchtest.Threshold {
		engine.Login(0, at)
		at = at.Add(time.Second)
	}
	fmt.Println(engine.Close(), "alert")
	// Output: 1 alert
}
