package readme

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/template"
)

const (
	required = "required"
	none     = "none"
)

// The table names every variable that the function reads, with the default of the code, which is the template's.
func TestConfigurationTable(t *testing.T) {
	t.Parallel()
	stated := make(map[string]string)
	for _, row := range rows(t, section(t, "## Configuration")) {
		stated[code(row[0])[0]] = strings.Trim(row[2], "`")
	}
	if diff := cmp.Diff(defaults(t), stated); diff != "" {
		t.Errorf("defaults of functions/settings/config.go (-) and README.md (+):\n%s", diff)
	}
	tmpl, err := template.Load("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range stated {
		value, ok := tmpl.Environment[name]
		if want == none || want == required {
			want = ""
		}
		if !ok || value.Text != want && value.Text != "" { // empty: the code's default
			t.Errorf("%s: README.md says %q, the template %q (set: %t)", name, want, value.Text, ok)
		}
	}
}

// defaults returns the variables that config.go reads, but for those that Lambda sets, each with its default.
// It knows the forms in which the file has them: required("NAME"); cmp.Or(… "NAME" …, "default"); and, for what
// is no text, the member of config that is called as the variable is, with a value in the literal.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	file := source(t, "functions/settings/config.go")
	found := make(map[string]string)
	members, constants := make(map[string]ast.Expr), make(map[string]ast.Expr)
	variable := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if name := unquoted(n); variable.MatchString(name) && found[name] == "" {
				found[name] = none
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				members[strings.ToLower(key.Name)] = n.Value
			}
		case *ast.ValueSpec:
			if len(n.Values) == 1 {
				constants[n.Names[0].Name] = n.Values[0]
			}
		case *ast.CallExpr:
			names := texts(n)
			if fun, ok := n.Fun.(*ast.Ident); ok && fun.Name == "required" && len(names) == 1 {
				found[names[0]] = required
			}
			if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Or" && len(names) == 2 {
				found[names[0]] = names[1]
			}
		}
		return true
	})
	for name, text := range found {
		value := members[strings.ToLower(strings.ReplaceAll(name, "_", ""))]
		if id, ok := value.(*ast.Ident); ok {
			value = constants[id.Name]
		}
		if v, ok := evaluate(value); ok && text == none {
			found[name] = duration(time.Duration(number(v)))
		}
	}
	found["LOG_LEVEL"] = "info" // the zero of slog.Level
	maps.DeleteFunc(found, func(name, _ string) bool { return strings.HasPrefix(name, "AWS_") })
	return found
}

// duration writes d as the table has it: 5m, not 5m0s.
func duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

func unquoted(n ast.Node) string {
	if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
		return strings.Trim(literal.Value, "\"`")
	}
	return ""
}

// texts returns the texts in n, in order.
func texts(n ast.Node) []string {
	var all []string
	ast.Inspect(n, func(n ast.Node) bool {
		if s := unquoted(n); s != "" {
			all = append(all, s)
		}
		return true
	})
	return all
}
