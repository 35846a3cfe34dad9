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

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
	"orgsettings/internal/auth"
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
		"null":     {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `null`) }, "no usable key"},
		"error":    {http.NotFound, "status 404"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "status 302"},
		"very large": {func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(strings.Repeat("x", auth.MaxJWKSBytes))
		}, "more than"},
		"many keys": {func(w http.ResponseWriter, _ *http.Request) {
			key := `,{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1"}`
			io.WriteString(w, `{"keys":[`+strings.Repeat(key, auth.MaxJWKSBytes/len(key)-1)[1:]+`]}`)
		}, "the limit is 524288"},
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
	for url, problem := range map[string]string{
		"":                              "-url is missing",
		"issuer.example/jwks":           "-url is not an absolute URL",
		"http://issuer.example/jwks":    "-url does not start with https://",
		"file:///etc/passwd":            "-url is not an absolute URL",
		"https://u:pw@issuer.example/k": "-url holds a user name or password",
	} {
		err := run(t.Context(), []string{"-url", url}, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), problem) || strings.Contains(err.Error(), "pw") {
			t.Errorf("-url %q: error is %v, want %q", url, err, problem)
		}
	}
}

// Whatever else the set has, the file holds the public members of the usable keys.
func TestFileHoldsPublicMembers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"fetched":"2000-01-01T00:00:00Z","deep":`+deep+`,"keys":[
			{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good","use":"sig","key_ops":["verify"],
			 "alg":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x5t":"wrong","y":`+deep+`,"x5c":`+deep+`},
			{"kty":"oct","k":"c2VjcmV0","kid":"secret","x5c":`+deep+`}]}`)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := run(t.Context(), []string{"-url", server.URL, "-out", file}, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Fetched time.Time
		Keys    []map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %.1000s", err, text)
	}
	want := []map[string]any{{
		"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "good", "use": "sig", "alg": "EdDSA",
	}}
	if diff := cmp.Diff(want, got.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if age := time.Since(got.Fetched); age < 0 || age > time.Minute {
		t.Errorf("fetched %v ago", age)
	}
}
