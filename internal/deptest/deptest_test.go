package deptest_test

import (
	"slices"
	"testing"

	"github.com/auditwarden/auditwarden/internal/check"
	"github.com/auditwarden/auditwarden/internal/deptest"
)

func load(t *testing.T) *deptest.Module {
	t.Helper()
	m := check.Must(deptest.Load(t.Context(), "testdata/module"))(t)
	return m
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	m := load(t)
	if m.Path != "example.org/module" {
		t.Errorf("path %q", m.Path)
	}
	want := []string{"", "circle", "clean", "core", "leaf", "noisy"}
	if got := m.Packages(); !slices.Equal(got, want) {
		t.Errorf("packages %q, want %q", got, want)
	}
	foreign := []string{"example.org/foreign"}
	for _, c := range []struct {
		name         string
		foreign, own []string
	}{
		{"clean", nil, nil},
		{"leaf", foreign, []string{"clean"}},
		{"core", foreign, []string{"clean"}}, // foreign by a test, through leaf
		{"noisy", nil, nil},
		{"", nil, nil},
		{"no/such/package", nil, nil},
	} {
		if got := m.Foreign(c.name); !slices.Equal(got, c.foreign) {
			t.Errorf("%s: foreign %q, want %q", c.name, got, c.foreign)
		}
		if got := m.Own(c.name); !slices.Equal(got, c.own) {
			t.Errorf("%s: own %q, want %q", c.name, got, c.own)
		}
	}
}

func TestStandard(t *testing.T) {
	t.Parallel()
	m := load(t)
	if got := m.Standard("noisy"); !slices.Contains(got, "os") || slices.Contains(got, "clean") {
		t.Errorf("noisy: standard %q", got)
	}
	if got := m.Standard("no/such/package"); len(got) != 0 {
		t.Errorf("no package: standard %q", got)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	m := load(t)
	imports := []string{"C", "testing"}
	uses := []string{"os.Exit", "log/slog.Default"}
	for _, c := range []struct {
		name string
		want []string
	}{
		{"clean", nil},
		{"noisy", []string{
			"noisy.go:11: has an init function",
			"noisy.go:12: uses log/slog.Default",
			"noisy.go:16: uses os.Exit",
			"other_system.go:7: imports C",
			"other_system.go:8: imports testing",
		}},
	} {
		got, err := m.Source(c.name, imports, uses)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q and error %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := m.Source("no/such/package", nil, nil); err == nil {
		t.Error("a missing package has no error")
	}
}

func TestCycles(t *testing.T) {
	t.Parallel()
	m := load(t)
	files := check.Must(deptest.LoadFiles(t.Context(), "testdata/module", m))(t)
	for name, want := range map[string][]string{
		"circle": {"middle.go uses count of part.go", "part.go uses Middle of middle.go"},
		"clean":  nil,
	} {
		got, err := files.Cycles(name)
		check.NoError(t, name, err)
		check.Equal(t, name, got, want)
	}
	if _, err := files.Cycles("no/such/package"); err == nil {
		t.Error("a missing package has no error")
	}
}

func TestLoadOutsideModule(t *testing.T) {
	t.Parallel()
	if _, err := deptest.Load(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder without a module has no error")
	}
	if _, err := deptest.LoadFiles(t.Context(), t.TempDir(), load(t)); err == nil {
		t.Error("a folder without a module has no files")
	}
}
