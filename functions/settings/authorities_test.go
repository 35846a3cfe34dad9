package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// authority returns the certificate of one.
func authority(t *testing.T) []byte {
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

// What is above a certificate tells whose it is, as on Amazon Linux. There is no other choice without.
func TestReadAuthorities(t *testing.T) {
	t.Parallel()
	amazon, other, starfield := authority(t), authority(t), authority(t)
	usual := x509.NewCertPool()
	usual.AppendCertsFromPEM(amazon)
	usual.AppendCertsFromPEM(starfield)
	for name, tt := range map[string]struct {
		bundle string
		want   []*x509.CertPool
	}{
		"names":              {fmt.Sprintf("# Amazon Root CA 1\n%s\n# Amazon Root CA 11\n%s\n# Starfield Services Root Certificate Authority - G2\n%s", amazon, other, starfield), []*x509.CertPool{usual, nil}},
		"no names":           {fmt.Sprintf("%s%s", amazon, other), nil},
		"none of the usual":  {fmt.Sprintf("# Other\n%s", other), nil},
		"name alone":         {"# Amazon Root CA 1\n", nil},
		"nothing but a name": {"# Amazon Root CA 1", nil},
		"nothing":            {"", nil},
	} {
		file := filepath.Join(t.TempDir(), "ca-bundle.crt")
		if err := os.WriteFile(file, []byte(tt.bundle), 0o600); err != nil {
			t.Fatal(err)
		}
		got := readAuthorities(env("SSL_CERT_FILE", file))
		if len(got) != len(tt.want) || len(got) > 0 && (!got[0].Equal(tt.want[0]) || got[1] != nil) {
			t.Errorf("%s: %d pools, want %d, the second nil", name, len(got), len(tt.want))
		}
	}
	if got := readAuthorities(env("SSL_CERT_FILE", filepath.Join(t.TempDir(), "absent"))); got != nil {
		t.Errorf("without a file: %d pools", len(got))
	}
}

func TestReadAuthoritiesOnce(t *testing.T) {
	t.Parallel()
	bundle := filepath.Join(t.TempDir(), "ca-bundle.crt")
	if err := os.WriteFile(bundle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	type variables map[string]string
	for name, tt := range map[string]struct{ before, after variables }{
		"one file":               {variables{"SSL_CERT_FILE": bundle}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": os.DevNull}},
		"file that is not there": {variables{"SSL_CERT_FILE": bundle + ".absent"}, variables{"SSL_CERT_FILE": bundle + ".absent"}},
		"directory is asked for": {variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := maps.Clone(tt.before)
			readAuthoritiesOnce(func(name string) string { return got[name] }, func(name, value string) error {
				got[name] = value
				return nil
			})
			if diff := cmp.Diff(tt.after, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A server is trusted by an authority that is usual, that is not, or that has no name; by no other.
func TestServersAreVerified(t *testing.T) {
	t.Parallel()
	keys := httptest.NewUnstartedServer(nil)
	keys.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told when it is not trusted
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
	its, other := asPEM(keys.Certificate().Raw), authority(t)
	for name, tt := range map[string]struct {
		bundle string
		want   int
	}{
		"usual":      {fmt.Sprintf("# Amazon Root CA 1\n%s\n# Other\n%s", its, other), 200},
		"not usual":  {fmt.Sprintf("# Amazon Root CA 1\n%s\n# Other\n%s", other, its), 200},
		"no names":   {fmt.Sprintf("%s%s", other, its), 200},
		"of another": {fmt.Sprintf("# Amazon Root CA 1\n%s\n# Other\n%s", other, authority(t)), 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bundle := filepath.Join(t.TempDir(), "ca-bundle.crt")
			if err := os.WriteFile(bundle, []byte(tt.bundle), 0o600); err != nil {
				t.Fatal(err)
			}
			s := start(t, func(o *stack.Options) {
				o.JWKSURL, o.Issuer, o.Audience = i.JWKSURL(), i.URL(), i.Audience()
				o.Env = map[string]string{"SSL_CERT_FILE": bundle}
			})
			if a := s.call(t, "POST", token, `{"settings":{}}`); a.status != tt.want {
				t.Errorf("answer %d %s, want %d", a.status, a.body, tt.want)
			}
			if complaint := strings.Contains(s.log.String(), "certificate signed by unknown authority"); complaint != (tt.want != 200) {
				t.Errorf("complaint about the authority: %t\n%s", complaint, s.log.String())
			}
		})
	}
}
