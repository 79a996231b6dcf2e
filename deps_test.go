package auditwarden_test

import (
	"errors"
	"go/build"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/auditwarden/auditwarden/internal/deptest"
)

// The packages that an importer gets without a dependency, besides those that
// lean calls so by their name.
var leanPackages = []string{
	"monitor/detect", "crypto", "metrics", "alerting", "alerting/claims", "alerting/driver", "logging",
}

func lean(name string) bool {
	base := path.Base(name)
	return slices.Contains(leanPackages, name) || strings.HasPrefix(base, "mem") || testPackage(name)
}

// testPackage reports whether a package is there for tests: a suite, a double.
func testPackage(name string) bool {
	return strings.HasSuffix(name, "test")
}

// library reports whether a package is part of what an application embeds.
func library(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return top != "examples" && top != "internal" && top != "bench"
}

func load(t *testing.T) *deptest.Module {
	t.Helper()
	m, err := deptest.Load(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLeanPackages holds the lean packages, and their tests, to the standard
// library and this module.
func TestLeanPackages(t *testing.T) {
	t.Parallel()
	m := load(t)
	seen := 0
	for _, name := range m.Packages() {
		if !lean(name) {
			continue
		}
		seen++
		for _, foreign := range m.Foreign(name) {
			t.Errorf("%s depends on %s", name, foreign)
		}
	}
	if seen < len(leanPackages) {
		t.Errorf("only %d lean packages were found: %q", seen, m.Packages())
	}
}

// TestNoTemplates keeps text/template, which looks up methods by name, out of what
// an application embeds: the linker would keep every exported method of the whole
// program.
func TestNoTemplates(t *testing.T) {
	t.Parallel()
	m := load(t)
	// The last two depend on a module that can use templates. The linker leaves it out
	// unless a program does.
	besides := []string{"alerting/notify/notifytemplate", "alerting/notify/email", "alerting/pgalerts"}
	for _, name := range m.Packages() {
		for _, templates := range []string{"text/template", "html/template"} {
			if library(name) && !slices.Contains(besides, name) && slices.Contains(m.Standard(name), templates) {
				t.Errorf("%s depends on %s", name, templates)
			}
		}
	}
}

// TestImportDirection holds imports to one way: leaf, port, monitor. Package
// monitor has no siblings to import, and the packages above it import no other.
func TestImportDirection(t *testing.T) {
	t.Parallel()
	m := load(t)
	for name, besides := range map[string][]string{ // what each may import besides monitor
		"monitor/detect": nil, "crypto": nil, "metrics": nil, "logging": nil,
		"alerting/claims": nil, "alerting": {"alerting/claims"}, "alerting/driver": {"alerting", "alerting/claims"},
	} {
		for _, dep := range m.Own(name) {
			if dep != "monitor" && !strings.Contains("/"+dep, "/internal/") && !slices.Contains(besides, dep) {
				t.Errorf("%s depends on %s", name, dep)
			}
		}
	}
}

// TestApplicationStaysInCharge holds library code to no cgo, no init functions, no
// default logger, no end of the process and no signal handlers.
func TestApplicationStaysInCharge(t *testing.T) {
	t.Parallel()
	uses := []string{
		"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln",
		"os/signal.Notify", "os/signal.NotifyContext", "os/signal.Ignore", "os/signal.Reset",
		"log/slog.Default", "log/slog.SetDefault",
		"log/slog.Debug", "log/slog.DebugContext", "log/slog.Info", "log/slog.InfoContext",
		"log/slog.Warn", "log/slog.WarnContext", "log/slog.Error", "log/slog.ErrorContext",
		"log/slog.Log", "log/slog.LogAttrs", "log/slog.With",
		"net/http.DefaultClient", "net/http.DefaultServeMux", "net/http.Handle", "net/http.HandleFunc",
	}
	m := load(t)
	for _, name := range m.Packages() {
		if !library(name) {
			continue
		}
		imports := []string{"C", "testing"}
		if testPackage(name) {
			imports = []string{"C"}
		}
		objections, err := m.Source(name, imports, uses)
		if err != nil {
			t.Fatal(err)
		}
		for _, objection := range objections {
			t.Errorf("%s/%s", name, objection)
		}
	}
}

// TestFilesUseOneWay holds every package to an order of its files in which each
// uses only those before it, so that a reader can begin anywhere and go down.
func TestFilesUseOneWay(t *testing.T) {
	t.Parallel()
	m := load(t)
	files, err := deptest.LoadFiles(t.Context(), ".", m)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range m.Packages() {
		cycles, err := files.Cycles(name)
		if err != nil && !errors.As(err, new(*build.NoGoError)) {
			t.Error(err)
		}
		if cycles != nil {
			t.Errorf("%s: files use each other:\n%s", name, strings.Join(cycles, "\n"))
		}
	}
}
