package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const goodToken = "good.token.secret"

// service keeps one document as the contract says, except for its fault.
type service struct {
	mu       sync.Mutex
	document string
	revision int
	fault    func(w http.ResponseWriter, r *http.Request) bool // answers instead
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.fault != nil && s.fault(w, r) {
		return
	}
	etag := fmt.Sprintf(`"%d"`, s.revision)
	switch {
	case r.URL.Path != "/settings/organization":
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"Not Found"}`)
	case r.Header.Get("Authorization") != "Bearer "+goodToken:
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"success":false,"message":"Invalid access token"}`)
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", etag)
		io.WriteString(w, `{"success":true,"settings":`+s.document+`}`)
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != etag:
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusPreconditionFailed)
		io.WriteString(w, `{"success":false,"message":"Organization settings have changed"}`)
	default:
		body, _ := io.ReadAll(r.Body)
		s.document = strings.TrimSuffix(strings.TrimPrefix(string(body), `{"settings":`), "}")
		s.revision++
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, s.revision))
		io.WriteString(w, `{"success":true,"message":"Organization settings updated successfully"}`)
	}
}

func smoke(t *testing.T, s *service, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	getenv := func(name string) string { return map[string]string{"SMOKE_TOKEN": goodToken}[name] }
	err := run(t.Context(), append([]string{"-url", server.URL + "/"}, args...), getenv, &out)
	if strings.Contains(out.String(), goodToken) || err != nil && strings.Contains(err.Error(), goodToken) {
		t.Errorf("the token is printed: %s %v", out.String(), err)
	}
	return out.String(), err
}

func TestGoodService(t *testing.T) {
	t.Parallel()
	s := &service{document: `{"theme":"dark","n":1.0}`}
	out, err := smoke(t, s)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if lines := strings.Count(out, "\nok    "); lines != 7 {
		t.Errorf("%d steps, want 7:\n%s", lines, out)
	}
	if s.document != `{"theme":"dark","n":1.0}` {
		t.Errorf("left the document %s", s.document)
	}
}

func TestBadServices(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("ETag", `"1"`)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	done := `{"success":true,"message":"x"}`
	for name, c := range map[string]struct {
		when   func(*http.Request) bool
		answer func(http.ResponseWriter)
		step   string
	}{
		"down":                    {func(*http.Request) bool { return true }, answer(503, `{"message":"Service Unavailable"}`), "GET reads"},
		"no JSON":                 {func(*http.Request) bool { return true }, answer(200, `<html>`), "GET reads"},
		"ignores If-Match":        {func(r *http.Request) bool { return r.Header.Get("If-Match") == `"stale"` }, answer(200, done), "stale If-Match"},
		"refuses every If-Match":  {func(r *http.Request) bool { return r.Header.Get("If-Match") != "" }, answer(412, `{"success":false}`), "current If-Match"},
		"takes any token":         {func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer not.a.token" }, answer(200, done), "refused token"},
		"redirects":               {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(307, `{}`), "POST replaces"},
		"success is false":        {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(200, `{"success":false}`), "POST replaces"},
		"answers another version": {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(200, done), "byte for byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{document: `{"theme":"dark"}`}
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if c.when(r) {
					c.answer(w)
					return true
				}
				return false
			}
			out, err := smoke(t, s)
			if err == nil || !strings.Contains(out, "FAIL  ") {
				t.Fatalf("no failure:\n%s", out)
			}
			_, failed, _ := strings.Cut(out, "FAIL  ")
			if line, _, _ := strings.Cut(failed, "\n"); !strings.Contains(line, c.step) {
				t.Errorf("failed at %q, want %q", line, c.step)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	for _, args := range [][]string{
		{}, {"-url", "ftp://x", "-token", "t"}, {"-url", "http://127.0.0.1:1"}, {"-url", "http://127.0.0.1:1", "-token", "t", "more"},
	} {
		if err := run(t.Context(), args, none, io.Discard); err == nil {
			t.Errorf("run(%q) succeeds", args)
		}
	}
}
