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
	"strconv"
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
	history  map[int]string                                    // documents by revision; nil: none is kept
	schema   bool                                              // it has one, which no document obeys
	writes   int                                               // that took place
	cancel   func()                                            // stops the program, as a signal does
	late     *http.Request                                     // of the test "write that comes late"
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
	path, found := strings.CutPrefix(r.URL.Path, "/settings/organization")
	restored, restores := strings.CutSuffix(strings.TrimPrefix(path, "/history/"), "/restore")
	switch {
	case path == "/schema" && s.schema:
		io.WriteString(w, `{"required":["a"]}`)
	case !found || path != "" && path != "/preview" && path != "/history" && !restores:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"Not Found"}`)
	case r.Header.Get("Authorization") != "Bearer "+goodToken:
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"success":false,"message":"Invalid access token"}`)
	case (path == "/history" || restores) && s.history == nil:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"success":false,"message":"Organization settings history is not available"}`)
	case path == "/history":
		fmt.Fprintf(w, `{"success":true,"history":[{"revision":"%d"}],"next":"%[1]d"}`, s.revision)
	case r.Method != http.MethodGet && s.schema:
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"success":false,"message":"Failed to update organization settings","error":"settings: must have the member \"a\""}`)
	case r.Method == http.MethodGet:
		if s.schema {
			w.Header().Set("Link", `</settings/organization/schema>; rel="describedby"`)
		}
		w.Header()["Etag"] = slices.DeleteFunc([]string{etag}, func(e string) bool { return e == "" })
		io.WriteString(w, `{"success":true,"settings":`+s.document+`}`)
	case r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != etag, r.Header.Get("If-None-Match") == "*" && etag != "":
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusPreconditionFailed)
		io.WriteString(w, `{"success":false,"message":"Organization settings have changed"}`)
	default:
		body, _ := io.ReadAll(r.Body)
		document := strings.TrimSuffix(strings.TrimPrefix(string(body), `{"settings":`), "}")
		if path == "/preview" {
			w.Header().Set("ETag", etag)
			io.WriteString(w, `{"success":true,"settings":`+document+`,"changes":[]}`)
			return
		}
		if restores {
			revision, _ := strconv.Atoi(restored)
			document = s.history[revision]
		}
		if s.history == nil || s.revision == 0 || document != s.document {
			s.write(document)
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, s.revision))
		io.WriteString(w, `{"success":true,"message":"Organization settings updated successfully"}`)
	}
}

func (s *service) write(document string) {
	s.document = document
	s.revision++
	s.writes++
	if s.history != nil {
		s.history[s.revision] = document
	}
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
	for _, history := range []map[int]string{nil, {}} {
		s := &service{document: original, revision: 1, history: history}
		out, err := smoke(t, s)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		steps, skipped := strings.Count(out, "\nok    "), strings.Count(out, "\nskip  ")
		if want := [2]int{10, 0}; history != nil && [2]int{steps, skipped} != want {
			t.Errorf("%d steps, %d skipped, want %d:\n%s", steps, skipped, want, out)
		}
		if want := [2]int{8, 1}; history == nil && [2]int{steps, skipped} != want {
			t.Errorf("%d steps, %d skipped, want %d:\n%s", steps, skipped, want, out)
		}
		if s.document != original {
			t.Errorf("left the document %s", s.document)
		}
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
	isRestore := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/restore") }
	for name, c := range map[string]struct {
		// fault is called for each request; n counts them from 1. The default is to serve. A name that begins with history
		// is of a service that keeps one.
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
				s.late = r
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
		"history: preview that writes": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/preview") {
				r.URL.Path = "/settings/organization"
			}
			return false
		}, original, true, false},
		"history: lost answer of the restore": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				s.serve(httptest.NewRecorder(), r)
				unavailable(w)
			}
			return isRestore(r)
		}, original, true, false},
		"history: restore of another document": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				s.history[2] = strings.Replace(s.history[2], "1.0", "1", 1)
			}
			return false
		}, "", true, true},
		"history: restore that comes late": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				s.late = r
				unavailable(w)
			}
			return isRestore(r)
		}, original, true, false},
		"history: restore that does nothing": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				r.URL.Path = "/settings/organization/preview"
			}
			return false
		}, original, true, false},
		"history: write before the restore": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				s.write(foreign)
			}
			return false
		}, foreign, true, true},
		"history: signal during the restore": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isRestore(r) {
				s.cancel()
			}
			return false
		}, original, true, false},
		"history: lost answer of the write before the restore": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if isPost(r, "superseded by a restore") {
				s.serve(httptest.NewRecorder(), r)
				unavailable(w)
				return true
			}
			return false
		}, original, true, false},
		"history: down after a late write": {func(s *service, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 || n > 5 { // the write, and what puts the original back after it was superseded
				unavailable(w)
			}
			return n == 2 || n > 5
		}, "", true, true},
	} {
		test := func(t *testing.T, history map[int]string) {
			t.Parallel()
			s := &service{document: original, revision: 1, history: history}
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
			if s.late != nil {
				s.serve(httptest.NewRecorder(), s.late)
			}
			if c.want != "" && s.document != c.want {
				t.Errorf("left the document %s, want %s\n%s", s.document, c.want, out)
			}
			if name == "signal before it" && s.writes > 0 {
				t.Errorf("%d writes after a signal", s.writes)
			}
		}
		t.Run(name, func(t *testing.T) { test(t, map[int]string{}) })
		if !strings.HasPrefix(name, "history: ") {
			t.Run(name+", no history", func(t *testing.T) { test(t, nil) })
		}
	}
}

// A schema may refuse the documents of the test, so it writes none.
func TestSchema(t *testing.T) {
	t.Parallel()
	s := &service{document: `{"a":1}`, revision: 1, schema: true}
	out, err := smoke(t, s)
	if err != nil || s.writes > 0 || !strings.Contains(out, "ok    GET reads the schema") || !strings.Contains(out, "skip  POST replaces it") {
		t.Errorf("error %v, %d writes:\n%s", err, s.writes, out)
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
		"previews something else": {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/preview") }, answer(200, `{"success":true,"settings":{}}`), "preview"},
		"has no previews":         {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/preview") }, answer(404, `{"message":"Not Found"}`), "preview"},
		"lists another state":     {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/history") }, answer(200, `{"success":true,"history":[{"revision":"1"}]}`), "begins with this write"},
		"lists nothing":           {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/history") }, answer(200, `{"success":true,"history":[]}`), "begins with this write"},
		"has no route of history": {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/history") }, answer(404, `{"message":"Not Found"}`), "begins with this write"},
		"restores nothing":        {func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/restore") }, answer(200, done), "POST restores"},
		"answers another version": {func(r *http.Request) bool { return r.Method == http.MethodPost }, answer(200, done), "byte for byte"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{document: original, revision: 1, history: map[int]string{}}
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

// The URL may be that of the resource. Where nothing listens, the line of the step says what to check.
func TestURL(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&service{document: original, revision: 1})
	t.Cleanup(server.Close)
	token := func(string) string { return goodToken }
	for _, path := range []string{"", "/", "/settings/organization", "/settings/organization/"} {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-url", server.URL + path}, token, &out); err != nil {
			t.Errorf("%s: %v\n%s", path, err, &out)
		}
	}
	server.Close()
	var out bytes.Buffer
	err := run(t.Context(), []string{"-url", server.URL}, token, &out)
	if !errors.Is(err, errFailed) || !strings.Contains(out.String(), "connection refused; check URL, and that the service runs") {
		t.Errorf("%v\n%s", err, &out)
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
