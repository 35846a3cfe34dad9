package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/internal/app"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

const (
	databaseDown = `{"success":false,"message":"Internal server error","error":"Database connection failed"}`
	keysDown     = `{"success":false,"message":"Service unavailable"}`
	ours         = `{"success":false,"message":"Internal server error"}`
)

// switchable serves by handler until it is told to be down or silent.
type switchable struct {
	handler http.Handler
	mode    atomic.Int32
	served  atomic.Int32
}

const (
	up int32 = iota
	down
	silent
)

func (s *switchable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.served.Add(1)
	switch s.mode.Load() {
	case down:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	case silent:
		io.Copy(io.Discard, r.Body) // or the server would not notice that the client is gone
		<-r.Context().Done()
	default:
		s.handler.ServeHTTP(w, r)
	}
}

// A database that is down or silent is answered within 5 s, and no restart is
// needed when it is back.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	database := &switchable{handler: dynamodb.New()}
	server := httptest.NewServer(database)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s := start(t, func(o *stack.Options) { o.DynamoDBURL = server.URL })
	alice := s.token(t, "alice")
	for _, mode := range []int32{down, silent} {
		database.mode.Store(mode)
		for _, method := range []string{"POST", "GET"} {
			a := s.call(t, method, alice, `{"settings":{"a":"`+secret+`"}}`)
			if a.status != 500 || a.body != databaseDown || a.took > 5*time.Second {
				t.Errorf("mode %d: %s answers %d %s after %v", mode, method, a.status, a.body, a.took)
			}
		}
		database.mode.Store(up)
		if a := s.call(t, "POST", alice, `{"settings":{}}`); a.status != 200 {
			t.Errorf("after mode %d: %d %s", mode, a.status, a.body)
		}
	}
	if len(s.Function.Environments()) != 1 {
		t.Errorf("%d environments were needed, want the first one only", len(s.Function.Environments()))
	}
}

// startTrusting starts a stack that trusts an issuer outside, whose keys are
// served by a server that can fail.
func startTrusting(t *testing.T, change func(*stack.Options)) (service, *issuer.Issuer, *switchable) {
	t.Helper()
	keys := &switchable{}
	server := httptest.NewServer(keys)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	i, err := issuer.New(server.URL, "settings")
	if err != nil {
		t.Fatal(err)
	}
	keys.handler = i
	return start(t, func(o *stack.Options) {
		o.JWKSURL, o.Issuer, o.Audience = i.JWKSURL(), i.URL(), i.Audience()
		change(o)
	}), i, keys
}

// The issuer can tell by the User-Agent which build fetches its keys.
func TestKeyFetchNamesTheVersion(t *testing.T) {
	t.Parallel()
	var i *issuer.Issuer
	var agent atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent.Store(r.UserAgent())
		i.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i, err := issuer.New(server.URL, "settings")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *stack.Options) { o.JWKSURL, o.Issuer, o.Audience = i.JWKSURL(), i.URL(), i.Audience() })
	token, err := i.Token("alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.call(t, "GET", token, ""); a.status != 200 || agent.Load() != "organization-settings/local" {
		t.Errorf("%d %s, keys were fetched by %q", a.status, a.body, agent.Load())
	}
}

// Keys that cannot be had at the start are no reason to refuse a token; keys
// that were had go on to serve.
func TestIssuerOutage(t *testing.T) {
	t.Parallel()
	s, i, keys := startTrusting(t, func(o *stack.Options) {
		o.Environments = 1
		o.Env = map[string]string{"JWKS_MAX_AGE": "1s"}
	})
	alice, err := i.Token("alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []int32{down, silent} {
		keys.mode.Store(mode)
		a := s.call(t, "POST", alice, `{"settings":{}}`)
		if a.status != 503 || a.body != keysDown || a.header.Get("Retry-After") == "" || a.took > 5*time.Second {
			t.Errorf("mode %d: %d %s after %v", mode, a.status, a.body, a.took)
		}
	}
	keys.mode.Store(up)
	eventually(t, 10*time.Second, "the keys are fetched", func() bool {
		return s.call(t, "POST", alice, `{"settings":{}}`).status == 200
	})
	for _, mode := range []int32{down, silent} {
		keys.mode.Store(mode)
		deadline := time.Now().Add(1500 * time.Millisecond) // older than JWKS_MAX_AGE
		for time.Now().Before(deadline) {
			if a := s.call(t, "GET", alice, ""); a.status != 200 || a.took > 5*time.Second {
				t.Errorf("mode %d, keys cached: %d %s after %v", mode, a.status, a.body, a.took)
			}
		}
	}
}

