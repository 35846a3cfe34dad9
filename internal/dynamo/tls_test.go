package dynamo_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// secure returns a fixture, and a server that is yet to be started and serves its
// database over TLS.
func secure(t *testing.T) (fixture, *httptest.Server) {
	t.Helper()
	engine := dynamodb.New()
	plain, server := httptest.NewServer(engine), httptest.NewUnstartedServer(engine)
	t.Cleanup(plain.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told when it is not trusted
	server.TLS = new(tls.Config)
	return newFixture(t, plain.URL), server
}

func TestDatabaseIsVerified(t *testing.T) {
	t.Parallel()
	f, server := secure(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	own, other := x509.NewCertPool(), x509.NewCertPool()
	own.AddCert(server.Certificate())
	for name, tt := range map[string]struct {
		authorities []*x509.CertPool
		trusted     bool
	}{
		"by the first":    {[]*x509.CertPool{own, other}, true},
		"by the second":   {[]*x509.CertPool{other, own}, true},
		"by none":         {[]*x509.CertPool{other}, false},
		"by the system's": {nil, false},
		"by neither":      {[]*x509.CertPool{other, nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := dynamo.New(awsConfig(server.URL), f.tables, tt.authorities...).Put(t.Context(), record("acme", 1, `{}`), settings.Condition{})
			if tt.trusted && err != nil || !tt.trusted && !errors.Is(err, settings.ErrUnavailable) {
				t.Errorf("put: %v", err)
			}
		})
	}
}

// A connection that takes the place of a lost one goes on with its session.
func TestSessionsAreResumed(t *testing.T) {
	t.Parallel()
	f, server := secure(t)
	var handshakes, resumed atomic.Int32
	server.TLS.VerifyConnection = func(s tls.ConnectionState) error {
		handshakes.Add(1)
		if s.DidResume {
			resumed.Add(1)
		}
		return nil
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	own := x509.NewCertPool()
	own.AddCert(server.Certificate())
	db := dynamo.New(awsConfig(server.URL), f.tables, x509.NewCertPool(), own)
	for n := range 3 {
		if err := db.Put(t.Context(), record("acme", n, `{}`), settings.Condition{}); err != nil {
			t.Fatal(err)
		}
		server.CloseClientConnections()
	}
	if resumed.Load() != 2 {
		t.Errorf("%d of %d handshakes resumed a session, want 2", resumed.Load(), handshakes.Load())
	}
}
