package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	p := &progress{in: iotest.OneByteReader(strings.NewReader("abcd")), terminal: &terminal, size: 4}
	buf := make([]byte, 4)
	for range 2 {
		if n, err := p.Read(buf); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if n, err := io.WriteString(p, "a message\n"); n != len("a message\n") || err != nil {
		t.Errorf("%d bytes written, error %v", n, err)
	}
	if rest, err := io.ReadAll(p); string(rest) != "cd" || err != nil {
		t.Errorf("read %q, error %v", rest, err)
	}
	if _, err := io.WriteString(p, "the end\n"); err != nil {
		t.Error(err)
	}
	bar := func(full int) string {
		return "[" + strings.Repeat("#", full) + strings.Repeat(".", 40-full) + "] "
	}
	want := clearLine + bar(10) + " 25 %" + clearLine + bar(20) + " 50 %" +
		clearLine + "a message\n" + bar(20) + " 50 %" +
		clearLine + bar(30) + " 75 %" + clearLine + bar(40) + "100 %" + clearLine + "the end\n"
	if got := terminal.String(); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// TestProgressOfUnknownSize shows only what changes.
func TestProgressOfUnknownSize(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	p := &progress{in: strings.NewReader(strings.Repeat("x", 2<<20)), terminal: &terminal}
	if _, err := io.Copy(io.Discard, p); err != nil {
		t.Fatal(err)
	}
	want := clearLine + "0 MB" + clearLine + "1 MB" + clearLine + "2 MB" + clearLine
	if got := terminal.String(); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// TestNoProgress has messages go to a file: there is no bar in it.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out strings.Builder
	if status := run([]string{"-format", "table", "testdata/day.jsonl"}, nil, &out, file); status != statusOK {
		t.Errorf("status %d", status)
	}
	if messages, err := os.ReadFile(path); err != nil || len(messages) > 0 {
		t.Errorf("messages %q, error %v", messages, err)
	}
	if isTerminal(file) || isTerminal(&out) {
		t.Error("a file or a buffer is taken for a terminal")
	}
}

func TestSizeOf(t *testing.T) {
	t.Parallel()
	file, err := os.Open(thresholds)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if got := sizeOf(file); got != info.Size() {
		t.Errorf("size %d, want %d", got, info.Size())
	}
	folder, err := os.Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if got := sizeOf(folder); got != 0 {
		t.Errorf("the size of a folder is %d", got)
	}
	if got := sizeOf(strings.NewReader("x")); got != 0 {
		t.Errorf("the size of a stream is %d", got)
	}
}
