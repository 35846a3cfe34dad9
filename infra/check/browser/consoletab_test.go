package browser

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orgsettings/infra/local/testenv"
)

const (
	console = "../../../clients/console"
	dist    = console + "/dist"
)

// consoleTab is a tab that shows the console.
type consoleTab struct{ *tab }

// built ends a test, as by [testenv.Missing], if the console is not built.
func built(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(dist + "/index.html"); err != nil {
		testenv.Missing(t, "the console is not built; make console builds it (needs npm)")
	}
}

// openConsole shows the console at an address in a new Chromium.
func openConsole(t *testing.T, address string) consoleTab {
	t.Helper()
	built(t)
	c := consoleTab{open(t)}
	c.Do(chromedp.Navigate(address))
	return c
}

// another shows the console at an address in another tab of the same Chromium.
func (c consoleTab) another(address string) consoleTab {
	c.tb.Helper()
	b := &tab{tb: c.tb}
	ctx, end := chromedp.NewContext(c.ctx, chromedp.WithListener(b.note))
	c.tb.Cleanup(end)
	b.ctx = ctx
	b.Do(chromedp.Navigate(address))
	return consoleTab{b}
}

// waitFor waits until a JavaScript expression is true. The page's Content-Security-Policy forbids chromedp.Poll.
func (c consoleTab) waitFor(expression string) {
	c.tb.Helper()
	promise := `new Promise((resolve) => { const look = () => (` + expression + `) ? resolve(true) : setTimeout(look, 10); look(); })`
	err := c.within(func(ctx context.Context) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](promise, chromedp.EvalAwaitPromise))
		return err
	})
	if err != nil {
		c.tb.Fatalf("%s: %v; the page has\n%s\nand in the editor\n%s\nits console: %q",
			expression, err, ask(c.tab, chromedp.Text("body")), ask(c.tab, chromedp.Evaluate[string](editorText)), c.Problems())
	}
}

func (c consoleTab) says(text string) {
	c.tb.Helper()
	c.waitFor(fmt.Sprintf(`document.getElementById("status").textContent.includes(%q)`, text))
}

const editorText = `[...document.querySelector(".editor").shadowRoot.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n")`

// shows waits until a text is in the editor.
func (c consoleTab) shows(text string) {
	c.tb.Helper()
	c.waitFor(fmt.Sprintf(`document.getElementById("parts").checkVisibility() && %s === %q`, editorText, text))
}

// write replaces the text of the editor as a person does.
func (c consoleTab) write(text string) {
	c.tb.Helper()
	c.Do(
		chromedp.Evaluate[chromedp.Void](`document.querySelector(".editor").shadowRoot.querySelector(".cm-content").focus()`),
		chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)),
	)
	send(c, input.InsertText, input.InsertTextParams{Text: text})
	c.shows(text)
}

// press clicks the button with a text, in the dialog if there is one.
func (c consoleTab) press(text string) {
	c.tb.Helper()
	c.waitFor(`document.body.ariaBusy !== "true" || document.querySelector("dialog")`)
	c.Do(chromedp.Click(fmt.Sprintf(`(//button[text()=%q])[last()]`, text)))
}

// dialog waits for a dialog with a title and returns its text, without that of editors.
func (c consoleTab) dialog(title string) string {
	c.tb.Helper()
	c.waitFor(fmt.Sprintf(`document.querySelector("dialog h2")?.textContent === %q`, title))
	return ask(c.tab, chromedp.Text("dialog"))
}

// compared returns the text of one side, a or b, of comparison n in the dialog.
func (c consoleTab) compared(n int, side string) string {
	c.tb.Helper()
	return ask(c.tab, chromedp.Evaluate[string](fmt.Sprintf(
		`[...document.querySelectorAll("dialog .compare")[%d].shadowRoot.querySelectorAll(".cm-merge-%s .cm-line")].map((line) => line.textContent).join("\n")`, n, side)))
}

// history waits until the history lists n states.
func (c consoleTab) history(n int) {
	c.tb.Helper()
	c.waitFor(fmt.Sprintf(`document.querySelectorAll("#history li").length === %d`, n))
}

func (c consoleTab) colours(scheme string) {
	c.tb.Helper()
	send(c, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// accessible reports what axe finds wrong in the page as it is.
func (c consoleTab) accessible(state string) {
	c.tb.Helper()
	axe, err := os.ReadFile(console + "/node_modules/axe-core/axe.min.js")
	if err != nil {
		c.tb.Fatal(err)
	}
	c.Do(chromedp.Evaluate[chromedp.Void](string(axe) + "; undefined"))
	found := ask(c.tab, chromedp.Evaluate[[]string](`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
		violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.html + " " + node.failureSummary)))`, chromedp.EvalAwaitPromise))
	for _, violation := range found {
		c.tb.Errorf("%s: axe finds %s", state, violation)
	}
}

// send sends one command of the DevTools protocol.
func send[P, R any](c consoleTab, command cdp.Command[P, R], params P) {
	c.tb.Helper()
	if _, err := chromedp.Call(c.ctx, command, params); err != nil {
		c.tb.Fatal(err)
	}
}
