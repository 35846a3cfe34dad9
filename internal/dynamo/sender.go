package dynamo

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"orgsettings/internal/settings"
)

// A Lambda environment is frozen between requests, and what it kept open may be
// dead when it thaws: only a connection used a moment ago is worth a try.
const idleTimeout = 4 * time.Second

// sender sends the requests of the client over HTTP, and counts them.
type sender struct {
	client aws.HTTPClient
}

func newSender() sender {
	return sender{awshttp.NewBuildableClient().
		WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = attemptTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.IdleConnTimeout = idleTimeout }).
		Freeze()}
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
	return s.client.Do(r)
}
