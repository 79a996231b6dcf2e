//go:build unix

package testservice

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"syscall"
)

const (
	pauseSignal  = syscall.SIGSTOP
	resumeSignal = syscall.SIGCONT
)

// unprivileged returns an account for servers that refuse to run as root, or nil
// if the test does not run as root.
func unprivileged() *account {
	if syscall.Getuid() != 0 {
		return nil
	}
	a := &account{65534, 65534}
	for _, name := range []string{"nobody", "postgres"} { // the last that exists
		if u, err := user.Lookup(name); err == nil {
			_, _ = fmt.Sscan(u.Uid+" "+u.Gid, &a.uid, &a.gid) // both are numbers on Unix
		}
	}
	return a
}

// runAs makes the program run under an account, in a process group of its own, and
// end with the test.
func runAs(cmd *exec.Cmd, a *account) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// signalChildren pauses a process, so that it starts no others, and sends a signal
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
		child, _ := os.FindProcess(pid) // which always succeeds on Unix
		if err := child.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	return nil
}
