package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// progress shows in the last line of a terminal how much of the input was read,
// until the input ends. The input is read through it, and messages are written
// through it.
type progress struct {
	in       io.Reader
	terminal io.Writer
	size     int64 // of the input; 0 if it is not known
	read     int64
	shown    string
}

func (p *progress) Read(buf []byte) (int, error) {
	n, err := p.in.Read(buf)
	p.read += int64(n)
	if err != nil {
		p.clear()
	} else if bar := p.bar(); bar != p.shown {
		p.shown = bar
		fmt.Fprint(p.terminal, clearLine, bar)
	}
	return n, err
}

// Write writes a message, which ends with a line break, above the bar.
func (p *progress) Write(message []byte) (int, error) {
	bar := p.shown
	p.clear()
	n, err := p.terminal.Write(message)
	if p.shown = bar; bar != "" {
		fmt.Fprint(p.terminal, bar)
	}
	return n, err
}

// clear removes the bar.
func (p *progress) clear() {
	if p.shown != "" {
		fmt.Fprint(p.terminal, clearLine)
	}
	p.shown = ""
}

const clearLine = "\r\x1b[K"

func (p *progress) bar() string {
	const width = 40
	if p.size == 0 {
		return fmt.Sprintf("%d MB", p.read>>20)
	}
	done := float64(min(p.read, p.size)) / float64(p.size)
	full := int(done * width)
	return fmt.Sprintf("[%s%s] %3d %%", strings.Repeat("#", full), strings.Repeat(".", width-full), int(done*100))
}

// isTerminal reports whether a writer is a terminal or another character device.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// sizeOf returns the size of a regular file, and 0 for any other input.
func sizeOf(in io.Reader) int64 {
	file, ok := in.(*os.File)
	if !ok {
		return 0
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
