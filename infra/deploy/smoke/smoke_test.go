package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const goodToken = "good.token.secret"

// service keeps one document as the contract says, except for its fault.
type service struct {
	mu       sync.Mutex
	document string
	revision int                                               // 0: never written
	writes   int                                               // that took place
	cancel   func()                                            // stops the program, as a signal does
	fault    func(w http.ResponseWriter, r *http.Request) bool // answers in its place
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.fault != nil && s.fault(w, r) {
		return
	}
	s.serve(w, r)
}

// serve serves a request without a fault.
func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	etag := fmt.Sprintf(`"%d"`, s.revision)
	if s.revision == 0 {
		etag = "" // never written
	}
	switch {
	case r.URL.Path != "/settings/organization":
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"Not Found"}`)
	case r.Header.Get("Authorization") != "Bearer "+goodToken:
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"success":false,"message":"Invalid access token"}`)
	case r.Method == http.MethodGet:
		w.Header()["Etag"] = slices.DeleteFunc([]string{etag}, func(e string) bool { return e == "" })
		io.WriteString(w, `{"success":true,"settings":`+s.document+`}`)
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != etag, r.Header.Get("If-None-Match") == "*" && etag != "":
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusPreconditionFailed)
		io.WriteString(w, `{"success":false,"message":"Organization settings have changed"}`)
	default:
		body, _ := io.ReadAll(r.Body)
		s.write(strings.TrimSuffix(strings.TrimPrefix(string(body), `{"settings":`), "}"))
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, s.revision))
		io.WriteString(w, `{"success":true,"message":"Organization settings updated successfully"}`)
	}
}

func (s *service) write(document string) {
	s.document = document
	s.revision++
	s.writes++
}

func smoke(t *testing.T, s *service, args ...string) (string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	getenv := func(name string) string { return map[string]string{"SMOKE_TOKEN": goodToken}[name] }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.cancel = cancel
	err := run(ctx, append([]string{"-url", server.URL + "/"}, args...), getenv, &out)
	if strings.Contains(out.String(), goodToken) || err != nil && strings.Contains(err.Error(), goodToken) {
		t.Errorf("the token is printed: %s %v", out.String(), err)
	}
	return out.String(), err
}

func TestGoodService(t *testing.T) {
	t.Parallel()
	s := &service{document: original, revision: 1}
	out, err := smoke(t, s)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if lines := strings.Count(out, "\nok    "); lines != 7 {
		t.Errorf("%d steps, want 7:\n%s", lines, out)
	}
	if s.document != original {
		t.Errorf("left the document %s", s.document)
	}
}

const (
	original = `{"theme":"dark","n":1.0}`
	foreign  = `{"somebody":"else"}`
)

