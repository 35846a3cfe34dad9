package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// alice reads the document, edits it, sees a mistake, previews, saves, looks at the history and restores. Number text
// and order stay.
func TestConsole(t *testing.T) {
	t.Parallel()
	s := start(t)
	call(t, s, "POST", "alice", `{"settings":{"theme":"dark","limits":{"users":10,"price":1.00,"id":12345678901234567890},"none":[]}}`)
	c := openConsole(t, s.DocsURL+"/console/")
	c.shows("{\n  \"theme\": \"dark\",\n  \"limits\": {\n    \"users\": 10,\n    \"price\": 1.00,\n    \"id\": 12345678901234567890\n  },\n  \"none\": []\n}")
	if head := ask(c.tab, chromedp.Text("#caller")); !strings.Contains(head, "OWNER of acme") || !strings.Contains(head, "You may read and change") {
		t.Errorf("the head says %q", head)
	}
	c.history(1)
	if ask(c.tab, chromedp.Evaluate[bool](`["help", "schema"].some((id) => document.getElementById(id).checkVisibility())`)) {
		t.Error("without a schema, the page has help")
	}

	c.write(`{"theme":"dark","theme":"light","n":01}`)
	c.waitFor(`document.querySelector(".editor").shadowRoot.querySelectorAll(".cm-lintRange-error").length >= 2`)
	c.press("Save")
	c.says("Not sent")

	for _, text := range []string{`[1]`, `{"a":1}x`, `{/* */}`, `{"a":.5}`, `{"a":"\ud800"}`, `{"\x":1}`, `{"a":1,}`, `{'a':1}`, `{`} {
		c.write(text)
		c.press("Save")
		c.says("Not sent")
	}

	for text, want := range map[string]string{
		"{\n  \"a\": 1,\n}":    "Not sent. Line 2: Remove the comma, because nothing follows it.",
		"{\"a\": [\n1,\n2 ,]}": "Not sent. Line 3: Remove the comma, because nothing follows it.",
		"{\n\"a\" 1}":          "Not sent. Line 2: Colon expected.",
	} {
		c.write(text)
		c.press("Save")
		c.says(want)
	}

	edited := `{"theme":"light","limits":{"users":10,"price":1.00,"id":12345678901234567891}}`
	c.write(edited)
	c.press("Preview")
	shown := c.dialog("What saving would change")
	for _, want := range []string{"/theme changed: \"dark\" → \"light\"", "/limits/id changed: 12345678901234567890 → 12345678901234567891", "/none removed: []"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the preview has no %q:\n%s", want, shown)
		}
	}
	if a, b := c.compared(0, "a"), c.compared(0, "b"); !strings.Contains(a, `"theme": "dark"`) || !strings.Contains(b, `"theme": "light"`) {
		t.Errorf("side by side are\n%s\n%s", a, b)
	}
	c.press("Close")
	if got := call(t, s, "GET", "alice", ""); strings.Contains(got, "light") {
		t.Errorf("after the preview, stored is %s", got)
	}
	c.press("Preview")
	c.dialog("What saving would change")
	pictures(t, c)
	c.press("Save")
	c.says("Saved.")
	if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":`+edited+`}` {
		t.Errorf("stored is %s", got)
	}

	c.history(2)
	c.Do(chromedp.Click("#history li:first-child button"))
	if shown := c.dialog("What this change did"); !strings.Contains(shown, "alice") || !strings.Contains(shown, `/theme changed: "dark" → "light"`) {
		t.Errorf("the first state shows\n%s", shown)
	}
	c.press("Close")
	if at := ask(c.tab, chromedp.Evaluate[string](`document.querySelector("#history time").title`)); !strings.Contains(at, fmt.Sprint(time.Now().Year())) {
		t.Errorf("the exact time is %q", at)
	}
	if at := ask(c.tab, chromedp.Text("#history time")); !regexp.MustCompile(`:\d\d:\d\d`).MatchString(at) {
		t.Errorf("the time %q has no seconds", at)
	}
	c.Do(chromedp.Click("#history li:last-child button"))
	c.dialog("What this change did")
	c.press("Restore the state after this change …")
	if shown := c.dialog("What restoring would change"); !strings.Contains(shown, `/theme changed: "light" → "dark"`) {
		t.Errorf("the preview of the restore shows\n%s", shown)
	}
	c.press("Restore")
	c.history(3)
	c.says("Restored.")
	c.waitFor(editorText + `.includes('"price": 1.00')`)
	if got := call(t, s, "GET", "alice", ""); !strings.Contains(got, `"theme":"dark"`) {
		t.Errorf("after the restore, stored is %s", got)
	}
	c.silent()
}

