package auditwarden_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadmeShowsTheExamples holds the Go blocks of the README to be whole files of
// the examples, which are compiled and tested.
func TestReadmeShowsTheExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("examples/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, string(text))
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("the README has %d Go blocks", len(blocks))
	}
	for _, block := range blocks {
		program, _, closed := strings.Cut(block, "```")
		if !closed || !slices.Contains(examples, program) {
			t.Errorf("this Go block of the README is no file of the examples:\n%s", program)
		}
	}
}
