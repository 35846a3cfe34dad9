package apigw

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// response collects what a handler answers.
type response struct {
	header http.Header
	status int // 0: not written yet
	body   []byte
}

func (w *response) Header() http.Header { return w.header }

// WriteHeader leaves out informational statuses: there is one answer.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, b...)
	return len(b), nil
}

// payload returns the response in format 2.0. statusCode is always there: the
// gateway would take a payload without it for a body. A body that is not UTF-8
// goes as base64.
func (w *response) payload() []byte {
	w.WriteHeader(http.StatusOK)
	b := make([]byte, 0, len(w.body)+len(w.body)/8+512)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(w.status), 10)
	b = append(b, `,"headers":{`...)
	comma := ""
	for _, name := range slices.Sorted(maps.Keys(w.header)) {
		if name == "Set-Cookie" {
			continue
		}
		b = appendString(append(b, comma...), name)
		b = appendString(append(b, ':'), strings.Join(w.header[name], ","))
		comma = ","
	}
	b = append(b, '}')
	if cookies := w.header["Set-Cookie"]; len(cookies) > 0 {
		b = append(b, `,"cookies":[`...)
		for i, c := range cookies {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, c)
		}
		b = append(b, ']')
	}
	b = append(b, `,"body":`...)
	if text, err := jsontext.AppendQuote(b, w.body); err == nil {
		return append(text, '}')
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, w.body)
	return append(b, `","isBase64Encoded":true}`...)
}

// appendString appends s as a JSON string. Ill-formed UTF-8 in it is replaced.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}
