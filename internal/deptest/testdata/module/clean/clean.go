// Package clean keeps to the rules.
package clean

// Mind names a method and a variable like what is forbidden elsewhere.
type Mind struct{ slog struct{ Default func() } }

func (m Mind) init() {
	os := struct{ Exit func() }{}
	os.Exit()
	m.slog.Default()
}
