package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orgsettings/infra/local/stack"
)

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
	c.Do(chromedp.SendKeys("#caller [type=url]", s.URL+"/settings/organization"))
	c.accessible("sign-in")
	enter(expired)
	c.says("expired")
	enter("Bearer " + token(t, s, "alice"))
	c.shows("{\n  \"theme\": \"dark\"\n}")
	c.write(`{"theme":"light"}`)
	enter(expired)
	c.says("expired")
	c.shows(`{"theme":"light"}`)
	enter(token(t, s, "alice"))
	c.says("Nobody else has changed the document. Your edits are kept.")
	c.shows(`{"theme":"light"}`)
	answer := func(drop bool) {
		c.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.confirm = (question) => { window.asked = question; return %v }`, drop)))
	}
	asked := func() string { return ask(c.tab, chromedp.Evaluate[string](`window.asked ?? ""`)) }
	if got := asked(); got != "" {
		t.Errorf("a new token of the same person asks %q", got)
	}
	answer(false)
	enter(token(t, s, "carol")) // of another organization
	c.shows(`{"theme":"light"}`)
	if got := asked(); got != "Drop your edits?" {
		t.Errorf("a token of another person asks %q", got)
	}
	c.press("Save")
	c.says("Saved.")
	c.write(`{"theme":"blue"}`)
	answer(true)
	c.Do(chromedp.Focus("#caller [type=password]"), chromedp.KeyEvent(kb.Enter))
	c.shows("{}")
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
		marked := fmt.Sprintf(`document.querySelector(".editor").shadowRoot.querySelector(".cm-lintRange-error")?.textContent === %q`, place)
		c.waitFor(marked)
		// The check of the text that was written starts 0.75 s after it. The mark stays.
		c.waitFor(`(window.until ??= performance.now() + 1000) < performance.now()`)
		if !ask(c.tab, chromedp.Evaluate[bool](`delete window.until, `+marked)) {
			t.Errorf("the mark of %s has gone", place)
		}
	}
}

// Reload keeps edits. Settings that another program wrote without a revision cannot be saved safely, and the page says so.
func TestConsoleWithoutRevision(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := openConsole(t, s.DocsURL+"/console/")
	c.shows("{}")
	c.write(`{"mine":1}`)
	c.press("Reload")
	c.says("Nobody else has changed the document. Your edits are kept.")
	c.press("Save")
	c.says("Saved.")

	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &s.DynamoDBURL, Region: "local", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new("SettingsTable"), Item: map[string]types.AttributeValue{
		"orgId": &types.AttributeValueMemberS{Value: "acme"}, "settings": &types.AttributeValueMemberS{Value: `{"theirs":1}`},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.press("Reload")
	c.shows("{\n  \"theirs\": 1\n}")
	c.write(`{"mine":1}`)
	c.press("Reload")
	c.says("Nobody else has changed the document. Your edits are kept.")
	c.press("Save")
	c.says("These settings have no revision yet")
	c.shows(`{"mine":1}`)
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
	c.says("cannot be reached, or it does not allow this page's origin (CorsAllowOrigins)")
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

// The page for a deployed API takes no place of the page that make run serves, and asks only for a token.
func TestConsoleDeployed(t *testing.T) {
	t.Parallel()
	built(t)
	// A copy, because other tests open the page of the build in the checkout.
	root, err := filepath.Abs(console)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"src", "node_modules", "package.json"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(filepath.Join(root, "build.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build.mjs"), program, 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(url string) (string, error) {
		command := exec.CommandContext(t.Context(), "node", "build.mjs", url)
		command.Dir = dir
		out, err := command.CombinedOutput()
		return string(out), err
	}

	for _, url := range []string{"nonsense", "http://api.example.com", "http://localhost.example.com", "ftp://localhost"} {
		if out, err := build(url); err == nil || !strings.HasPrefix(out, "URL="+url+" is not") || strings.Count(out, "\n") != 1 {
			t.Errorf("URL=%s: %v, %q, want one line", url, err, out)
		}
	}
	deployed := filepath.Join(dir, "dist-deployed")
	host := httptest.NewServer(http.FileServer(http.Dir(deployed)))
	t.Cleanup(host.Close)
	s := start(t, host.URL)
	for url, folder := range map[string]string{"": filepath.Join(dir, "dist"), s.URL: deployed} {
		if out, err := build(url); err != nil || !strings.Contains(out, string(filepath.Separator)+filepath.Base(folder)+". ") {
			t.Fatalf("URL=%s: %v, %q, want %s", url, err, out, folder)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "dist", "stack.json")); err == nil {
		t.Error("the page that make run serves is for a deployed API")
	}
	c := openConsole(t, host.URL)
	c.Do(chromedp.WaitVisible("#caller [type=password]"), chromedp.SendKeys("#caller [type=password]", token(t, s, "alice")+kb.Enter))
	c.shows("{}")
	c.silent()
}
