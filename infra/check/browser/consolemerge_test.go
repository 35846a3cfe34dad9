package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Two tabs edit the same document. The second one to save merges: each has what both changed. The third one takes.
func TestConsoleConflict(t *testing.T) {
	t.Parallel()
	s := start(t)
	call(t, s, "POST", "alice", `{"settings":{"a":1,"b":2,"c":3,"d":4,"e":5}}`)
	one := openConsole(t, s.DocsURL+"/console/")
	text := "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n  \"d\": 4,\n  \"e\": 5\n}"
	one.shows(text)
	two := one.another(s.DocsURL + "/console/")
	two.shows(text)

	one.write(strings.Replace(text, `"a": 1`, `"a": 10`, 1))
	one.press("Save")
	one.says("Saved.")
	two.write(strings.Replace(text, `"e": 5`, `"e": 50`, 1))
	two.press("Save")
	two.dialog("The document has changed meanwhile")
	for n, want := range []string{`"a": 10,`, `"e": 50`} {
		if got := two.compared(n, "b"); !strings.Contains(got, want) {
			t.Errorf("comparison %d shows no %s:\n%s", n, want, got)
		}
	}
	two.accessible("conflict")
	two.press("Continue with merged")
	merged := strings.NewReplacer(`"a": 1`, `"a": 10`, `"e": 5`, `"e": 50`).Replace(text)
	two.shows(merged)
	two.says("not saved yet")
	if got := call(t, s, "GET", "alice", ""); !strings.Contains(got, `"e":5}`) {
		t.Errorf("before saving, stored is %s", got)
	}
	two.press("Save")
	two.says("Saved.")
	if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":{"a":10,"b":2,"c":3,"d":4,"e":50}}` {
		t.Errorf("stored is %s", got)
	}

	one.write(`{"mine":1}`)
	one.press("Save")
	one.dialog("The document has changed meanwhile")
	one.press("Close")
	one.shows(`{"mine":1}`)
	one.press("Save")
	one.dialog("The document has changed meanwhile")
	one.press("Take theirs")
	one.shows(merged)
	one.silent()
	two.silent()
}

// What both changed is in the merged text, in the order and with the number text of both. What both changed in different
// ways is named, and the merged text is then not what the page suggests.
func TestConsoleMerge(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := openConsole(t, s.DocsURL+"/console/")
	for _, tt := range []struct{ name, base, theirs, mine, merged, conflicts string }{
		{"both append", `{"theme":"dark"}`, `{"theme":"dark","theirs":1.0}`, `{"theme":"dark","mine":1e2}`, `{"theme":"dark","theirs":1.0,"mine":1e2}`, ""},
		{"beside a change", `{"a":1,"b":2}`, `{"a":1,"b":2,"c":3}`, `{"a":1,"b":20}`, `{"a":1,"b":20,"c":3}`, ""},
		{"in the same object", `{"o":{"x":{"a":1,"b":2},"y":[]}}`, `{"o":{"x":{"a":1},"y":[1]},"first":0}`, `{"o":{"x":{"a":5,"b":2},"y":[],"z":{}}}`, `{"o":{"x":{"a":5},"y":[1],"z":{}},"first":0}`, ""},
		{"both add an object", `{}`, `{"o":{"t":1}}`, `{"o":{"m":1}}`, `{"o":{"t":1,"m":1}}`, ""},
		{"the same value", `{"a":1,"b":[1],"c":3}`, `{"a":2,"b":[2],"d":4}`, `{"m":0,"a":2,"b":[2],"c":3}`, `{"m":0,"a":2,"b":[2],"d":4}`, ""},
		{"different values", `{"a/b":{"c":1},"l":[1,2],"r":1,"s":2}`, `{"a/b":{"c":2},"l":[0,2],"s":3,"new":1}`, `{"a/b":{"c":3},"l":[1,3],"r":4}`, `{"a/b":{"c":3},"l":[1,3],"new":1,"r":4}`, "/a~1b/c,/l,/s,/r"},
	} {
		call(t, s, "POST", "alice", `{"settings":`+tt.base+`}`)
		c.press("Reload")
		c.waitFor(fmt.Sprintf(`document.body.ariaBusy === "false" && %s.replaceAll(/\s/g, "") === %q`, editorText, tt.base))
		c.write(tt.mine)
		call(t, s, "POST", "alice", `{"settings":`+tt.theirs+`}`)
		c.press("Save")
		c.dialog("The document has changed meanwhile")
		named := ask(c.tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("dialog .changes code")].map((code) => code.textContent)`))
		if got := strings.Join(named, ","); got != tt.conflicts {
			t.Errorf("%s: the page names %q, want %q", tt.name, got, tt.conflicts)
		}
		primary := ask(c.tab, chromedp.Evaluate[string](`document.querySelector("dialog .primary")?.textContent ?? ""`))
		if suggested := primary == "Continue with merged"; suggested != (tt.conflicts == "") {
			t.Errorf("%s: the primary button is %q", tt.name, primary)
		}
		if tt.conflicts != "" {
			c.accessible(tt.name)
		}
		c.press("Continue with merged")
		c.says("not saved yet")
		c.press("Save")
		c.says("Saved.")
		if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":`+tt.merged+`}` {
			t.Errorf("%s: stored is %s, want %s", tt.name, got, tt.merged)
		}
	}
	c.write(`{"a":`)
	call(t, s, "POST", "alice", `{"settings":{"theirs":2}}`)
	c.press("Reload")
	c.says("Correct the mistakes in your text")
	c.shows(`{"a":`)
	c.silent()
}
