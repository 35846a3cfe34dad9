package issuer_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/internal/auth"
)

func serve(t *testing.T) (*issuer.Issuer, *httptest.Server) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	i, err := issuer.New("http://"+server.Listener.Addr().String(), "settings")
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = i
	server.Start()
	t.Cleanup(server.Close)
	return i, server
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func verifier(t *testing.T, i *issuer.Issuer) *auth.Verifier {
	t.Helper()
	v, err := auth.New(auth.Config{
		Issuer: i.URL(), Audiences: []string{i.Audience()}, JWKSURL: i.JWKSURL(), JWKSMaxAge: time.Minute, UserClaim: "sub",
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The function's verifier accepts its tokens until they expire.
func TestTokensVerify(t *testing.T) {
	t.Parallel()
	i, server := serve(t)
	status, token := get(t, server.URL+"/token?user=alice")
	if status != 200 || !strings.HasSuffix(token, "\n") || strings.Count(token, "\n") != 1 {
		t.Fatalf("%d %q", status, token)
	}
	if id, err := verifier(t, i).Verify(t.Context(), strings.TrimSpace(token)); err != nil || id.User != "alice" {
		t.Errorf("verified %+v, %v", id, err)
	}
	_, expired := get(t, server.URL+"/token?user=alice&ttl=-1h")
	if _, err := verifier(t, i).Verify(t.Context(), strings.TrimSpace(expired)); err == nil {
		t.Error("an expired token verifies")
	}
	for _, query := range []string{"", "?user=", "?user=alice&ttl=soon"} {
		if status, _ := get(t, server.URL+"/token"+query); status != 400 {
			t.Errorf("/token%s: status %d, want 400", query, status)
		}
	}
}

// A page of another site cannot get a token by a name of its own that stands for this machine.
func TestTokenHost(t *testing.T) {
	t.Parallel()
	i, err := issuer.New("http://tokens.internal:3001", "settings")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"tokens.internal:3001": 200, "127.0.0.1:3001": 200, "127.0.0.1": 200, "[::1]:3001": 200, "[::1]": 200, "172.17.0.1:3001": 200, "LOCALHOST:3001": 200,
		"evil.example": 421, "evil.example:3001": 421, "localhost.evil.example:3001": 421, "127.0.0.1.evil.example": 421, "tokens.internal": 421, "": 421,
	} {
		r := httptest.NewRequest("GET", "/token?user=alice", nil)
		r.Host = host
		w := httptest.NewRecorder()
		i.ServeHTTP(w, r)
		if w.Code != want || want == 421 && !strings.Contains(w.Body.String(), "ask for http://tokens.internal:3001/token?user=alice") {
			t.Errorf("host %q: %d %s, want %d", host, w.Code, w.Body, want)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	i, server := serve(t)
	before, err := i.Token("alice", issuer.TTL)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.AddKey(); err != nil {
		t.Fatal(err)
	}
	after, err := i.Token("alice", issuer.TTL)
	if err != nil {
		t.Fatal(err)
	}
	both := verifier(t, i)
	for _, token := range []string{before, after} {
		if _, err := both.Verify(t.Context(), token); err != nil {
			t.Errorf("while both keys are published: %v", err)
		}
	}
	i.RemoveOldKeys()
	if _, err := verifier(t, i).Verify(t.Context(), before); err == nil {
		t.Error("a token of a withdrawn key verifies")
	}
	if status, body := get(t, server.URL+"/.well-known/openid-configuration"); status != 200 || !strings.Contains(body, i.JWKSURL()) {
		t.Errorf("configuration: %d %s", status, body)
	}
	if _, body := get(t, i.JWKSURL()); strings.Contains(body, `"d"`) || strings.Count(body, `"kid"`) != 1 {
		t.Errorf("key set: %s", body)
	}
}
