// Package readme holds no program. Its tests run every command of README.md, or account for a command that needs
// an AWS account, and find every file that README.md names.
package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
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

var (
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	link     = regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`)
	place    = regexp.MustCompile("`((clients|docs|events|functions|infra|internal)(/[\\w.-]+)*)`")
)

// code returns the texts between backticks in s.
func code(s string) []string {
	var spans []string
	for _, m := range codeSpan.FindAllStringSubmatch(s, -1) {
		spans = append(spans, m[1])
	}
	return spans
}

// Every file and folder that README.md links to or names exists.
func TestPlacesExist(t *testing.T) {
	t.Parallel()
	readme := text(t, "README.md")
	places := append(link.FindAllStringSubmatch(readme, -1), place.FindAllStringSubmatch(readme, -1)...)
	for _, m := range places {
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Error(err)
		}
	}
	if len(places) < 20 {
		t.Errorf("only %q are found", places)
	}
}
