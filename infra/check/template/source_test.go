package template

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func source(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// configurationNames returns the variables that the function reads, from the texts in the one file that reads
// the environment; those that Lambda itself sets are left out.
func configurationNames(t *testing.T) []string {
	t.Helper()
	name := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)
	var names []string
	ast.Inspect(source(t, "functions/settings/config.go"), func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if err == nil && name.MatchString(text) && !strings.HasPrefix(text, "AWS_") && !slices.Contains(names, text) {
				names = append(names, text)
			}
		}
		return true
	})
	slices.Sort(names)
	return names
}

// constant returns a duration declared in a file as a number of units, such as 4500 * time.Millisecond.
func constant(t *testing.T, file, name string) time.Duration {
	t.Helper()
	units := map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute}
	var found time.Duration
	ast.Inspect(source(t, file), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != name || len(spec.Values) != 1 {
			return true
		}
		if product, ok := spec.Values[0].(*ast.BinaryExpr); ok && product.Op == token.MUL {
			number, _ := product.X.(*ast.BasicLit)
			unit, _ := product.Y.(*ast.SelectorExpr)
			if number != nil && unit != nil {
				count, _ := strconv.Atoi(number.Value)
				found = time.Duration(count) * units[unit.Sel.Name]
			}
		}
		return true
	})
	if found == 0 {
		t.Fatalf("%s declares no duration %s", file, name)
	}
	return found
}
