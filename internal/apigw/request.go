package apigw

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request returns ev as a server would have read it from the wire.
func (ev *event) request(ctx context.Context) *http.Request {
	path := ev.path
	if ev.stage != "" && ev.stage != "$default" {
		// Behind a custom domain the stage is not there, but a path may begin like it.
		if rest, ok := strings.CutPrefix(path, "/"+ev.stage); ok && (rest == "" || rest[0] == '/') {
			path = cmp.Or(rest, "/")
		}
	}
	body, err := ev.body, ev.bodyErr
	if ev.isBase64 && err == nil {
		body, err = base64.StdEncoding.AppendDecode(body[:0], body) // in place
	}
	if len(ev.cookies) > 0 {
		ev.header.Set("Cookie", strings.Join(ev.cookies, "; "))
	}
	host := ev.header.Get("Host")
	ev.header.Del("Host")
	r := &http.Request{
		Method:        ev.method,
		URL:           &url.URL{Path: path, RawQuery: ev.query},
		Proto:         ev.protocol,
		Header:        ev.header,
		Host:          host,
		RemoteAddr:    ev.sourceIP,
		ContentLength: int64(len(body)),
		Body:          io.NopCloser(bytes.NewReader(body)),
	}
	if err != nil {
		r.ContentLength, r.Body = -1, brokenBody{fmt.Errorf("read body of API Gateway event: %w", err)}
	}
	r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(ev.protocol)
	return r.WithContext(ctx)
}

// brokenBody is a body that cannot be read.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (brokenBody) Close() error               { return nil }
