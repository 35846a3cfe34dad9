package issuer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

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
}

// A wrong request is told the right one.
func TestWrongRequests(t *testing.T) {
	t.Parallel()
	i, server := serve(t)
	i.Example = "a b"
	const user, claims = "user is missing; ask for /token?user=a+b\n", "claims is not a JSON object such as {\"email\":\"alice@example.com\"}; curl keeps its braces only with -g\n"
	for query, want := range map[string]string{
		"": user, "?user=": user, "?usr=alice": user,
		"?user=alice&ttl=soon":    "ttl is not a duration such as 90s, 1h or, for an expired token, -1h\n",
		"?user=alice&tll=-1h":     "there is no parameter \"tll\"; there are user, ttl, scope, claims\n",
		"?user=alice&claims=text": claims, "?user=alice&claims=[]": claims, "?user=alice&claims=null": claims, "?user=alice&claims={}{}": claims,
		`?user=alice&claims="aud":null`: claims,
	} {
		if status, text := get(t, server.URL+"/token"+query); status != 400 || text != want {
			t.Errorf("/token%s: %d %s, want 400 %s", query, status, text, want)
		}
	}
}

// A front end can try every refusal: the query decides on the claims.
func TestClaims(t *testing.T) {
	t.Parallel()
	i, server := serve(t)
	i.UserClaim, i.Scope = "email", "settings"
	for query, want := range map[string]map[string]any{
		"":                           {"sub": "alice", "email": "alice", "scope": "settings"},
		"&scope=a%20b":               {"sub": "alice", "email": "alice", "scope": "a b"},
		"&scope=":                    {"sub": "alice", "email": "alice", "scope": nil},
		`&claims={"email":"x"}`:      {"sub": "alice", "email": "x", "scope": "settings"},
		`&claims={"sub":null}`:       {"sub": nil, "email": "alice", "scope": "settings"},
		`&claims={"tier":{"a":[1]}}`: {"sub": "alice", "email": "alice", "scope": "settings", "tier": map[string]any{"a": []any{1.0}}},
	} {
		_, token := get(t, server.URL+"/token?user=alice"+query)
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(strings.TrimSpace(token), claims); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for name, value := range want {
			if diff := cmp.Diff(value, claims[name]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", query, name, diff)
			}
		}
	}
}

// A user that nobody defined gets no token.
func TestCheck(t *testing.T) {
	t.Parallel()
	i, server := serve(t)
	i.Check = func(_ context.Context, user string) error {
		if user == "mallory" {
			return errors.New("not one of us")
		}
		return nil
	}
	if status, text := get(t, server.URL+"/token?user=mallory"); status != 404 || text != "no token for user \"mallory\": not one of us\n" {
		t.Errorf("mallory: %d %s", status, text)
	}
	if status, text := get(t, server.URL+"/token?user=alice"); status != 200 {
		t.Errorf("alice: %d %s", status, text)
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
		"host.docker.internal:3001": 200, "host.containers.internal": 200, "docker.internal": 421,
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
	i, _ := serve(t)
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
	if _, body := get(t, i.JWKSURL()); strings.Contains(body, `"d"`) || strings.Count(body, `"kid"`) != 1 {
		t.Errorf("key set: %s", body)
	}
}
