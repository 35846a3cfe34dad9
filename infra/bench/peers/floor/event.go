package main

import (
	"encoding/base64"
	"errors"
	"unicode/utf8"
)

// event is what an event says that matters here.
type event struct {
	authorization []byte
	body          []byte // the inside of a JSON string
	base64        bool
}

func readEvent(s []byte) (e event, ok bool) {
	ok = each(s, func(name, value []byte) {
		switch string(name) {
		case "headers":
			each(value, func(name, value []byte) {
				if string(name) == "authorization" {
					e.authorization = str(value)
				}
			})
		case "body":
			if value[0] == '"' {
				e.body = value[1 : len(value)-1]
			}
		case "isBase64Encoded":
			e.base64 = string(value) == "true"
		}
	})
	return e, ok
}

// maxDocument is in bytes.
const maxDocument = 400_000

var (
	errBody     = errors.New("body has no document")
	errTooLarge = errors.New("document is too large")
)

// reader reads documents. What it returns is valid until the next call.
type reader struct{ body, decoded []byte }

// document returns the document that an event brings, as the inside of a JSON
// string.
func (r *reader) document(e event) ([]byte, error) {
	r.body = unescape(r.body[:0], e.body)
	body := r.body
	if e.base64 {
		var err error
		if r.decoded, err = base64.StdEncoding.AppendDecode(r.decoded[:0], body); err != nil {
			return nil, errBody
		}
		body = r.decoded
	}
	var document []byte
	ok := each(body, func(name, value []byte) {
		if string(name) == "settings" {
			document = value
		}
	})
	switch {
	case !ok || len(document) == 0 || document[0] != '{' || !utf8.Valid(document):
		return nil, errBody
	case len(document) > maxDocument:
		return nil, errTooLarge
	case e.base64:
		return escape(nil, document), nil
	}
	from := cap(body) - cap(document) // as document is a part of body
	return escaped(e.body, body[:from], document, body[from+len(document):]), nil
}
