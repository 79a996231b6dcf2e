package deptest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Source returns the objections to a package's files, without its tests but for
// every system: imports of the given packages, uses of the given functions or
// variables (such as "log/slog.Default"), and init functions. Each objection begins
// with the file and the line.
func (m *Module) Source(name string, imports, uses []string) ([]string, error) {
	dir := m.get(name).Dir
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("deptest: read package: %w", err)
	}
	var objections []string
	for _, entry := range entries {
		if file := entry.Name(); strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			found, err := objectionsTo(filepath.Join(dir, file), imports, uses)
			if err != nil {
				return nil, fmt.Errorf("deptest: parse package: %w", err)
			}
			objections = append(objections, found...)
		}
	}
	return objections, nil
}

func objectionsTo(file string, imports, uses []string) ([]string, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var objections []string
	object := func(pos token.Pos, what string) {
		place := fset.Position(pos)
		objections = append(objections, fmt.Sprintf("%s:%d: %s", filepath.Base(file), place.Line, what))
	}

	imported := map[string]string{} // path by name
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		local := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
		imported[local] = path
		if slices.Contains(imports, path) {
			object(spec.Pos(), "imports "+path)
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				object(n.Pos(), "has an init function")
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				if use := imported[x.Name] + "." + n.Sel.Name; slices.Contains(uses, use) {
					object(n.Pos(), "uses "+use)
				}
			}
		}
		return true
	})
	return objections, nil
}