// Whatever happens, the original document is put back or, with an error, printed; and what somebody else wrote stays.
func TestOriginalDocument(t *testing.T) {
	t.Parallel()
	isPost := func(r *http.Request, text string) bool {
		if r.Method != http.MethodPost {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return strings.Contains(string(body), text)
	}
	unavailable := func(w http.ResponseWriter) {
		w.Header().Del("ETag")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"message":"Service Unavailable"}`)
	}
	var late *http.Request // of the test "write that comes late"
	for name, c := range map[string]struct {
		// fault is called for each request; n counts them from 1. The default is to serve.
		fault          func(s *service, n int, w http.ResponseWriter, r *http.Request) bool
		want           string // document in the end
		fails, printed bool
	}{
		"lost answer": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				s.serve(httptest.NewRecorder(), r)
				unavailable(w)
			}
			return n == 2
		}, original, true, false},
		"write that comes late": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				isPost(r, "")
				late = r
				unavailable(w)
			}
			return n == 2
		}, original, true, false},
		"write before the first": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				s.write(foreign)
			}
			return false
		}, foreign, true, false},
		"write after the first": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 3 {
				s.write(foreign)
			}
			return false
		}, foreign, true, true},
		"write at the end": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isPost(r, original) {
				s.write(foreign)
			}
			return false
		}, foreign, true, true},
		"signal during the first write": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				s.cancel()
			}
			return false
		}, original, true, false},
		"signal before it": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				s.cancel()
			}
			return false
		}, original, true, false},
		"writes by a token that it refuses": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Authorization") == "Bearer not.a.token" {
				r.Header.Set("Authorization", "Bearer "+goodToken)
			}
			return false
		}, original, true, false},
		"lost answer of the last write": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isPost(r, original) {
				s.serve(httptest.NewRecorder(), r)
				unavailable(w)
				return true
			}
			return false
		}, original, false, false},
		"down after the first write": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n > 2 {
				unavailable(w)
			}
			return n > 2
		}, "", true, true},
		"refuses the original": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isPost(r, original) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				io.WriteString(w, `{"success":false,"message":"Failed to update organization settings"}`)
				return true
			}
			return false
		}, "", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{document: original, revision: 1}
			n := 0
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				n++
				return c.fault(s, n, w, r)
			}
			out, err := smoke(t, s, "-timeout", "1s")
			if (err != nil) != c.fails {
				t.Errorf("error %v, want one: %t\n%s", err, c.fails, out)
			}
			if printed := strings.Contains(out, "\n"+original+"\n"); printed != c.printed {
				t.Errorf("the original document is printed: %t, want %t\n%s", printed, c.printed, out)
			}
			if name == "write that comes late" {
				s.serve(httptest.NewRecorder(), late)
			}
			if c.want != "" && s.document != c.want {
				t.Errorf("left the document %s, want %s\n%s", s.document, c.want, out)
			}
			if name == "signal before it" && s.writes > 0 {
				t.Errorf("%d writes after a signal", s.writes)
			}
		})
	}
}

func TestNeverWritten(t *testing.T) {
	t.Parallel()
	s := &service{document: `{}`}
	if out, err := smoke(t, s); err != nil || s.document != `{}` {
		t.Errorf("left the document %s, %v\n%s", s.document, err, out)
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
		"refuses every If-Match":  {func(r *http.Request) bool { return r.Header.Get("If-Match") != "" }, answer(412, `{"success":false}`), "POST replaces"},
		"takes any token":         {func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer not.a.token" }, answer(200, done), "refused token"},
		"redirects":               {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(307, `{}`), "POST replaces"},
		"success is false":        {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(200, `{"success":false}`), "POST replaces"},
		"answers another version": {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(200, done), "byte for byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{document: original, revision: 1}
			s.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if c.when(r) {
					c.answer(w)
					return true
				}
				return false
			}
			out, err := smoke(t, s, "-timeout", "1s")
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

// A token that does not fit is no fault of the service.
func TestUnfitTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		status int
		body   string
		want   string // empty: the service is at fault
	}{
		{"GET", 401, `{"success":false,"message":"Invalid access token"}`, "GET reads the document the service refuses the token; "},
		{"GET", 403, `{"success":false,"message":"Insufficient scope"}`, "GET reads the document the token lacks the scope "},
		{"GET", 404, `{"success":false,"message":"User not associated with any organization"}`, "GET reads the document the user of the token is in no organization"},
		{"POST", 403, `{"success":false,"message":"Insufficient permissions"}`, "POST replaces it the user of the token may read and not write: 403 Insufficient permissions"},
		{"GET", 500, `{"success":false,"message":"Internal server error"}`, ""},
	} {
		s := &service{document: original, revision: 1}
		s.fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != c.method {
				return false
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
			return true
		}
		out, err := smoke(t, s)
		if errors.Is(err, errToken) != (c.want != "") || err == nil {
			t.Errorf("%s %d: error %v", c.method, c.status, err)
		}
		_, failed, _ := strings.Cut(out, "FAIL  ")
		if shown := regexp.MustCompile(` +([0-9.]+m?s)? *`).ReplaceAllString(failed, " "); !strings.HasPrefix(shown, c.want) {
			t.Errorf("%s %d: %s", c.method, c.status, out)
		}
		if s.document != original || s.writes > 0 {
			t.Errorf("%s %d: %d writes, left the document %s", c.method, c.status, s.writes, s.document)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	for args, want := range map[string]string{
		"":                                      "-url must be",
		"-url ftp://x -token t":                 "-url must be",
		"-url http://x/?a -token t":             "-url must be",
		"-url http://x/#a -token t":             "-url must be",
		"-url http://a:b@x -token t":            "-url must be",
		"-url http://127.0.0.1:1":               "the token is missing",
		"-url http://127.0.0.1:1 -token t more": "unexpected argument",
	} {
		if err := run(t.Context(), strings.Fields(args), none, io.Discard); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
}
