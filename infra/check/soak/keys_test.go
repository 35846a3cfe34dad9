package soak

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// keyFaults are wrong answers of a key server.
func keyFaults(i *issuer.Issuer) map[string]http.HandlerFunc {
	good := httptest.NewRecorder()
	i.ServeHTTP(good, httptest.NewRequest("GET", "/.well-known/jwks.json", nil))
	keys := good.Body.String()
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
	}
	return map[string]http.HandlerFunc{
		"down":      func(w http.ResponseWriter, _ *http.Request) { reset(w) },
		"500":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); io.WriteString(w, keys) },
		"garbage":   text("\x00\x1b[31m" + marker),
		"empty set": text(`{"keys":[]}`),
		"poisoned":  text(strings.NewReplacer(`"use":"sig"`, `"use":"enc"`, `"kty":"RSA"`, `"kty":"oct","k":"c2VjcmV0"`).Replace(keys)),
		"100 MB": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, keys)
			for range 100 {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<20)); err != nil {
					return
				}
			}
		},
		"hanging": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("elsewhere") {
				io.WriteString(w, keys)
				return
			}
			http.Redirect(w, r, r.URL.Path+"?elsewhere", http.StatusFound)
		},
	}
}

// While the key server has a fault, a good token is never refused: the answer is 503
// without keys, and 200 with keys of an earlier fetch. A request costs at most one
// fetch. The function recovers with the server, without a restart.
func TestKeyServerFaults(t *testing.T) {
	t.Parallel()
	placeholder, err := issuer.New("http://issuer.example", "settings")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for name := range keyFaults(placeholder) {
		s, i, server := startWithKeys(t, dynamodb.New(), nil)
		fault := keyFaults(i)[name]
		server.fault.Store(&fault)
		wg.Go(func() { s.endureKeyFault(t, name, tokenOf(t, i, "alice"), server, &fault) })
	}
	wg.Wait()
}

// endureKeyFault sends requests while the server has the fault, is well, and has the
// fault again.
func (s *service) endureKeyFault(t *testing.T, name, token string, server *keyServer, fault *http.HandlerFunc) {
	oneFetch := map[int]time.Duration{503: 2 * time.Second, 200: 900 * time.Millisecond} // its limit without and with keys
	get := func(want int) (answered int) {
		a, err := s.call("GET", token, "")
		late := a.took > oneFetch[want]+600*time.Millisecond // which a busy machine adds
		if err != nil || want != 0 && (a.status != want || late) {
			t.Errorf("%s: %d %s after %v, %v, want %d", name, a.status, a.body, a.took, err, want)
		}
		return a.status
	}
	if status := get(0); status != 503 { // with the start of the process
		t.Errorf("%s at the start: %d, want 503", name, status)
	}
	for range 4 { // within the pause between two fetches, and behind it
		get(503)
		time.Sleep(200 * time.Millisecond)
	}
	server.fault.Store(nil)
	for deadline := time.Now().Add(10 * time.Second); get(0) != 200; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s: no key is accepted 10 s after the server is well again", name)
			return
		}
	}
	server.fault.Store(fault)
	asked := server.asked.Load()
	for deadline := time.Now().Add(10 * time.Second); server.asked.Load() == asked; time.Sleep(20 * time.Millisecond) {
		get(200)
		if time.Now().After(deadline) {
			t.Errorf("%s: keys older than their maximum age were not fetched again", name)
			return
		}
	}
	get(200)
	for _, pid := range s.Function.Environments() {
		if p, err := ReadProcess(pid); err == nil && p.ResidentKB > 64<<10 {
			t.Errorf("%s: the process has %d KB, want at most 64 MB", name, p.ResidentKB)
		}
	}
}

// keyServer serves the keys of an issuer, or a fault.
type keyServer struct {
	issuer *issuer.Issuer
	fault  atomic.Pointer[http.HandlerFunc] // nil: none
	asked  atomic.Int64
}

func (k *keyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.asked.Add(1)
	if fault := k.fault.Load(); fault != nil {
		(*fault)(w, r)
		return
	}
	k.issuer.ServeHTTP(w, r)
}

// startWithKeys starts a stack of one environment with a separate issuer and a
// JWKS_MAX_AGE of one second.
func startWithKeys(t *testing.T, database http.Handler, change func(*stack.Options)) (*service, *issuer.Issuer, *keyServer) {
	t.Helper()
	keys := new(keyServer)
	server := httptest.NewUnstartedServer(keys)
	i, err := issuer.New("http://"+server.Listener.Addr().String(), "settings")
	if err != nil {
		t.Fatal(err)
	}
	keys.issuer = i
	server.Start()
	t.Cleanup(server.Close)
	return startOver(t, database, func(o *stack.Options) {
		o.Environments = 1
		o.JWKSURL, o.Issuer, o.Audience = i.JWKSURL(), i.URL(), i.Audience()
		o.Env = map[string]string{"JWKS_MAX_AGE": "1s"}
		if change != nil {
			change(o)
		}
	}), i, keys
}
