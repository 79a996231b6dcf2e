package deptest

import (
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Files tells which files of the packages of a module use which, for the system
// that the test runs on.
type Files struct {
	module   *Module
	compiled map[string]listing
}

// LoadFiles prepares to look into the packages of the module in a folder, which
// are compiled for that if they are not yet.
func LoadFiles(ctx context.Context, dir string, m *Module) (*Files, error) {
	compiled, err := list(ctx, dir, "-export")
	if err != nil {
		return nil, err
	}
	return &Files{m, compiled}, nil
}

// Cycles returns the uses between files of a package, without its tests, that are
// part of a circle, so that there is no order in which each file uses only those
// before it. To use a constant, variable, type, field, function or method is to
// use the file that declares it.
func (f *Files) Cycles(name string) ([]string, error) {
	uses, err := f.uses(name)
	if err != nil {
		return nil, fmt.Errorf("deptest: files of %s: %w", name, err)
	}
	var cycles []string
	for from := range uses {
		for to, object := range uses[from] {
			reached := map[string]bool{}
			visit(uses, to, reached)
			if reached[from] {
				cycles = append(cycles, fmt.Sprintf("%s uses %s of %s", from, object, to))
			}
		}
	}
	slices.Sort(cycles)
	return cycles, nil
}

// visit adds what a file uses, directly or not.
func visit(uses map[string]map[string]string, file string, reached map[string]bool) {
	for used := range uses[file] {
		if !reached[used] {
			reached[used] = true
			visit(uses, used, reached)
		}
	}
}

// uses returns, for each file of a package, the other files that it uses, each
// with the first of the names used.
func (f *Files) uses(name string) (map[string]map[string]string, error) {
	dir := f.module.get(name).Dir
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, file := range pkg.GoFiles {
		parsed, err := parser.ParseFile(fset, filepath.Join(dir, file), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, parsed)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", f.open)}
	checked, err := config.Check(f.module.importPath(name), fset, files, info)
	if err != nil {
		return nil, err
	}
	base := func(pos token.Pos) string { return filepath.Base(fset.Position(pos).Filename) }
	uses := map[string]map[string]string{}
	for _, file := range files {
		uses[base(file.Pos())] = map[string]string{}
	}
	for ident, object := range info.Uses {
		if object.Pkg() != checked || !declaration(object, checked) {
			continue
		}
		from, to := base(ident.Pos()), base(object.Pos())
		if known := uses[from][to]; from != to && (known == "" || object.Name() < known) {
			uses[from][to] = object.Name()
		}
	}
	return uses, nil
}

func (f *Files) open(path string) (io.ReadCloser, error) {
	return os.Open(f.compiled[path].Export)
}

// declaration reports whether an object is more than a local name.
func declaration(object types.Object, pkg *types.Package) bool {
	switch o := object.(type) {
	case *types.Var:
		return o.IsField() || o.Parent() == pkg.Scope()
	case *types.Func:
		return true
	default:
		return o.Parent() == pkg.Scope()
	}
}