// eventually calls condition until it is true.
func eventually(t *testing.T, within time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A new key is accepted within 10 s, a withdrawn one refused within the maximum
// age and 5 s, and unknown keys are not looked for each time.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	s, i, _ := startTrusting(t, func(o *stack.Options) {
		o.Env = map[string]string{"JWKS_MAX_AGE": "2s"}
	})
	token := func() string {
		token, err := i.Token("alice", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	old := token()
	if a := s.call(t, "POST", old, `{"settings":{}}`); a.status != 200 {
		t.Fatalf("first key: %d %s", a.status, a.body)
	}
	if err := i.AddKey(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the new key is accepted", func() bool { return s.call(t, "GET", token(), "").status == 200 })
	i.RemoveOldKeys()
	eventually(t, 7*time.Second, "the old key is refused", func() bool { return s.call(t, "GET", old, "").status == 401 })
}

func TestKeyFlood(t *testing.T) {
	t.Parallel()
	s, i, keys := startTrusting(t, func(o *stack.Options) {
		o.Environments = 1
	})
	good, err := i.Token("alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(good, ".")
	for n := range 1000 {
		header := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":"unknown-%d"}`, n))
		if a := s.call(t, "GET", header+"."+rest, ""); a.status != 401 {
			t.Fatalf("unknown key: %d %s", a.status, a.body)
		}
	}
	if n := keys.served.Load(); n > 5 {
		t.Errorf("1,000 unknown keys caused %d fetches, want at most 5", n)
	}
	if a := s.call(t, "GET", good, ""); a.status != 200 {
		t.Errorf("a good token after the flood: %d %s", a.status, a.body)
	}
}

// panicking returns the service over a directory that panics.
func panicking(getenv func(string) string) http.Handler {
	c, err := readConfig(getenv)
	if err != nil {
		panic(err)
	}
	if c.AWS, err = dynamo.LoadConfig(context.Background()); err != nil {
		panic(err)
	}
	c.Logger = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	c.Faults = func(db *dynamo.DB) app.Database { return panics{db} }
	handler, err := app.New(context.Background(), c.Config)
	if err != nil {
		panic(err)
	}
	return handler
}

type panics struct{ *dynamo.DB }

func (panics) Membership(context.Context, settings.UserID) (settings.Membership, error) {
	panic("the directory panics")
}

// A panic is answered in the documented shape and logged with its stack, and the
// process goes on.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) {
		o.Bootstrap = os.Args[0]
		o.Env = map[string]string{"SETTINGS_TEST_PANIC": "1"}
	})
	for range 2 {
		if a := s.call(t, "POST", s.token(t, "alice"), `{"settings":{}}`); a.status != 500 || a.body != ours {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	var line struct{ Error, Stack string }
	for text := range strings.Lines(s.log.String()) {
		if strings.Contains(text, `"msg":"request"`) {
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line.Error != "panic: the directory panics" || !strings.Contains(line.Stack, "Membership") {
		t.Errorf("log line %+v", line)
	}
	if n := len(s.Function.Environments()); n != 1 {
		t.Errorf("%d environments, want 1", n)
	}
}

// A process that dies costs the request that it served, and no other.
func TestCrash(t *testing.T) {
	t.Parallel()
	database := &switchable{handler: dynamodb.New()}
	server := httptest.NewServer(database)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s := start(t, func(o *stack.Options) { o.DynamoDBURL = server.URL })
	alice := s.token(t, "alice")
	if a := s.call(t, "POST", alice, `{"settings":{}}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	database.mode.Store(silent)
	before := database.served.Load()
	crashed := make(chan answer)
	go func() { crashed <- s.call(t, "POST", alice, `{"settings":{"a":1}}`) }()
	eventually(t, 5*time.Second, "the request is under way", func() bool { return database.served.Load() > before })
	for _, pid := range s.Function.Environments() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	if a := <-crashed; a.status != 500 || a.body != `{"message":"Internal Server Error"}` {
		t.Errorf("the request that was cut off: %d %s", a.status, a.body)
	}
	database.mode.Store(up)
	if a := s.call(t, "GET", alice, ""); a.status != 200 {
		t.Errorf("the next request: %d %s", a.status, a.body)
	}
}
