// Package readme holds no program. Its tests run every command of README.md and the other pages, or account for a
// command that needs an AWS account, and find every file and section that the pages name.
package readme

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orgsettings/internal/schema"
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
	link     = regexp.MustCompile(`\]\(([^):#]*)(#[^)]*)?\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped  = regexp.MustCompile(`[^\w -]`) // from a heading, in the link to it
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

// pages returns the names of the files that match one of the patterns.
func pages(t *testing.T, patterns ...string) []string {
	t.Helper()
	var names []string
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %q, %v", pattern, files, err)
		}
		for _, file := range files {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(file), root+"/"))
		}
	}
	return names
}

// Every file, folder and section that a page links to or names exists.
func TestPlacesExist(t *testing.T) {
	t.Parallel()
	links, places := 0, 0
	for _, name := range pages(t, "*.md", "docs/*.md", "docs/samples/*.md", "clients/typescript/*.md", "infra/*/*.md") {
		page := text(t, name)
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			links++
			target := filepath.Join(filepath.Dir(name), m[1])
			if m[1] == "" {
				target = name
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if m[2] != "" && !slices.Contains(anchors(text(t, target)), m[2]) {
				t.Errorf("%s: %s has no section %s", name, target, m[2])
			}
		}
		for _, m := range place.FindAllStringSubmatch(page, -1) {
			places++
			path, _, _ := strings.Cut(m[1], ".Test") // the name of a test may follow
			path, _, _ = strings.Cut(path, ".Fuzz")
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if links < 30 || places < 100 {
		t.Errorf("only %d links and %d places are found", links, places)
	}
}

// docs/configuration.md names the formats and the annotations of a schema as they are.
func TestSchemaKeywords(t *testing.T) {
	t.Parallel()
	page := text(t, "docs/configuration.md")
	listed := func(begin string) []string {
		_, list, found := strings.Cut(page, "\n- These "+begin+": ")
		if list, _, _ = strings.Cut(list, "."); !found {
			t.Fatalf("there is no list of the %s", begin)
		}
		return code(list)
	}
	formats := listed("formats are known, and enforced")
	// https://json-schema.org/draft/2020-12/json-schema-validation#section-7.3
	standard := "date date-time duration email hostname idn-email idn-hostname ipv4 ipv6 iri iri-reference json-pointer regex " +
		"relative-json-pointer time uri uri-reference uri-template uuid"
	for _, format := range slices.Concat(formats, strings.Fields(standard)) {
		_, err := schema.Compile(fmt.Appendf(nil, `{"format":%q}`, format))
		if known := err == nil; known != slices.Contains(formats, format) {
			t.Errorf("format %s is known: %v", format, known)
		}
	}
	values := map[string]string{
		"examples": `[1]`, "deprecated": `true`, "readOnly": `true`, "writeOnly": `true`, "contentEncoding": `"base64"`, "contentSchema": `false`,
	}
	for _, keyword := range listed("keywords enforce nothing") {
		s, err := schema.Compile(fmt.Appendf(nil, `{"properties":{"a":{%q:%s}}}`, keyword, cmp.Or(values[keyword], `"application/json"`)))
		if err != nil {
			t.Error(err)
		} else if err := s.Validate([]byte(`{"a":"{"}`)); err != nil {
			t.Errorf("%s is enforced: %v", keyword, err)
		}
	}
}

// anchors returns the links to the sections of a page.
func anchors(page string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		all = append(all, "#"+strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

// Every message in README.md is one of the description's.
func TestMessagesAreDescribed(t *testing.T) {
	t.Parallel()
	description := text(t, "infra/openapi.yaml")
	rows := regexp.MustCompile("(?m)^\\| (?:\\d{3} \\| `([^`]+)`|`[A-Z]+` .* `([^`]+)` \\|$)").FindAllStringSubmatch(text(t, "README.md"), -1)
	for _, m := range rows {
		if message := m[1] + m[2]; !strings.Contains(description, `"success":false,"message":"`+message+`"`) {
			t.Errorf("infra/openapi.yaml does not have the message %q", message)
		}
	}
	if len(rows) < 14 {
		t.Errorf("only %q are found", rows)
	}
}
