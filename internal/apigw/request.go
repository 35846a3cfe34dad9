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
	requestID string
	header    http.Header
	cookies   []string
	body      []byte
	bodyErr   error // why the body cannot be read
	isBase64  bool
}

// maxFieldBytes bounds the header fields and cookies of an event together. The gateway takes 10,240 bytes of them and
// adds a few.
const maxFieldBytes = 16 << 10

// newDecoder returns a decoder of a payload. Header fields and queries may hold anything: names that are not UTF-8, and
// so may come twice, are no reason to fail.
func newDecoder(payload []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// readEvent reads a payload. Members that are not needed are skipped, and null is as
// good as absent.
func readEvent(payload []byte) (*event, error) {
	d := newDecoder(payload)
	ev := &event{header: make(http.Header)}
	fieldBytes := 0
	bound := func(field, value string) error {
		if fieldBytes += len(field) + len(value) + len(": \r\n"); fieldBytes > maxFieldBytes {
			return fmt.Errorf("header fields and cookies have more than %d bytes", maxFieldBytes)
		}
		return nil
	}
	err := eachMember(d, func(name string) error {
		switch name {
		case "version":
			return readString(d, &ev.version)
		case "routeKey":
			return readString(d, &ev.routeKey)
		case "rawPath":
			return readString(d, &ev.path)
		case "rawQueryString":
			return readString(d, &ev.query)
		case "cookies":
			return readStrings(d, func(cookie string) error {
				ev.cookies = append(ev.cookies, cookie)
				return bound("", cookie)
			})
		case "headers":
			return eachMember(d, func(field string) error {
				if d.PeekKind() == 'n' {
					return d.SkipValue()
				}
				var value string
				if err := readString(d, &value); err != nil {
					return err
				}
				ev.header.Set(field, value)
				return bound(field, value)
			})
		case "requestContext":
			return ev.readContext(d)
		case "body":
			return ev.readBody(d)
		case "isBase64Encoded":
			return readBool(d, &ev.isBase64)
		default:
			return d.SkipValue()
		}
	})
	if err == nil {
		err = atEnd(d)
	}
	if err == nil && (ev.version != "2.0" || ev.method == "") {
		err = errors.New(describe(payload, ev.version))
	}
	return ev, err
}

// readBody reads a body strictly: what is no valid UTF-8, or half of a surrogate pair,
// must not be replaced in silence. It is an error of the request and not of the event.
func (ev *event) readBody(d *jsontext.Decoder) error {
	text, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch text.Kind() {
	case '"':
		if ev.body != nil {
			return errors.New("more than one body")
		}
		ev.body, ev.bodyErr = jsontext.AppendUnquote(make([]byte, 0, len(text)), text)
	case 'n':
	default:
		return fmt.Errorf("%s is not a string", where(d))
	}
	return nil
}

func (ev *event) readContext(d *jsontext.Decoder) error {
	return eachMember(d, func(name string) error {
		switch name {
		case "requestId":
			return readString(d, &ev.requestID)
		case "stage":
			return readString(d, &ev.stage)
		case "http":
			return eachMember(d, func(name string) error {
				switch name {
				case "method":
					return readString(d, &ev.method)
				case "protocol":
					return readString(d, &ev.protocol)
				case "sourceIp":
					return readString(d, &ev.sourceIP)
				default:
					return d.SkipValue()
				}
			})
		default:
			return d.SkipValue()
		}
	})
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

// route returns the path of the route that the gateway chose: behind a mapping key of a custom domain the path of the
// request begins with more. The key of a catch-all route names no path; the path of the request then decides.
func (ev *event) route() string {
	if _, path, ok := strings.Cut(ev.routeKey, " "); ok && !strings.Contains(path, "{") {
		return path
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

// eachMember reads an object and calls read for each name; read has to consume
// the value. It takes null for an empty object.
func eachMember(d *jsontext.Decoder, read func(name string) error) error {
	if d.PeekKind() == 'n' {
		return d.SkipValue()
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '{' {
		return fmt.Errorf("%s is not an object", where(d))
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}

// atEnd returns an error unless everything is read.
func atEnd(d *jsontext.Decoder) error {
	switch _, err := d.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("more than one value")
	default:
		return err
	}
}

func readString(d *jsontext.Decoder, to *string) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch t.Kind() {
	case '"':
		*to = t.String()
	case 'n':
	default:
		return fmt.Errorf("%s is not a string", where(d))
	}
	return nil
}

func readStrings(d *jsontext.Decoder, read func(string) error) error {
	t, err := d.ReadToken()
	if err != nil || t.Kind() == 'n' {
		return err
	}
	if t.Kind() != '[' {
		return fmt.Errorf("%s is not an array", where(d))
	}
	for d.PeekKind() != ']' {
		var s string
		if err := readString(d, &s); err != nil {
			return err
		}
		if err := read(s); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}

func readBool(d *jsontext.Decoder, to *bool) error {
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch t.Kind() {
	case 't', 'f':
		*to = t.Bool()
	case 'n':
	default:
		return fmt.Errorf("%s is not a boolean", where(d))
	}
	return nil
}

// where names the place of the value that was read last.
func where(d *jsontext.Decoder) string {
	if p := string(d.StackPointer()); p != "" {
		return p
	}
	return "the payload"
}
