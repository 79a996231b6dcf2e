// Package deptest looks at what the packages of a module depend on and do
// without being asked, so that a test can hold them to it.
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
	"slices"
	"strings"
)

// A Module is a module and everything that its packages and their tests depend
// on.
type Module struct {
	// Path is the module's path.
	Path   string
	listed map[string]*listing
}

// listing is what the go command prints of a package. Test variants have the
// name of their test in brackets behind the import path, and a package's test
// binary is a package of its own.
type listing struct {
	ImportPath string
	Dir        string
	Standard   bool
	DepOnly    bool
	Deps       []string
	Module     *struct{ Path string }
}

// Load asks the go command about the module in a folder.
func Load(ctx context.Context, dir string) (*Module, error) {
	path, err := run(ctx, dir, "list", "-m")
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, dir, "list", "-deps", "-test", "-json=ImportPath,Dir,Standard,DepOnly,Deps,Module", "./...")
	if err != nil {
		return nil, err
	}
	m := &Module{Path: strings.TrimSpace(string(path)), listed: map[string]*listing{}}
	for packages := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listing
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return nil, fmt.Errorf("deptest: decode list of packages: %w", err)
		}
		m.listed[p.ImportPath] = &p
	}
}

func run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off")
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("deptest: go %s: %w\n%s", args[0], err, exit.Stderr)
	} else if err != nil {
		return nil, fmt.Errorf("deptest: go %s: %w", args[0], err)
	}
	return out, nil
}

// Packages returns the module's packages, sorted, each as its path inside the
// module; that of the root is empty.
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

// Foreign returns what a package or its tests depend on that is neither the
// standard library's nor the module's.
func (m *Module) Foreign(name string) []string {
	deps := m.get(name).Deps
	if test := m.listed[m.importPath(name)+".test"]; test != nil {
		deps = slices.Concat(deps, test.Deps)
	}
	return m.filter(deps, func(p *listing) bool { return !p.Standard && !m.own(p) })
}

// Own returns what a package without its tests depends on inside the module.
func (m *Module) Own(name string) []string {
	return m.filter(m.get(name).Deps, m.own)
}

func (m *Module) own(p *listing) bool { return p.Module != nil && p.Module.Path == m.Path }

func (m *Module) filter(deps []string, keep func(*listing) bool) []string {
	var kept []string
	for _, path := range deps {
		if p := m.listed[path]; p != nil && keep(p) {
			path, _, _ = strings.Cut(path, " [")
			kept = append(kept, m.inside(path))
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

func (m *Module) get(name string) *listing {
	if p := m.listed[m.importPath(name)]; p != nil {
		return p
	}
	return &listing{}
}

func (m *Module) inside(path string) string {
	if path == m.Path {
		return ""
	}
	return strings.TrimPrefix(path, m.Path+"/")
}

func (m *Module) importPath(name string) string {
	if name == "" {
		return m.Path
	}
	return m.Path + "/" + name
}
