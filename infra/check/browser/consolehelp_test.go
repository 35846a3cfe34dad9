package browser

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orgsettings/infra/local/stack"
)

const consoleSchema = `{
  "title": "Settings of a team",
  "properties": {
    "theme": {"title": "Theme", "description": "<b>Colours</b> of all pages.", "enum": ["dark", "light"], "default": "dark"},
    "limits": {"additionalProperties": {"$ref": "#/$defs/limit"}},
    "list": {"prefixItems": [{"description": "The first one."}], "items": {"type": ["string", "null"], "maxLength": 9}},
    "all": {"allOf": [{"properties": {"a/b": {"description": "In allOf.", "$ref": "#/$defs/limit"}}}, {"$ref": "#/$defs/all"}]}
  },
  "$defs": {
    "all": {"title": "All", "properties": {"again": {"$ref": "#"}}},
    "limit": {"description": "A limit.", "type": "number", "minimum": 1.00, "exclusiveMaximum": 12345678901234567890}
  }
}
`

// Where the deployment has a schema, the page tells what it says of the member at the cursor.
func TestConsoleHelp(t *testing.T) {
	t.Parallel()
	built(t)
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(consoleSchema), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), stack.Options{Template: "../../../template.yaml", Schema: file, Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	call(t, s, "POST", "alice", `{"settings":{"theme":"dark","limits":{"constructor":2},"list":["a","b"],"all":{"a/b":3,"again":{}},"other":true}}`)
	c := openConsole(t, s.DocsURL+"/console/")
	c.Do(chromedp.EmulateViewport(320, 640))
	c.history(1)
	c.helps("Settings of a team")

	const limit = "A limit. number; at least 1.00; less than 12345678901234567890"
	c.Do(
		chromedp.Evaluate[chromedp.Void](`document.querySelector(".editor").shadowRoot.querySelector(".cm-content").focus()`),
		chromedp.KeyEvent(kb.Home, chromedp.KeyModifiers(kb.ModifierCtrl)),
	)
	for _, want := range []string{
		`/theme Theme <b>Colours</b> of all pages. "dark" or "light"; default "dark"`,
		"",
		"/limits/constructor " + limit,
		"",
		"",
		"/list/0 The first one.",
		"/list/1 string or null; length at most 9",
		"",
		"/all All",
		"/all/a~1b In allOf. number; at least 1.00; less than 12345678901234567890",
		"/all/again Settings of a team",
		"/all All",
		"", // other
	} {
		for _, key := range []string{kb.ArrowDown, kb.End} {
			c.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("help").textContent = "old"`), chromedp.KeyEvent(key))
			c.helps(want)
		}
		c.Do(chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.Home)) // to the first character and to the margin
	}

	c.write(`{"list":[], "limits":{"users":`)
	c.helps("/limits/users " + limit)
	for _, scheme := range []string{"light", "dark"} {
		c.colours(scheme)
		c.accessible(scheme)
	}

	c.write("{\n  \"theme\": \"blue\"\n}")
	c.press("Save")
	c.says(`/theme: must be one of "dark", "light"`)
	c.waitFor(`document.querySelector(".editor").shadowRoot.querySelector(".cm-lintRange-error")?.textContent === '"blue"'`)
	c.helps(`/theme Theme <b>Colours</b> of all pages. "dark" or "light"; default "dark"`)

	c.Do(chromedp.Click("#schema summary"))
	c.waitFor(`document.querySelector("#schema pre").checkVisibility()`)
	if got := ask(c.tab, chromedp.Evaluate[string](`document.querySelector("#schema pre").textContent`)); got != consoleSchema {
		t.Errorf("the schema is shown as\n%s", got)
	}
	c.accessible("schema")
	if wide := ask(c.tab, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`)); wide > 320 {
		t.Errorf("the page is %v wide in a window of 320", wide)
	}
	c.silent()
}

// helps waits until the line under the editor tells want.
func (c consoleTab) helps(want string) {
	c.tb.Helper()
	c.waitFor(fmt.Sprintf(`((help) => help.checkVisibility() && help.textContent.trim().replace(/ +/g, " ") === %q)(document.getElementById("help"))`, want))
}
