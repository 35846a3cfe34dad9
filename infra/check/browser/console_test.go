package browser

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orgsettings/infra/local/stack"
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

	c.write(`{"theme":"dark","theme":"light","n":01}`)
	c.waitFor(`document.querySelector(".editor").shadowRoot.querySelectorAll(".cm-lintRange-error").length >= 2`)
	c.press("Save")
	c.says("Not sent")

	for _, text := range []string{`[1]`, `{"a":1}x`, `{/* */}`, `{"a":.5}`, `{"a":"\ud800"}`, `{"\x":1}`, `{"a":1,}`, `{'a':1}`, `{`} {
		c.write(text)
		c.press("Save")
		c.says("Not sent")
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
	c.Do(chromedp.Click("#history li:last-child button"))
	c.dialog("What this change did")
	c.press("Restore …")
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
	c.history(0)
	c.write(`{"first":true}`)
	c.press("Save")
	c.says("Saved.")
	c.Do(chromedp.SetValue("#caller select", "bob"))
	c.says("User not associated with any organization")
	c.silent()
}

// The page on another host asks for address and token. When the token is refused, the edits stay.
func TestConsoleElsewhere(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.FileServer(http.Dir(dist)))
	t.Cleanup(host.Close)
	s := start(t, host.URL)
	call(t, s, "POST", "alice", `{"settings":{"theme":"dark"}}`)
	expired, err := s.Issuer.Token("alice", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c := openConsole(t, host.URL)
	enter := func(token string) {
		c.Do(chromedp.WaitVisible("#caller [type=password]"), chromedp.SendKeys("#caller [type=password]", token+kb.Enter))
	}
	c.Do(chromedp.SendKeys("#caller [type=url]", s.URL))
	c.accessible("sign-in")
	enter(expired)
	c.says("expired")
	enter(token(t, s, "alice"))
	c.shows("{\n  \"theme\": \"dark\"\n}")
	c.write(`{"theme":"light"}`)
	enter(expired)
	c.says("expired")
	c.shows(`{"theme":"light"}`)
	enter(token(t, s, "alice"))
	c.waitFor(`document.getElementById("status").textContent === ""`)
	c.press("Save")
	c.says("Saved.")
	if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":{"theme":"light"}}` {
		t.Errorf("stored is %s", got)
	}
	if kept := ask(c.tab, chromedp.Evaluate[int](`localStorage.length + sessionStorage.length + document.cookie.length`)); kept != 0 {
		t.Errorf("the page keeps %d things", kept)
	}
	c.silent()
}

// What the service refuses is marked where it is.
func TestConsoleMarksWhatIsRefused(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.FileServer(http.Dir(dist)))
	t.Cleanup(host.Close)
	s := start(t, host.URL)
	gateway, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	refusals := map[string]string{
		`{"a/b":{"limit":5}}`:     `it is too small at /settings/a~1b/limit (byte 27)`,
		`{"list":[1,{"x":"no"}]}`: `/list/1/x: must be yes (and 2 more)`,
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(gateway) }}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", host.URL)
		w.WriteHeader(http.StatusBadRequest)
		body, _ := io.ReadAll(r.Body) // of the test's own page
		document := strings.TrimSuffix(strings.TrimPrefix(string(body), `{"settings":`), "}")
		_ = json.NewEncoder(w).Encode(map[string]any{"success": false, "message": "Failed", "error": refusals[document]})
	}))
	t.Cleanup(api.Close)
	c := openConsole(t, host.URL)
	c.Do(
		chromedp.WaitVisible("#caller [type=url]"),
		chromedp.SendKeys("#caller [type=url]", api.URL),
		chromedp.SendKeys("#caller [type=password]", token(t, s, "alice")+kb.Enter),
	)
	c.shows("{}")
	for document, place := range map[string]string{`{"a/b":{"limit":5}}`: "5", `{"list":[1,{"x":"no"}]}`: `"no"`} {
		c.write(document)
		c.press("Save")
		c.says(refusals[document])
		c.waitFor(fmt.Sprintf(`document.querySelector(".editor").shadowRoot.querySelector(".cm-lintRange-error")?.textContent === %q`, place))
	}
}

