package apigw

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// event is what is read of a payload.
type event struct {
	method    string
	path      string // decoded, with the name of a named stage before it
	query     string // as sent
	protocol  string
	stage     string
	sourceIP  string
	requestID string
	header    http.Header
	cookies   []string
	body      []byte // nil: absent
	bodyErr   error  // body is not Unicode text
	isBase64  bool
}

// readEvent reads a payload. It skips the members that are not needed, and takes
// null for absent.
func readEvent(payload []byte) (*event, error) {
	// The gateway is trusted to write each name once, and a header field that is not
	// UTF-8 is no reason to fail. jsontext reads from a bytes.Buffer in place.
	d := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	ev := &event{header: make(http.Header)}
	err := object(ev.members())(d)
	if err == nil {
		err = readEnd(d)
	}
	if err != nil {
		return nil, fmt.Errorf("read API Gateway event: %w", err)
	}
	return ev, nil
}

// members returns how the members of the payload are read.
func (ev *event) members() map[string]readValue {
	return map[string]readValue{
		"rawPath":         text(&ev.path),
		"rawQueryString":  text(&ev.query),
		"cookies":         ev.readCookies,
		"headers":         ev.readHeaders,
		"body":            ev.readBody,
		"isBase64Encoded": ev.readIsBase64,
		"requestContext": object(map[string]readValue{
			"requestId": text(&ev.requestID),
			"stage":     text(&ev.stage),
			"http": object(map[string]readValue{
				"method":   text(&ev.method),
				"protocol": text(&ev.protocol),
				"sourceIp": text(&ev.sourceIP),
			}),
		}),
	}
}

func (ev *event) readHeaders(d *jsontext.Decoder) error {
	return eachMember(d, func(name string) error {
		t, err := readToken(d, '"', "a string")
		ev.header.Set(name, t.String())
		return err
	})
}

func (ev *event) readCookies(d *jsontext.Decoder) error {
	if _, err := readToken(d, '[', "an array"); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		t, err := readToken(d, '"', "a string")
		if err != nil {
			return err
		}
		ev.cookies = append(ev.cookies, t.String())
	}
	_, err := d.ReadToken()
	return err
}

// readBody decodes the body strictly: jsontext would replace what is not Unicode.
func (ev *event) readBody(d *jsontext.Decoder) error {
	if ev.body != nil {
		return errors.New("more than one body")
	}
	quoted, err := d.ReadValue()
	if err != nil {
		return err
	}
	if quoted.Kind() != '"' {
		return errors.New("/body is not a string")
	}
	ev.body, ev.bodyErr = jsontext.AppendUnquote(nil, quoted)
	return nil
}

func (ev *event) readIsBase64(d *jsontext.Decoder) error {
	ev.isBase64 = d.PeekKind() == 't'
	if ev.isBase64 {
		return d.SkipValue()
	}
	_, err := readToken(d, 'f', "a boolean")
	return err
}

// readValue reads one value that is not null.
type readValue func(*jsontext.Decoder) error

// object returns a readValue of an object. It skips the members that are not among members.
func object(members map[string]readValue) readValue {
	return func(d *jsontext.Decoder) error {
		return eachMember(d, func(name string) error {
			if read, ok := members[name]; ok {
				return read(d)
			}
			return d.SkipValue()
		})
	}
}

// eachMember reads an object. It calls read with the name of each member, unless its
// value is null; read has to consume the value.
func eachMember(d *jsontext.Decoder, read func(name string) error) error {
	if _, err := readToken(d, '{', "an object"); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return err
		}
		name := t.String() // t itself is valid only until the next read
		if d.PeekKind() == 'n' {
			err = d.SkipValue()
		} else {
			err = read(name)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken() // the end, or the error that PeekKind met
	return err
}

// text returns a readValue that sets to.
func text(to *string) readValue {
	return func(d *jsontext.Decoder) error {
		t, err := readToken(d, '"', "a string")
		*to = t.String()
		return err
	}
}

// readToken reads a token of this kind, which is said in words for the error.
func readToken(d *jsontext.Decoder, kind jsontext.Kind, words string) (jsontext.Token, error) {
	t, err := d.ReadToken()
	if err == nil && t.Kind() != kind {
		err = fmt.Errorf("%s is not %s", cmp.Or(string(d.StackPointer()), "the payload"), words)
	}
	return t, err
}

func readEnd(d *jsontext.Decoder) error {
	_, err := d.ReadToken()
	switch {
	case err == nil:
		return errors.New("more than one value")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
