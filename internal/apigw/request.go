package apigw

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// event is what is read of a payload.
type event struct {
	version   string
	routeKey  string
	method    string
	path      string // decoded, behind the name of a named stage
	query     string // as sent
	protocol  string
	stage     string
	sourceIP  string
	variables []string // of the path: a placeholder of routeKey, its value, and so on
	requestID string
	header    http.Header
	cookies   []string
	body      []byte
	bodyErr   error // why the body cannot be read
	isBase64  bool
}

// maxFieldBytes bounds the header fields, cookies and variables of the path of an event together. The gateway takes 10,240
// bytes of request line and header, and adds a few.
const maxFieldBytes = 16 << 10

// readEvent reads a payload. Members that are not needed are skipped.
func readEvent(payload []byte) (*event, error) {
	r := newReader(payload)
	ev := &event{header: make(http.Header)}
	fieldBytes := 0
	bound := func(field, value string) error {
		if fieldBytes += len(field) + len(value) + len(": \r\n"); fieldBytes > maxFieldBytes {
			return fmt.Errorf("header fields, cookies and path have more than %d bytes", maxFieldBytes)
		}
		return nil
	}
	err := r.read(members{
		"version":         &ev.version,
		"routeKey":        &ev.routeKey,
		"rawPath":         &ev.path,
		"rawQueryString":  &ev.query,
		"isBase64Encoded": &ev.isBase64,
		"requestContext": members{
			"requestId": &ev.requestID,
			"stage":     &ev.stage,
			"http":      members{"method": &ev.method, "protocol": &ev.protocol, "sourceIp": &ev.sourceIP},
		},
		"cookies": list(func(cookie string) error {
			ev.cookies = append(ev.cookies, cookie)
			return bound("", cookie)
		}),
		"headers": object(func(field string) any {
			return text(func(value string) error {
				ev.header.Set(field, value)
				return bound(field, value)
			})
		}),
		"pathParameters": object(func(name string) any {
			return text(func(value string) error {
				ev.variables = append(ev.variables, "{"+name+"}", value)
				return bound(name, value)
			})
		}),
		"body": literal(ev.readBody),
	})
	if err == nil {
		err = r.end()
	}
	if err == nil && (ev.version != "2.0" || ev.method == "") {
		err = errors.New(describe(payload, ev.version))
	}
	return ev, err
}

// readBody reads a body strictly: what is no valid UTF-8, or half of a surrogate pair, must not be replaced in silence.
// It is an error of the request and not of the event.
func (ev *event) readBody(text jsontext.Value) error {
	if ev.body != nil {
		return errors.New("more than one body")
	}
	ev.body, ev.bodyErr = jsontext.AppendUnquote(make([]byte, 0, len(text)), text)
	return nil
}

// request returns ev as a server would have read it from the wire.
func (ev *event) request(ctx context.Context) *http.Request {
	body, err := ev.body, ev.bodyErr
	if ev.isBase64 && err == nil {
		var n int
		n, err = base64.StdEncoding.Decode(body, body) // in place: a decoded body is shorter
		body = body[:n]
	}
	if len(ev.cookies) > 0 {
		ev.header.Set("Cookie", strings.Join(ev.cookies, "; "))
	}
	host := ev.header.Get("Host")
	ev.header.Del("Host")
	r := &http.Request{
		Method:        ev.method,
		URL:           &url.URL{Path: ev.route(), RawQuery: ev.query},
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

// route returns the path of the route that the gateway chose, with the values of its variables: behind a mapping key of a
// custom domain the path of the request begins with more. The key of a catch-all route names no path; the path of the
// request then decides.
func (ev *event) route() string {
	if _, path, ok := strings.Cut(ev.routeKey, " "); ok && !strings.Contains(path, "+}") {
		known := path
		for i := 0; i < len(ev.variables); i += 2 {
			known = strings.ReplaceAll(known, ev.variables[i], "")
		}
		if !strings.Contains(known, "{") {
			return strings.NewReplacer(ev.variables...).Replace(path)
		}
	}
	if ev.stage != "" && ev.stage != "$default" {
		// Behind a custom domain the stage is not there, but a path may begin like it.
		if rest, ok := strings.CutPrefix(ev.path, "/"+ev.stage); ok && (rest == "" || rest[0] == '/') {
			return cmp.Or(rest, "/")
		}
	}
	return ev.path
}

// brokenBody is a body that cannot be read.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (brokenBody) Close() error               { return nil }
