package browser

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"orgsettings/infra/local/stack"
)

// A person uses the API page: reads it, tries a call, acts as another user, pastes a
// token. The page sends nothing to other machines.
func TestDocs(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := start(t)

	b.Do(
		chromedp.Navigate(s.DocsURL+"/docs"),
		chromedp.WaitVisible(`#caller[data-user="alice"]`),
		chromedp.WaitVisible("#operations-settings-partiallyUpdateSettings"),
	)
	server, title := ask(b, chromedp.Value(".servers select")), ask(b, chromedp.Text(".info .title"))
	if server != s.URL || !strings.Contains(title, "OAS 3.1") {
		t.Errorf("the page is about %q at %q, want OAS 3.1 at %q", title, server, s.URL)
	}

	status, body := try(b, "partiallyUpdateSettings", `{"theme": "from the page"}`)
	if status != "200" || !strings.Contains(body, "Organization settings partially updated successfully") {
		t.Errorf("PUT as alice shows %s %s", status, body)
	}
	if got, want := call(t, s, "GET", "alice", ""), `{"success":true,"settings":{"theme":"from the page"}}`; got != want {
		t.Errorf("stored is %s, want %s", got, want)
	}
	status, body = try(b, "getSettings", "")
	if status != "200" || !strings.Contains(body, `"theme": "from the page"`) || !strings.Contains(body, "etag") {
		t.Errorf("GET as alice shows %s %s, want the document and its ETag", status, body)
	}
	status, body = try(b, "listSettingsHistory", "")
	if status != "200" || !strings.Contains(body, `"updatedBy": "alice"`) {
		t.Errorf("GET of the history as alice shows %s %s", status, body)
	}
	status, body = try(b, "previewPartialUpdateSettings", `{"theme": null}`)
	if status != "200" || !strings.Contains(body, `"before": "from the page"`) {
		t.Errorf("PUT of a preview as alice shows %s %s", status, body)
	}
	screenshot(t, b)

	seen := func(selector string) bool {
		return ask(b, chromedp.Evaluate[bool](`document.querySelector("`+selector+`").checkVisibility()`))
	}
	refusal := `#operations-settings-getSettings .responses-table:not(.live-responses-table) [data-code='404']`
	if seen(refusal) {
		t.Error("an operation opens with its errors")
	}
	b.Do(chromedp.Click("#operations-settings-getSettings .errors"))
	if !seen(refusal) {
		t.Error("the errors stay folded")
	}
	if top := ask(b, chromedp.Evaluate[float64](`scrollTo(0, document.body.scrollHeight), document.getElementById("caller").getBoundingClientRect().top`)); top != 0 {
		t.Errorf("at the end of the page the caller is at %v", top)
	}

	b.Do(chromedp.SetValue("#caller select", "dave"), chromedp.WaitVisible(`#caller[data-user="dave"]`))
	status, body = try(b, "partiallyUpdateSettings", `{"theme": "mine"}`)
	if status != "403" || !strings.Contains(body, "Insufficient permissions") {
		t.Errorf("PUT as dave shows %s %s", status, body)
	}

	call(t, s, "POST", "carol", `{"settings":{"of":"globex"}}`)
	b.Do(
		chromedp.Click(".scheme-container .btn.authorize"),
		chromedp.Click(`//div[@class="auth-btn-wrapper"]/button[text()="Logout"]`),
		chromedp.SendKeys(".auth-container input", token(t, s, "carol")),
		chromedp.Click(`.auth-btn-wrapper button[type="submit"]`),
		chromedp.Click(".auth-btn-wrapper .btn-done"),
	)
	status, body = try(b, "getSettings", "")
	if status != "200" || !strings.Contains(body, `"of": "globex"`) {
		t.Errorf("GET as carol shows %s %s", status, body)
	}

	requests := b.Requests()
	for _, request := range requests {
		if _, url, _ := strings.Cut(request, " "); !isLocal(url) {
			t.Errorf("the page asks for %s", request)
		}
	}
	if len(requests) < 8 {
		t.Errorf("requests were not watched: %q", requests)
	}
	if problems := b.Problems(); len(problems) > 0 {
		t.Errorf("the console has %q", problems)
	}
}

// A stack that starts again has another key. A page that is open gets a new token for its next call.
func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := start(t)
	b.Do(chromedp.Navigate(s.DocsURL+"/docs"), chromedp.WaitVisible(`#caller[data-user="alice"]`), chromedp.WaitVisible("#operations-settings-partiallyUpdateSettings"))
	addr := func(url string) string { return strings.TrimPrefix(url, "http://") }
	o := stack.Options{
		Template: "../../../template.yaml", Bootstrap: bootstrap, Addr: addr(s.URL), DocsAddr: addr(s.DocsURL), Output: io.Discard,
	}
	s.Close()
	again, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	if status, body := try(b, "partiallyUpdateSettings", ""); status != "200" { // with the example that the form has
		t.Errorf("PUT with a token of the stack before shows %s %s", status, body)
	}
}

// try makes one call on the page and returns the status, and the body with the header
// fields, that the page shows.
func try(b *tab, operation, body string) (status, answer string) {
	in := ".opblock[id$='-" + operation + "']"
	if !ask(b, chromedp.Evaluate[bool](`document.querySelector("`+in+`").classList.contains("is-open")`)) {
		b.Do(chromedp.Click(in + " .opblock-summary-control"))
	} else {
		b.Do(
			chromedp.Click(in+" .btn-clear"), // the answer before
			chromedp.WaitNotPresent(in+" .live-responses-table"),
		)
	}
	b.Do(chromedp.WaitVisible(in + " .execute"))
	if body != "" {
		b.Do(
			chromedp.Focus(in+" textarea.body-param__text"),
			chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`), // to type over the example
			chromedp.KeyEvent(body),
		)
	}
	shown := in + " .live-responses-table .response"
	b.Do(chromedp.Click(in+" .execute"), chromedp.WaitVisible(shown))
	status = ask(b, chromedp.Text(shown+" .response-col_status"))
	status, _, _ = strings.Cut(strings.TrimSpace(status), "\n")
	return status, ask(b, chromedp.Text(shown+" .response-col_description"))
}

// screenshot writes a picture of the first operation to the file in DOCS_SCREENSHOT, if it is set. docs/local.md
// shows docs/images/api-page.png.
func screenshot(t *testing.T, b *tab) {
	name := os.Getenv("DOCS_SCREENSHOT")
	if name == "" {
		return
	}
	b.Do(
		chromedp.EmulateViewport(1100, 1090),
		chromedp.Evaluate[chromedp.Void](`scrollTo(0, scrollY + document.querySelector("#operations-settings-getSettings").getBoundingClientRect().top - 60)`),
	)
	if err := os.WriteFile(name, ask(b, chromedp.CaptureScreenshot()), 0o644); err != nil {
		t.Error(err)
	}
}
