package auditwarden_test

import (
	"os"
	"strings"
	"testing"
)

// The README's wiring is compiled, and run where that needs no server: its Go
// blocks are parts of the examples.
func TestReadmeShowsTheExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) != 2 {
		t.Fatalf("the README has %d Go blocks, want 2", len(blocks))
	}
	for _, block := range blocks {
		snippet, _, closed := strings.Cut(block, "```")
		if !closed || !strings.Contains(string(examples), snippet) {
			t.Errorf("this Go block of the README is not a part of example_test.go:\n%s", snippet)
		}
	}
}
