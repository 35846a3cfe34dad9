package dynamo

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"orgsettings/internal/settings"
	"orgsettings/internal/tlsdial"
)

// A Lambda environment is frozen between requests, and what it kept open may be
// dead when it thaws: only a connection used a moment ago is worth a try.
const idleTimeout = 4 * time.Second

// sender sends the requests of the client over HTTP/1.1, and counts them. There is
// no [http.Client] around it: it would follow redirects and make a timer of its own
// for each request.
type sender struct {
	transport *http.Transport
}

func newSender(authorities []*x509.CertPool) sender {
	config := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(1)} // for the connection after a freeze
	return sender{&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: attemptTimeout}).DialContext,
		DialTLSContext:        tlsdial.New(config, attemptTimeout, authorities...).DialContext,
		TLSHandshakeTimeout:   attemptTimeout, // this and the next through a proxy
		TLSClientConfig:       config,
		ResponseHeaderTimeout: attemptTimeout,
		IdleConnTimeout:       idleTimeout,
		DisableCompression:    true,
	}}
}

// Do implements [aws.HTTPClient]. A request that met a dead connection is sent
// again at once, over another one.
func (s sender) Do(r *http.Request) (*http.Response, error) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, fmt.Errorf("read the body of a request: %w", err)
	}
	ctx := r.Context()
	// [http.Transport] repeats by itself what has this function and this field, which is
	// then not sent: every request of this package may be repeated. Without it, requests
	// after a thaw would wait for the pause of the client. That the body is in memory
	// also lets it leave together with the header.
	r.GetBody = func() (io.ReadCloser, error) {
		settings.AddAttempt(ctx)
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	r.Header["Idempotency-Key"] = nil
	r.Body, _ = r.GetBody()
	return s.transport.RoundTrip(r)
}
