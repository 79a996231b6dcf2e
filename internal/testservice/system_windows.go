package testservice

import (
	"os"
	"os/exec"
)

// Windows cannot pause a process.
var pauseSignal, resumeSignal os.Signal = os.Interrupt, os.Interrupt

func unprivileged() *account { return nil }

func runAs(*exec.Cmd, *account) {}

func signalChildren(*os.Process, os.Signal) error { return nil }
