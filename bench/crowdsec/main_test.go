package crowdsec_test

import (
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/auditwarden/auditwarden/internal/leaktest"
)

func TestMain(m *testing.M) {
	logrus.SetLevel(logrus.WarnLevel) // its lines would stand among the results
	leaktest.Main(m)
}
