package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
)

var bootstrap string

func TestMain(m *testing.M) { os.Exit(stacktest.Main(m, &bootstrap)) }

// The deployed program serves with a bundled JWKS while the issuer is down.
func TestFetchedKeysServe(t *testing.T) {
	t.Parallel()
	i, err := issuer.New("https://issuer.example", "settings")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(i)
	file := filepath.Join(t.TempDir(), "jwks.json")
	var out strings.Builder
	if err := run(t.Context(), []string{"-url", server.URL + "/.well-known/jwks.json", "-out", file}, &out); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if !strings.HasPrefix(out.String(), file+" holds the keys of http://127.0.0.1:") {
		t.Errorf("it tells %q", out.String())
	}
	s, err := stack.Start(t.Context(), stack.Options{
		Template: "../../../template.yaml", Bootstrap: bootstrap, Output: t.Output(),
		JWKSURL: server.URL, Issuer: i.URL(), Audience: i.Audience(), Env: map[string]string{"JWKS_FILE": file},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	token, err := i.Token("alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/settings/organization", strings.NewReader(`{"settings":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); response.StatusCode != 200 {
		t.Errorf("answer %d %s, %v, want 200", response.StatusCode, body, err)
	}
}

func TestKeysThatWouldNotServe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		problem string
	}{
		"no key":   {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"keys":[]}`) }, "no usable key"},
		"no JSON":  {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `<html>`) }, "invalid character"},
		"null":     {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `null`) }, "null"},
		"error":    {http.NotFound, "status 404"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "status 302"},
		"very large": {func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(strings.Repeat("x", maxSetBytes))
		}, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			t.Cleanup(server.Close)
			file := filepath.Join(t.TempDir(), "jwks.json")
			err := run(t.Context(), []string{"-url", server.URL, "-out", file}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("error is %v, want one of %q", err, tt.problem)
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("a file was written")
			}
		})
	}
	if err := run(t.Context(), nil, io.Discard); err == nil {
		t.Error("no URL is needed")
	}
}
