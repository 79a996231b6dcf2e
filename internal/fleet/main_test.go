package fleet_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/auditwarden/auditwarden/internal/leaktest"
)

// settingsVariable holds the settings of a process that is to be an instance.
const settingsVariable = "AUDITWARDEN_FLEET_INSTANCE"

func TestMain(m *testing.M) {
	text := os.Getenv(settingsVariable)
	if text == "" {
		leaktest.Main(m)
		return
	}
	if err := beInstance(text, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
