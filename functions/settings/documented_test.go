package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/template"
)

// The function asks for the variables that the stack sets and docs/configuration.md lists, and has the defaults that
// both state.
func TestConfigurationIsDocumented(t *testing.T) {
	t.Parallel()
	asked := make(map[string]bool)
	complete := env()
	defaults, err := readConfig(func(name string) string {
		asked[name] = !strings.HasPrefix(name, "AWS_") // those are Lambda's to set
		return complete(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(asked, func(_ string, own bool) bool { return !own })
	want := slices.Sorted(maps.Keys(asked))

	stack, err := template.Load("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := slices.DeleteFunc(slices.Sorted(maps.Keys(stack.Environment)), func(name string) bool {
		return strings.HasPrefix(name, "AWS_") || name == "GOMAXPROCS" // of the SDK and of the Go runtime
	})
	if diff := cmp.Diff(want, set); diff != "" {
		t.Errorf("variables that the function reads (-) and that template.yaml sets (+):\n%s", diff)
	}

	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	stated := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+(?:_[A-Z]+)+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		stated[row[1]] = strings.Trim(row[2], "`")
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(stated))); diff != "" {
		t.Errorf("variables that the function reads (-) and that docs/configuration.md lists (+):\n%s", diff)
	}
	for name, value := range stated {
		_, err := readConfig(env(name, ""))
		if required := err != nil && strings.Contains(err.Error(), name); required != (value == "required") {
			t.Errorf("without %s: error %v, and docs/configuration.md has it as %s", name, err, value)
		}
		if value == "required" || value == "none" {
			value = ""
		}
		if value != "" {
			got, err := readConfig(env(name, value))
			if diff := cmp.Diff(defaults, got, cmp.AllowUnexported(config{})); err != nil || diff != "" {
				t.Errorf("%s=%s is the default by docs/configuration.md: error %v, (-default +got):\n%s", name, value, err, diff)
			}
		}
		if text := stack.Environment[name].Text; text != "" && text != value { // empty: the function's default
			t.Errorf("%s is %q by default in docs/configuration.md, %q in template.yaml", name, value, text)
		}
	}
}
