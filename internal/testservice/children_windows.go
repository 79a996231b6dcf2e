package testservice

import "os"

// signalChildren does nothing: Windows cannot hold a process.
func signalChildren(*os.Process, os.Signal) error { return nil }
