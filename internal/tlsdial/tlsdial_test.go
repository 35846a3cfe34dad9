package tlsdial_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"orgsettings/internal/tlsdial"
)

// others returns a pool that vouches for no server of these tests.
func others(t *testing.T) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool
}

// serve starts a server. It returns its URL, the pool that vouches for it, and how
// many handshakes it began.
func serve(t *testing.T) (url string, pool *x509.CertPool, handshakes *atomic.Int32) {
	t.Helper()
	handshakes = new(atomic.Int32)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		handshakes.Add(1)
		return nil, nil
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	pool = x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return server.URL, pool, handshakes
}

func get(t *testing.T, d *tlsdial.Dialer, url string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialTLSContext: d.DialContext, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err == nil {
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hello" {
			t.Errorf("body = %q, %v", body, err)
		}
	}
	return err
}

func TestPools(t *testing.T) {
	t.Parallel()
	url, own, handshakes := serve(t)
	other := others(t)
	for name, tt := range map[string]struct {
		pools []*x509.CertPool
		want  [2]int32 // handshakes of the first and the second connection; 0: it fails, after as many as there are pools
	}{
		"one":              {[]*x509.CertPool{own}, [2]int32{1, 1}},
		"the first":        {[]*x509.CertPool{own, other}, [2]int32{1, 1}},
		"the second":       {[]*x509.CertPool{other, own}, [2]int32{2, 1}},
		"the last":         {[]*x509.CertPool{other, nil, own}, [2]int32{3, 1}},
		"none":             {[]*x509.CertPool{other, other}, [2]int32{}},
		"the system's":     {nil, [2]int32{}},
		"the system's too": {[]*x509.CertPool{nil, own}, [2]int32{2, 1}},
	} {
		d := tlsdial.New(nil, time.Minute, tt.pools...)
		for n, want := range tt.want {
			before := handshakes.Load()
			err := get(t, d, url)
			if took := handshakes.Load() - before; want != 0 && (err != nil || took != want) {
				t.Errorf("%s: connection %d: %v after %d handshakes, want %d", name, n, err, took, want)
			} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); want == 0 && (!ok || int(took) != max(1, len(tt.pools))) {
				t.Errorf("%s: connection %d: %v after %d handshakes, want one for each pool", name, n, err, took)
			}
		}
	}
}

// A server that a pool vouches for by another name is refused, and what is no fault of the certificate is not tried again.
func TestRefusals(t *testing.T) {
	t.Parallel()
	url, own, handshakes := serve(t)
	address := url[len("https://"):]
	d := tlsdial.New(&tls.Config{ServerName: "other.example"}, time.Minute, own, own)
	if _, err := d.DialContext(t.Context(), "tcp", address); err == nil {
		t.Error("a connection to a server of another name")
	}
	if n := handshakes.Load(); n != 2 {
		t.Errorf("%d handshakes, want one for each pool", n)
	}

	var accepted atomic.Int32
	deaf, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deaf.Close() })
	go func() {
		for c, err := deaf.Accept(); err == nil; c, err = deaf.Accept() {
			accepted.Add(1)
			c.Close()
		}
	}()
	if _, err := tlsdial.New(nil, time.Minute, own, own).DialContext(t.Context(), "tcp", deaf.Addr().String()); err == nil || accepted.Load() != 1 {
		t.Errorf("%v after %d connections, want an error after one", err, accepted.Load())
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, err = tlsdial.New(nil, 50*time.Millisecond).DialContext(t.Context(), "tcp", silent.Addr().String())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want one of the deadline", err)
	}
}
