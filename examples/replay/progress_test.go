package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	p := &progress{in: iotest.OneByteReader(strings.NewReader("abcd")), terminal: &terminal, size: 4}
	buf := make([]byte, 4)
	for range 2 {
		n, err := p.Read(buf)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	n, err := io.WriteString(p, "a message\n")
	require.NoError(t, err)
	assert.Equal(t, len("a message\n"), n)
	rest, err := io.ReadAll(p)
	require.NoError(t, err)
	assert.Equal(t, "cd", string(rest))
	_, err = io.WriteString(p, "the end\n")
	require.NoError(t, err)
	bar := func(full int) string {
		return "[" + strings.Repeat("#", full) + strings.Repeat(".", 40-full) + "] "
	}
	want := clearLine + bar(10) + " 25 %" + clearLine + bar(20) + " 50 %" +
		clearLine + "a message\n" + bar(20) + " 50 %" +
		clearLine + bar(30) + " 75 %" + clearLine + bar(40) + "100 %" + clearLine + "the end\n"
	assert.Equal(t, want, terminal.String())
}

// TestProgressOfUnknownSize shows only what changes.
func TestProgressOfUnknownSize(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	p := &progress{in: strings.NewReader(strings.Repeat("x", 2<<20)), terminal: &terminal}
	_, err := io.Copy(io.Discard, p)
	require.NoError(t, err)
	want := clearLine + "0 MB" + clearLine + "1 MB" + clearLine + "2 MB" + clearLine
	assert.Equal(t, want, terminal.String())
}

// TestNoProgress has messages go to a file: there is no bar in it.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "messages")
	file, err := os.Create(path)
	require.NoError(t, err)
	defer file.Close()
	var out strings.Builder
	assert.Equal(t, statusOK, run([]string{"-format", "table", "testdata/day.jsonl"}, nil, &out, file))
	messages, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Empty(t, string(messages))
	assert.False(t, isTerminal(file))
	assert.False(t, isTerminal(&out))
}

func TestSizeOf(t *testing.T) {
	t.Parallel()
	file, err := os.Open(thresholds)
	require.NoError(t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(t, err)
	assert.Equal(t, info.Size(), sizeOf(file))
	folder, err := os.Open("testdata")
	require.NoError(t, err)
	defer folder.Close()
	assert.Zero(t, sizeOf(folder))
	assert.Zero(t, sizeOf(strings.NewReader("x")))
}
