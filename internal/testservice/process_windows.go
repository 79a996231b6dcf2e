package testservice

import (
	"os"
	"os/exec"
)

// Windows cannot hold a process.
var pauseSignal, resumeSignal os.Signal = os.Interrupt, os.Interrupt

func unprivileged() *account { return nil }

func runAs(*exec.Cmd, *account) {}
