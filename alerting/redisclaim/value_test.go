package redisclaim

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecode reads values that somebody else wrote.
func FuzzDecode(f *testing.F) {
	for _, value := range []string{"HIGH 01980b7e-7cc4-7d2c-8d4c-5a4f4e6e2f11", "INFO  x ", "HIGH ", "HIGH", "high x", ""} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		severity, id, ok := decode(value)
		if ok {
			require.NotEmpty(t, id)
			require.Equal(t, value, encode(severity, id))
		}
	})
}
