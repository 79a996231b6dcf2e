package auditwarden_test

import (
	"os"
	"strings"
	"testing"
)

// The README's wiring is compiled and run: it is a part of Example.
func TestReadmeShowsTheExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "```go\n")
	snippet, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the README has no Go block")
	}
	if !strings.Contains(string(example), snippet) {
		t.Error("the README's Go block is not a part of example_test.go")
	}
}
