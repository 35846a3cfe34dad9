package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// rootCA returns the certificate of a new root CA.
func rootCA(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return asPEM(der)
}

func asPEM(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

func TestReadRootCAsOnce(t *testing.T) {
	t.Parallel()
	bundle := writeFile(t, nil)
	type variables map[string]string
	for name, tt := range map[string]struct{ before, after variables }{
		"one file":               {variables{"SSL_CERT_FILE": bundle}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": os.DevNull}},
		"file that is not there": {variables{"SSL_CERT_FILE": bundle + ".absent"}, variables{"SSL_CERT_FILE": bundle + ".absent"}},
		"directory is asked for": {variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := maps.Clone(tt.before)
			readRootCAsOnce(func(name string) string { return got[name] }, func(name, value string) error {
				got[name] = value
				return nil
			})
			if diff := cmp.Diff(tt.after, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A server is trusted if a root CA of the system vouches for it, and only then.
func TestServersAreVerified(t *testing.T) {
	t.Parallel()
	keys := httptest.NewUnstartedServer(nil)
	keys.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are wanted
	keys.StartTLS()
	t.Cleanup(keys.Close)
	i, err := issuer.New(keys.URL, "settings")
	if err != nil {
		t.Fatal(err)
	}
	keys.Config.Handler = i
	token, err := i.Token("alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		bundle []byte
		want   int
	}{
		"its root CA":   {slices.Concat(rootCA(t), asPEM(keys.Certificate().Raw)), 200},
		"other root CA": {slices.Concat(rootCA(t), rootCA(t)), 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *stack.Options) {
				o.JWKSURL, o.Issuer, o.Audience = i.JWKSURL(), i.URL(), i.Audience()
				o.Env = map[string]string{"SSL_CERT_FILE": writeFile(t, tt.bundle)}
			})
			if a := s.call(t, "POST", token, `{"settings":{}}`); a.status != tt.want {
				t.Errorf("answer %d %s, want %d", a.status, a.body, tt.want)
			}
			if logged := strings.Contains(s.log.String(), "certificate signed by unknown authority"); logged != (tt.want != 200) {
				t.Errorf("an unknown root CA is logged: %t\n%s", logged, s.log.String())
			}
		})
	}
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
