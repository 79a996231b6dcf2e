package teams_test

import (
	"testing"

	"github.com/auditwarden/auditwarden/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
