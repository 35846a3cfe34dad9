package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// blank serves an empty page at its own origin.
func blank(t *testing.T) (origin string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>page</title>`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// outcome is what a page can see of one call.
type outcome struct {
	Status    int
	Body      string
	ETag      bool
	Challenge string
	Error     string
}

// calls makes the calls of an application in sequence. Writes send the last ETag as
// If-Match.
const calls = `(async () => {
  const url = %q, token = %q;
  const outcomes = [];
  let etag;
  const call = async (method, body, header) => {
    try {
      const response = await fetch(url, { method, body, headers: { ...header } });
      const read = response.headers.get("ETag");
      etag = read ?? etag;
      outcomes.push({ Status: response.status, Body: await response.text(), ETag: read !== null, Challenge: response.headers.get("WWW-Authenticate") ?? "" });
    } catch (e) {
      outcomes.push({ Error: e.name });
    }
  };
  const json = { "Content-Type": "application/json", Authorization: "Bearer " + token };
  await call("POST", '{"settings":{"a":1,"b":2}}', json);
  await call("GET", undefined, { Authorization: json.Authorization });
  await call("PUT", '{"c":3}', { ...json, "If-Match": etag ?? "*" });
  await call("GET", undefined, { Authorization: json.Authorization, "If-None-Match": etag ?? '"none"' });
  await call("DELETE", '{"keys":["a"]}', { ...json, "If-Match": etag ?? "*" });
  await call("PUT", '{"d":4}', { ...json, "If-Match": '"01KDXZT9JE0000000000000000"' });
  await call("GET", undefined, {});
  const traced = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b", baggage: "a=b", "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1" };
  await call("PUT", '{"e":5}', { ...json, ...traced });
  await call("GET", undefined, { Authorization: json.Authorization, "x-other": "1" });
  return outcomes;
})()`

func TestAllowedOrigin(t *testing.T) {
	t.Parallel()
	b := open(t)
	origin := blank(t)
	s := start(t, "https://app.example", origin)
	b.Do(chromedp.Navigate(origin))
	script := fmt.Sprintf(calls, s.URL+"/settings/organization", token(t, s, "alice"))
	got := ask(b, chromedp.Evaluate[[]outcome](script, chromedp.EvalAwaitPromise))
	want := []outcome{
		{Status: 200, Body: `{"success":true,"message":"Organization settings updated successfully"}`, ETag: true},
		{Status: 200, Body: `{"success":true,"settings":{"a":1,"b":2}}`, ETag: true},
		{Status: 200, Body: `{"success":true,"message":"Organization settings partially updated successfully"}`, ETag: true},
		{Status: 304, ETag: true},
		{Status: 200, Body: `{"success":true,"message":"Organization settings keys deleted successfully"}`, ETag: true},
		{Status: 412, Body: `{"success":false,"message":"Organization settings have changed"}`, ETag: true},
		{Status: 401, Body: `{"success":false,"message":"Authentication required"}`, Challenge: "Bearer"},
		{Status: 200, Body: `{"success":true,"message":"Organization settings partially updated successfully"}`, ETag: true},
		{Error: "TypeError"}, // a header that is not allowed
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls of the page (-want +got):\n%s\nits console: %q", diff, b.Problems())
	}
	if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":{"b":2,"c":3,"e":5}}` {
		t.Errorf("stored is %s", got)
	}
	if preflight := "OPTIONS " + s.URL + "/settings/organization"; !slices.Contains(b.Requests(), preflight) {
		t.Errorf("no %s among %q", preflight, b.Requests())
	}
}

func TestOtherOrigin(t *testing.T) {
	t.Parallel()
	b := open(t)
	origin := blank(t)
	s := start(t, "https://app.example", blank(t))
	call(t, s, "POST", "alice", `{"settings":{"kept":true}}`)
	b.Do(chromedp.Navigate(origin))
	script := fmt.Sprintf(calls, s.URL+"/settings/organization", token(t, s, "alice"))
	got := ask(b, chromedp.Evaluate[[]outcome](script, chromedp.EvalAwaitPromise))
	if len(got) != 9 {
		t.Errorf("%d calls, want 9", len(got))
	}
	for i, o := range got {
		if o != (outcome{Error: "TypeError"}) {
			t.Errorf("the page sees %+v of call %d", o, i)
		}
	}
	if got := call(t, s, "GET", "alice", ""); got != `{"success":true,"settings":{"kept":true}}` {
		t.Errorf("stored is %s", got)
	}
	for _, request := range b.Requests() {
		if strings.HasPrefix(request, "OPTIONS ") {
			return
		}
	}
	t.Errorf("the page sent no preflight request: %q", b.Requests())
}
