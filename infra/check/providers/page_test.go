package providers

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// provider is a section of docs/identity-providers.md.
type provider struct {
	environment map[string]string // variables of the function; empty text: left empty
	algorithms  []string
}

var (
	heading  = regexp.MustCompile(`(?m)^## (.+)\n`)
	row      = regexp.MustCompile(`(?m)^\| (.+?) \| (.+?) \|$`)
	codeSpan = regexp.MustCompile("`([^`]+)`")
)

// readPage returns the sections of the page that have a table, by their headings.
func readPage(t *testing.T) map[string]provider {
	t.Helper()
	text, err := os.ReadFile("../../../docs/identity-providers.md")
	if err != nil {
		t.Fatal(err)
	}
	page := make(map[string]provider)
	headings := heading.FindAllStringSubmatchIndex(string(text), -1)
	for i, at := range headings {
		end := len(text)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		rows := row.FindAllStringSubmatch(string(text[at[1]:end]), -1)
		if rows == nil {
			continue
		}
		p := provider{environment: make(map[string]string)}
		for _, cells := range rows {
			var values []string
			for _, m := range codeSpan.FindAllStringSubmatch(cells[2], -1) {
				values = append(values, m[1])
			}
			name := strings.Trim(cells[1], "`")
			switch {
			case name == "Algorithm":
				p.algorithms = values
			case strings.HasPrefix(cells[1], "`"):
				p.environment[name] = strings.Join(values, ",")
			}
		}
		page[string(text[at[2]:at[3]])] = p
	}
	return page
}
