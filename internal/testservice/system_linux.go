package testservice

import "syscall"

// endWithParent makes a program end when the test's process ends.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
