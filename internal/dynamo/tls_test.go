package dynamo_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// secure returns a fixture, and a server for the same database over TLS, which is not started yet.
func secure(t *testing.T) (fixture, *httptest.Server) {
	t.Helper()
	engine := dynamodb.New()
	plain, server := httptest.NewServer(engine), httptest.NewUnstartedServer(engine)
	t.Cleanup(plain.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are wanted
	server.TLS = new(tls.Config)
	return newFixture(t, plain.URL), server
}

func TestDatabaseIsVerified(t *testing.T) {
	t.Parallel()
	f, server := secure(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	own := x509.NewCertPool()
	own.AddCert(server.Certificate())
	for name, tt := range map[string]struct {
		config  aws.Config
		trusted bool
	}{
		"by its own root CA":      {withRootCAs(awsConfig(server.URL), own), true},
		"by none":                 {withRootCAs(awsConfig(server.URL), x509.NewCertPool()), false},
		"by the system's":         {awsConfig(server.URL), false},
		"by a client without any": {withRootCAs(awsConfig(server.URL), nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := dynamo.New(tt.config, f.tables).Put(t.Context(), record("acme", 1, `{}`), settings.Condition{})
			if tt.trusted && err != nil || !tt.trusted && !errors.Is(err, settings.ErrUnavailable) {
				t.Errorf("put: %v", err)
			}
		})
	}
}

// withRootCAs returns cfg with root CAs, as the SDK sets them for AWS_CA_BUNDLE.
func withRootCAs(cfg aws.Config, rootCAs *x509.CertPool) aws.Config {
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.TLSClientConfig = &tls.Config{RootCAs: rootCAs}
	})
	return cfg
}

// A connection that replaces a lost one resumes its TLS session.
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
	db := dynamo.New(withRootCAs(awsConfig(server.URL), own), f.tables)
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
