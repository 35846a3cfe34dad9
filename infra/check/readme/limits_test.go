package readme

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each limit is that of the constants or the lines of the template that its row names.
func TestLimitsTable(t *testing.T) {
	t.Parallel()
	for _, row := range rows(t, section(t, "## Limits")) {
		names := code(row[2])
		for _, name := range names[1:] {
			forms := templateForms(t, name)
			if names[0] != "template.yaml" {
				forms = constantForms(t, names[0], name)
			}
			if !slices.ContainsFunc(forms, func(form string) bool { return states(row[1], form) }) {
				t.Errorf("%s: README.md says %q, %s of %s is %q", row[0], row[1], name, names[0], forms)
			}
		}
	}
}

// states says whether cell holds form, and not as a part of a longer number.
func states(cell, form string) bool {
	return regexp.MustCompile(`(^|[^\d,.])` + regexp.QuoteMeta(form) + `($|[^\d,.]|[,.][^\d])`).MatchString(cell)
}

func TestStates(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]bool{"5": true, "5, 9": true, "9, 5": true, "5 s": true, "50": false, "1,5": false, "0.5": false, "5,000": false, "5.5": false} {
		if got := states(cell, "5"); got != want {
			t.Errorf("states(%q, 5) = %t", cell, got)
		}
	}
}

// constantForms returns the ways in which the value of a constant of a package may be written.
func constantForms(t *testing.T, dir, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var forms []string
		ast.Inspect(source(t, strings.TrimPrefix(filepath.ToSlash(file), root+"/")), func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || spec.Names[0].Name != name {
				return true
			}
			if value, ok := evaluate(spec.Values[0]); ok {
				forms = formsOf(number(value))
			}
			return true
		})
		if forms != nil {
			return forms
		}
	}
	t.Fatalf("%s has no constant %s", dir, name)
	return nil
}

// formsOf returns n as a number, as a size and as a duration.
func formsOf(n int64) []string {
	d := time.Duration(n)
	forms := []string{thousands(n), fmt.Sprintf("%g s", d.Seconds()), fmt.Sprintf("%g h", d.Hours())}
	if d < time.Second {
		forms = append(forms, fmt.Sprintf("%d ms", d.Milliseconds()))
	}
	if n >= 1<<20 && n%(1<<20) == 0 {
		return append(forms, fmt.Sprintf("%d MB", n>>20))
	}
	return append(forms, fmt.Sprintf("%g KB", float64(n)/1024))
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// templateForms returns the values of a property, or of a number of each environment.
func templateForms(t *testing.T, name string) []string {
	t.Helper()
	var values []string
	for _, m := range regexp.MustCompile(`\b`+name+`: (\d+)`).FindAllStringSubmatch(text(t, "template.yaml"), -1) {
		var n int64
		fmt.Sscan(m[1], &n)
		values = append(values, thousands(n))
		if name == "Timeout" || name == "MemorySize" {
			return map[string][]string{"Timeout": {thousands(n) + " s"}, "MemorySize": {thousands(n) + " MB"}}[name]
		}
		if name == "TimeoutInMillis" {
			return []string{fmt.Sprintf("%g s", float64(n)/1000)}
		}
	}
	return []string{strings.Join(values, ", ")}
}

func source(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// evaluate returns the value of a constant expression of numbers and units of time. A name in it is no constant.
func evaluate(e ast.Expr) (constant.Value, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		v := constant.MakeFromLiteral(e.Value, e.Kind, 0)
		return v, v.Kind() == constant.Int
	case *ast.SelectorExpr:
		unit, ok := map[string]time.Duration{
			"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
		}[e.Sel.Name]
		return constant.MakeInt64(int64(unit)), ok
	case *ast.BinaryExpr:
		x, okX := evaluate(e.X)
		y, okY := evaluate(e.Y)
		if !okX || !okY {
			return nil, false
		}
		if e.Op == token.SHL {
			return constant.Shift(x, e.Op, uint(number(y))), true
		}
		return constant.BinaryOp(x, e.Op, y), true
	}
	return nil, false
}

func number(v constant.Value) int64 {
	n, _ := constant.Int64Val(v)
	return n
}