// dave may read. carol is in another organization. Values that look like HTML are text.
func TestConsoleMember(t *testing.T) {
	t.Parallel()
	s := start(t)
	const html = `"<img src=x onerror=alert(1)>"`
	call(t, s, "POST", "alice", `{"settings":{`+html+`:`+html+`}}`)
	c := openConsole(t, s.DocsURL+"/console/")
	text := "{\n  " + html + ": " + html + "\n}"
	c.shows(text)
	c.write("{}")
	c.press("Preview")
	if shown := c.dialog("What saving would change"); !strings.Contains(shown, html) {
		t.Errorf("the preview shows\n%s", shown)
	}
	c.press("Close")
	c.press("Discard changes")
	c.shows(text)
	refused := ask(c.tab, chromedp.Evaluate[bool](`(() => { try { document.body.innerHTML = "<p>" } catch { return true } })()`))
	if !refused {
		t.Error("the page lets text become HTML")
	}

	c.Do(chromedp.SetValue("#caller select", "dave"))
	c.waitFor(`document.getElementById("rights").textContent.includes("Owners and administrators may change")`)
	c.shows(text)
	for _, name := range []string{"Save", "Preview", "Discard changes"} {
		if ask(c.tab, chromedp.Evaluate[bool](`[...document.querySelectorAll("button")].find((b) => b.textContent === "`+name+`").checkVisibility()`)) {
			t.Errorf("a member without the right sees %s", name)
		}
	}
	if ask(c.tab, chromedp.Evaluate[bool](`document.getElementById("history").checkVisibility()`)) {
		t.Error("a member without the right sees the history")
	}
	c.Do(
		chromedp.Evaluate[chromedp.Void](`document.querySelector(".editor").shadowRoot.querySelector(".cm-content").focus()`),
		chromedp.KeyEvent("x"),
	)
	c.shows(text)
	c.accessible("a member's view")

	c.Do(chromedp.SetValue("#caller select", "carol"))
	c.waitFor(`document.getElementById("rights").textContent.includes("change these")`)
	c.shows("{}")
	c.waitFor(`document.getElementById("document-state").textContent === "No settings yet" && document.getElementById("history").innerText.includes("No states yet")`)
	c.write(`{"first":true}`)
	c.press("Save")
	c.says("Saved.")
	c.history(1)
	if shown := ask(c.tab, chromedp.Text("#parts")); strings.Contains(shown, "yet") {
		t.Errorf("after the first write, the page shows\n%s", shown)
	}
	c.Do(chromedp.SetValue("#caller select", "bob"))
	c.says("User not associated with any organization")
	c.silent()
}

// silent reports requests to other machines and errors in the browser's console.
func (c consoleTab) silent() {
	c.tb.Helper()
	for _, request := range c.Requests() {
		if _, url, _ := strings.Cut(request, " "); !isLocal(url) {
			c.tb.Errorf("the page asks for %s", request)
		}
	}
	problems := slices.DeleteFunc(c.Problems(), func(p string) bool { return strings.Contains(p, "TrustedHTML") }) // of a test
	if len(problems) > 0 {
		c.tb.Errorf("the browser's console has %q", problems)
	}
}

// pictures writes console-light.png and console-dark.png to the directory in CONSOLE_PICTURES, if it is set. README.md
// and docs/console.md show docs/images.
func pictures(t *testing.T, c consoleTab) {
	dir := os.Getenv("CONSOLE_PICTURES")
	if dir == "" {
		return
	}
	c.Do(chromedp.EmulateViewport(1100, 700))
	for _, scheme := range []string{"light", "dark"} {
		c.colours(scheme)
		if err := os.WriteFile(filepath.Join(dir, "console-"+scheme+".png"), ask(c.tab, chromedp.CaptureScreenshot()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