// While the service is away nothing is lost. Back again, it takes the same edits.
func TestConsoleOutage(t *testing.T) {
	t.Parallel()
	o := stack.Options{Template: "../../../template.yaml", Bootstrap: bootstrap, Data: t.TempDir(), Output: io.Discard}
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := openConsole(t, s.DocsURL+"/console/")
	c.shows("{}")
	c.write(`{"a":1}`)
	o.Addr, o.DocsAddr = strings.TrimPrefix(s.URL, "http://"), strings.TrimPrefix(s.DocsURL, "http://")
	s.Close()
	c.press("Save")
	c.says("cannot be reached")
	c.shows(`{"a":1}`)
	again, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	c.press("Save")
	c.says("Saved.")
	c.silent()
}

// 400,000 bytes open within two seconds, on a machine that may do other work too.
func TestConsoleLargeDocument(t *testing.T) {
	t.Parallel()
	s := start(t)
	var document strings.Builder
	document.WriteString(`{"first":"here"`)
	for i := 0; document.Len() < 399_000; i++ {
		fmt.Fprintf(&document, `,"member-%d":{"enabled":true,"limit":%d,"names":["a","b"]}`, i, i)
	}
	document.WriteString(`}`)
	call(t, s, "POST", "alice", `{"settings":`+document.String()+`}`)
	c := openConsole(t, s.DocsURL+"/console/")
	var took []float64
	for len(took) < 3 && (len(took) == 0 || slices.Min(took) > 2000) {
		c.Do(chromedp.Navigate(s.DocsURL + "/console/"))
		c.waitFor(editorText + `.includes('"first": "here"')`)
		took = append(took, ask(c.tab, chromedp.Evaluate[float64](`performance.now()`)))
	}
	if slices.Min(took) > 2000 {
		t.Errorf("opened after %.0f ms, want at most 2000", took)
	}
	c.silent()
}

// The console is used with the keyboard alone, in a narrow window and in the dark.
func TestConsoleIsAccessible(t *testing.T) {
	t.Parallel()
	s := start(t)
	call(t, s, "POST", "alice", `{"settings":{"theme":"dark","count":1,"list":[true,null]}}`)
	for i := range 25 {
		call(t, s, "PUT", "alice", fmt.Sprintf(`{"count":%d}`, i+2))
	}
	c := openConsole(t, s.DocsURL+"/console/")
	for _, scheme := range []string{"light", "dark"} {
		c.colours(scheme)
		c.Do(chromedp.EmulateViewport(320, 640), chromedp.Navigate(s.DocsURL+"/console/"))
		c.waitFor(editorText + `.includes('"count": 26')`)
		c.history(20)
		c.accessible(scheme)
		if wide := ask(c.tab, chromedp.Evaluate[float64](`document.documentElement.scrollWidth`)); wide > 320 {
			t.Errorf("%s: the page is %v wide in a window of 320", scheme, wide)
		}
		c.write(`{"theme":"dark","count":[1,2]}`)
		for _, key := range []string{kb.Tab, kb.Enter} { // the button after the editor is Preview
			c.Do(chromedp.KeyEvent(key))
		}
		c.dialog("What saving would change")
		c.accessible(scheme + ", preview")
		if wide := ask(c.tab, chromedp.Evaluate[float64](`document.querySelector("dialog").scrollWidth`)); wide > 320 {
			t.Errorf("%s: the dialog is %v wide in a window of 320", scheme, wide)
		}
		c.Do(chromedp.KeyEvent(kb.Escape))
		c.waitFor(`!document.querySelector("dialog")`)
		c.write("{\"theme\":\"dark\",}")
		c.waitFor(`document.querySelector(".editor").shadowRoot.querySelector(".cm-lintRange-error")`)
		c.accessible(scheme + ", mistake")
		c.press("Discard changes")
		c.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#history > button").scrollIntoView()`))
		c.history(26)
	}
	c.silent()
}

// The page is small.
func TestConsoleSize(t *testing.T) {
	t.Parallel()
	built(t)
	files, err := filepath.Glob(dist + "/*")
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(text) // into memory
		_ = w.Close()
	}
	t.Logf("%d bytes compressed", packed.Len())
	if len(files) < 4 || packed.Len() > 400_000 {
		t.Errorf("%q have %d bytes, want at most 400000", files, packed.Len())
	}
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
