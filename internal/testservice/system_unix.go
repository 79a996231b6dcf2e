//go:build unix

package testservice

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
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
	err := exec.Command("pkill", fmt.Sprintf("-%d", signal), "-P", strconv.Itoa(parent.Pid)).Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		return nil // it has none
	}
	return err
}
