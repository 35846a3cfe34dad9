package auth_test

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"orgsettings/internal/auth"
)

// Variables of the process that TestProxy starts: net/http reads those of the proxy
// only once.
const (
	proxyTestURL   = "AUTH_TEST_JWKS_URL"
	proxyTestToken = "AUTH_TEST_TOKEN"
)

// Keys are fetched through the proxy that the environment names. TLS verifies the
// issuer through it. The issuer's certificate is for example.com.
func TestProxy(t *testing.T) {
	if url := os.Getenv(proxyTestURL); url != "" {
		f := newFixture(t, "", func(c *auth.Config) { c.JWKSURL = url })
		_, err := f.Verify(t.Context(), os.Getenv(proxyTestToken))
		t.Logf("Verify = %v, log = %s", err, f.log)
		return
	}
	t.Parallel()
	issuer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, goodKeys()) }))
	issuer.Config.ErrorLog = log.New(t.Output(), "", 0)
	issuer.StartTLS()
	t.Cleanup(issuer.Close)
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.RequestURI)
		mu.Unlock()
		server, err := net.Dial("tcp", issuer.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go io.Copy(server, client)
		io.Copy(client, server)
	}))
	t.Cleanup(proxy.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	token := longLived("p256")
	for _, c := range []struct {
		name, url string
		env       []string
		asked     string // what the proxy was asked for
		want      string // in the output of the process
	}{
		{"trusted issuer", "https://example.com/keys", []string{"SSL_CERT_FILE=" + roots}, "CONNECT example.com:443", "Verify = <nil>"},
		{"other certificate", "https://example.com/keys", nil, "CONNECT example.com:443", "x509: "},
		{"other name", "https://issuer.test/keys", []string{"SSL_CERT_FILE=" + roots}, "CONNECT issuer.test:443", "x509: "},
		{"loopback", "http://127.0.0.1:1/keys", nil, "", "connection refused"},
	} {
		mu.Lock()
		asked = nil
		mu.Unlock()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$", "-test.v")
		cmd.Env = append([]string{"HTTPS_PROXY=" + proxy.URL, "HTTP_PROXY=" + proxy.URL, proxyTestURL + "=" + c.url, proxyTestToken + "=" + token}, c.env...)
		out, err := cmd.CombinedOutput()
		mu.Lock()
		if err != nil || strings.Join(asked, " ") != c.asked || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, the proxy was asked %q, want %q; want %q in:\n%s", c.name, err, asked, c.asked, c.want, out)
		}
		mu.Unlock()
	}
}
