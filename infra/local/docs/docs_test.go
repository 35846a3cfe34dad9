package docs_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"orgsettings/infra"
	"orgsettings/infra/local/docs"
)

func get(h http.Handler, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The page with its parts; package browser uses them.
func TestServe(t *testing.T) {
	t.Parallel()
	h := docs.New(docs.Config{
		URL: "http://127.0.0.1:3003", Gateway: "http://127.0.0.1:3000", Users: []docs.User{{Name: "alice", Note: "OWNER"}},
		Console: fstest.MapFS{"index.html": {Data: []byte("the console")}, "main.js": {Data: []byte("its program")}},
		Token: func(user string, _ time.Duration) (string, error) {
			if user == "" {
				return "", errors.New("no user")
			}
			return "token of " + user, nil
		},
	})
	for _, tt := range []struct {
		host, path string
		status     int
		mediaType  string
		holds      string
	}{
		{"127.0.0.1:3003", "/openapi.yaml", 200, "application/yaml", infra.OpenAPI()},
		{"127.0.0.1:3003", "/docs", 200, "text/html; charset=utf-8", `src="/docs/page.js"`},
		{"127.0.0.1:3003", "/docs/page.js", 200, "text/javascript; charset=utf-8", "SwaggerUIBundle("},
		{"127.0.0.1:3003", "/docs/swagger-ui-bundle.js", 200, "text/javascript; charset=utf-8", "SwaggerUIBundle"},
		{"127.0.0.1:3003", "/docs/swagger-ui.css", 200, "text/css; charset=utf-8", ".swagger-ui"},
		{"127.0.0.1:3003", "/docs/favicon-32x32.png", 200, "image/png", "PNG"},
		{"127.0.0.1:3003", "/docs/stack.json", 200, "application/json", `{"gateway":"http://127.0.0.1:3000","users":[{"name":"alice","note":"OWNER"}]}`},
		{"127.0.0.1:3003", "/docs/token?user=alice", 200, "text/plain; charset=utf-8", "token of alice"},
		{"127.0.0.1:3003", "/docs/token", 500, "text/plain; charset=utf-8", "no user"},
		{"127.0.0.1:3003", "/docs/absent.js", 404, "text/plain; charset=utf-8", ""},
		{"127.0.0.1:3003", "/docs/..%2fdocs.go", 400, "text/plain; charset=utf-8", ""},
		{"127.0.0.1:3003", "/console/", 200, "text/html; charset=utf-8", "the console"},
		{"127.0.0.1:3003", "/console/main.js", 200, "text/javascript; charset=utf-8", "its program"},
		{"127.0.0.1:3003", "/console/stack.json", 200, "application/json", `{"gateway":"http://127.0.0.1:3000","users":[{"name":"alice","note":"OWNER"}]}`},
		{"127.0.0.1:3003", "/console/token?user=alice", 200, "text/plain; charset=utf-8", "token of alice"},
		{"127.0.0.1:3003", "/console/..%2fdocs.go", 404, "text/plain; charset=utf-8", ""},
		{"127.0.0.1:3003", "/absent", 404, "text/plain; charset=utf-8", ""},
		{"127.0.0.1:3003", "/", 302, "text/html; charset=utf-8", `"/docs"`},
		{"localhost:3003", "/docs", 302, "text/html; charset=utf-8", `"http://127.0.0.1:3003/docs"`},
		{"evil.example", "/console/token?user=alice", 302, "text/html; charset=utf-8", `"http://127.0.0.1:3003/console/token"`},
		{"evil.example", "/docs/token?user=alice", 302, "text/html; charset=utf-8", `"http://127.0.0.1:3003/docs/token"`},
	} {
		w := get(h, tt.host, tt.path)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.mediaType || !strings.Contains(w.Body.String(), tt.holds) {
			t.Errorf("%s%s: %d %s %.100s", tt.host, tt.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") || !strings.Contains(policy, "connect-src 'self' http://127.0.0.1:3000;") {
			t.Errorf("%s%s: Content-Security-Policy %q", tt.host, tt.path, policy)
		}
		if strict := strings.Contains(policy, "style-src 'self'; ") && strings.Contains(policy, "trusted-types 'none'"); strict != strings.HasPrefix(tt.path, "/console/") {
			t.Errorf("%s%s: Content-Security-Policy %q", tt.host, tt.path, policy)
		}
	}
}

// With another issuer, the page has no users.
func TestNoTokens(t *testing.T) {
	t.Parallel()
	h := docs.New(docs.Config{URL: "http://127.0.0.1:3003", Gateway: "http://127.0.0.1:3000", Users: []docs.User{{Name: "alice"}}})
	if w := get(h, "127.0.0.1:3003", "/docs/token?user=alice"); w.Code != 404 {
		t.Errorf("a token: %d %s", w.Code, w.Body)
	}
	if w := get(h, "127.0.0.1:3003", "/docs/stack.json"); !strings.Contains(w.Body.String(), `"users":null`) {
		t.Errorf("users: %s", w.Body)
	}
}
