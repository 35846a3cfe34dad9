package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every row of SECURITY.md names tests, and every test that it names exists where it says.
func TestSecurityNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	cited := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	threats := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "|\n"), " | ")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(line, "| Threat |") {
			continue
		}
		if threats++; !strings.Contains(cells[3], ".Test") && !strings.Contains(cells[3], ".Fuzz") {
			t.Errorf("no test shows the control of %q", cells[1])
		}
	}
	if threats < 30 {
		t.Errorf("%d threats are found, want those of every row", threats)
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
