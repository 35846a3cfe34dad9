package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that SECURITY.md names exists where it says.
func TestSecurityNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	cited := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(cited) < 40 {
		t.Errorf("%d tests are named, want those of every row", len(cited))
	}
	if all := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1); len(all) != len(cited) {
		t.Errorf("%d tests are named, of which %d with their package", len(all), len(cited))
	}
	sources := map[string]string{} // by package
	for _, c := range cited {
		dir, name := c[1], c[2]
		if _, ok := sources[dir]; !ok {
			files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				sources[dir] += string(source)
			}
		}
		if !strings.Contains(sources[dir], "\nfunc "+name+"(") {
			t.Errorf("%s has no %s", dir, name)
		}
	}
	for n := range 10 {
		if row := fmt.Sprintf("\n| API%d:2023 ", n+1); !strings.Contains(string(text), row) {
			t.Errorf("SECURITY.md has no row %q", row)
		}
	}
}
