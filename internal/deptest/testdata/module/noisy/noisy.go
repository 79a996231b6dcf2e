// Package noisy does what a library must not do.
package noisy

import (
	"os"

	logger "log/slog"
)

// Library packages have no init functions.
func init() {
	logger.Default().Info("here I am")
}

// Leave ends the program.
func Leave() { os.Exit(1) }
