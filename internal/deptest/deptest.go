// Package deptest finds out what the packages of a module depend on, which of their
// files use which, and what they do on their own, so that tests can check it.
package deptest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// A Module is a module, together with everything that its packages and their tests
// depend on.
type Module struct {
	// Path is the module's path.
	Path   string
	listed map[string]listing
}

// listing is what the go command prints about a package. A variant that is compiled
// for a test has the name of the test in brackets after its import path, and the
// test binary of a package is listed as a package of its own.
type listing struct {
	ImportPath string
	Dir        string
	Standard   bool
	DepOnly    bool
	Deps       []string
	Module     *struct{ Path string }
	Export     string // the file of compiled declarations
}

// Load asks the go command about the module in a folder.
func Load(ctx context.Context, dir string) (*Module, error) {
	name, err := run(ctx, dir, "list", "-m")
	if err != nil {
		return nil, err
	}
	listed, err := list(ctx, dir, "-test")
	if err != nil {
		return nil, err
	}
	return &Module{Path: strings.TrimSpace(string(name)), listed: listed}, nil
}

// list returns the packages of a module and all that they depend on, by path.
func list(ctx context.Context, dir, flag string) (map[string]listing, error) {
	out, err := run(ctx, dir, "list", "-deps", flag, "-json=ImportPath,Dir,Standard,DepOnly,Deps,Module,Export", "./...")
	if err != nil {
		return nil, err
	}
	listed := map[string]listing{}
	for packages := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listing
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			return listed, nil
		} else if err != nil {
			return nil, fmt.Errorf("deptest: decode list of packages: %w", err)
		}
		listed[p.ImportPath] = p
	}
}

func run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off")
	var messages strings.Builder
	command.Stderr = &messages
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("deptest: go %s: %w\n%s", args[0], err, &messages)
	}
	return out, nil
}

// Packages returns the sorted paths of the module's packages inside the module. The
// path of the root package is empty.
func (m *Module) Packages() []string {
	var names []string
	for path, p := range m.listed {
		if !p.DepOnly && !strings.Contains(path, " [") && !strings.HasSuffix(path, ".test") {
			names = append(names, m.inside(path))
		}
	}
	slices.Sort(names)
	return names
}

// Foreign returns the packages that a package or its tests depend on and that belong
// neither to the standard library nor to the module.
func (m *Module) Foreign(name string) []string {
	deps := slices.Concat(m.get(name).Deps, m.listed[m.importPath(name)+".test"].Deps)
	return m.filter(deps, func(p listing) bool { return !p.Standard && !m.own(p) })
}

// Standard returns the packages of the standard library that a package depends on,
// tests left out.
func (m *Module) Standard(name string) []string {
	return m.filter(m.get(name).Deps, func(p listing) bool { return p.Standard })
}

// Own returns the module's packages that a package depends on, tests left out.
func (m *Module) Own(name string) []string {
	return m.filter(m.get(name).Deps, m.own)
}

func (m *Module) own(p listing) bool { return p.Module != nil && p.Module.Path == m.Path }

func (m *Module) filter(deps []string, keep func(listing) bool) []string {
	var kept []string
	for _, path := range deps {
		if p, ok := m.listed[path]; ok && keep(p) {
			path, _, _ = strings.Cut(path, " [")
			kept = append(kept, m.inside(path))
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

func (m *Module) get(name string) listing { return m.listed[m.importPath(name)] }

func (m *Module) inside(path string) string {
	if path == m.Path {
		return ""
	}
	return strings.TrimPrefix(path, m.Path+"/")
}

func (m *Module) importPath(name string) string { return path.Join(m.Path, name) }
