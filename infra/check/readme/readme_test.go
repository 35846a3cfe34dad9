// Package readme holds no program: its tests hold README.md to what it speaks of. Tables are compared with the
// code and the template, and every command is run, or accounted for where running it takes an AWS account.
package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/api"
)

const root = "../../.."

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// section returns the text of README.md from a heading to the next one.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, s, ok := strings.Cut(text(t, "README.md"), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no heading %s", heading)
	}
	s, _, _ = strings.Cut(s, "\n#")
	return s
}

// rows returns the cells of the first table of s, without its head.
func rows(t *testing.T, s string) [][]string {
	t.Helper()
	var table [][]string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "|") {
			if len(table) > 0 {
				break
			}
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|\n"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		table = append(table, cells)
	}
	if len(table) < 3 {
		t.Fatal("README.md has no table there")
	}
	return table[2:]
}

var codeSpan = regexp.MustCompile("`([^`\n]+)`")

// code returns what stands between backticks in s.
func code(s string) []string {
	var spans []string
	for _, m := range codeSpan.FindAllStringSubmatch(s, -1) {
		spans = append(spans, m[1])
	}
	return spans
}

// The table of the interface has the methods of the code.
func TestInterfaceTable(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, route := range api.Routes() {
		method, _, _ := strings.Cut(route, " ")
		want = append(want, method)
	}
	for _, row := range rows(t, section(t, "## The interface")) {
		method, _, _ := strings.Cut(code(row[0])[0], " ")
		got = append(got, method)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods of the code (-) and of README.md (+):\n%s", diff)
	}
}

// What README.md links to or names as a place is there.
func TestPlacesExist(t *testing.T) {
	t.Parallel()
	readme := text(t, "README.md")
	var places []string
	for _, m := range regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`).FindAllStringSubmatch(readme, -1) {
		places = append(places, m[1])
	}
	for _, row := range rows(t, section(t, "## The life of a request")) {
		places = append(places, code(row[0])...)
	}
	for _, place := range places {
		if _, err := os.Stat(filepath.Join(root, place)); err != nil {
			t.Error(err)
		}
	}
	if len(places) < 20 {
		t.Errorf("only %q are found", places)
	}
}
