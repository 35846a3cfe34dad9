package dynamo

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// A Lambda environment is frozen between requests. A connection that was open before the freeze may be dead after it,
// so only a connection that was used a moment ago is reused.
const idleTimeout = 4 * time.Second

// maxAnswerBytes bounds an answer. It has at most two items of 400 KB, which JSON can make ten times as long: an attribute
// of another program may be a list of 200,000 numbers.
const maxAnswerBytes = 8 << 20

// transport sends the requests of the SDK over HTTP/1.1 and counts them. It does not use [http.Client], which would
// follow redirects and start a timer for each request.
type transport struct {
	http *http.Transport
}

// newTransport returns a transport with the root CAs of cfg, which the SDK keeps in the HTTP client.
func newTransport(cfg aws.Config) transport {
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	t := client.GetTransport()
	t.ForceAttemptHTTP2 = false
	t.DialContext = (&net.Dialer{Timeout: attemptTimeout}).DialContext
	t.TLSHandshakeTimeout = attemptTimeout
	t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1) // for the first connection after a freeze
	t.ResponseHeaderTimeout = attemptTimeout
	t.IdleConnTimeout = idleTimeout
	t.DisableCompression = true
	return transport{t}
}

// Do implements [aws.HTTPClient]. If the reused connection turns out to be dead, the request is sent again at once
// over a new one.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, fmt.Errorf("read the body of a request: %w", err)
	}
	m := meterOf(r.Context())
	// [http.Transport] sends a POST again by itself only if it has GetBody and this header field, which is not sent.
	// Every request of this package may be repeated. Otherwise the first request after a thaw would wait for the
	// SDK's backoff. A body in memory also leaves in one write with the header.
	r.GetBody = func() (io.ReadCloser, error) {
		m.attempts++
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	r.Header["Idempotency-Key"] = nil
	r.Body, _ = r.GetBody()
	response, err := t.http.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswerBytes)
	}
	return response, err
}
