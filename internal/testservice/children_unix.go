//go:build unix

package testservice

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// signalChildren pauses a process, so that it starts no other, and sends a signal
// to those that it has started.
func signalChildren(parent *os.Process, signal os.Signal) error {
	if err := parent.Signal(pauseSignal); err != nil {
		return err
	}
	list, err := exec.Command("ps", "-A", "-o", "ppid=,pid=").Output()
	if err != nil {
		return fmt.Errorf("ps: %w", err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		var ppid, pid int
		if _, err := fmt.Sscan(lines.Text(), &ppid, &pid); err != nil {
			return fmt.Errorf("ps: %w", err)
		}
		if ppid != parent.Pid {
			continue
		}
		child, err := os.FindProcess(pid)
		if err == nil {
			err = child.Signal(signal)
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	return nil
}
