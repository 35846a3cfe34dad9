package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// response is a function's response in payload format 2.0.
type response struct {
	StatusCode      *json.Number   `json:"statusCode"`
	Headers         map[string]any `json:"headers"`
	Cookies         []string       `json:"cookies"`
	Body            *string        `json:"body"`
	IsBase64Encoded bool           `json:"isBase64Encoded"`
}

// send answers with the function's response. A response without a status code is
// the body of a 200. An invalid response is a 500. With cors, the function's CORS
// fields are dropped.
func send(w http.ResponseWriter, payload []byte, cors bool) {
	if !json.Valid(payload) {
		fail(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || members["statusCode"] == nil {
		w.Header().Set("Content-Type", "application/json")
		w.Write(payload)
		return
	}
	status, header, body, err := readResponse(payload)
	if err != nil {
		fail(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	for name, values := range header {
		switch {
		case cors && strings.HasPrefix(name, "Access-Control-"):
			continue // the gateway sets these
		case name == "Vary":
			values = append(w.Header()[name], values...)
		}
		w.Header()[name] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(status)
	w.Write(body)
}

// isOwn reports whether the gateway alone sets a header field.
func isOwn(name string) bool {
	return name == "content-length" || name == "apigw-requestid" || isHopByHop(name)
}

func readResponse(payload []byte) (status int, header http.Header, body []byte, err error) {
	var r response
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		return 0, nil, nil, err
	}
	if r.StatusCode == nil {
		return 0, nil, nil, errors.New("status code null")
	}
	status, err = strconv.Atoi(r.StatusCode.String())
	if err != nil || status < 200 || status > 599 { // 1xx is no final response
		return 0, nil, nil, fmt.Errorf("status code %q", *r.StatusCode)
	}
	header = make(http.Header)
	for _, key := range slices.Sorted(maps.Keys(r.Headers)) { // if two keys differ only in case, the later one wins
		name := strings.ToLower(key)
		if isOwn(name) {
			continue
		}
		switch value := r.Headers[key].(type) {
		case string:
			header.Set(name, value)
		case bool, json.Number:
			header.Set(name, fmt.Sprint(value))
		default:
			return 0, nil, nil, fmt.Errorf("header field %s is a %T", name, value)
		}
	}
	for _, cookie := range r.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	if r.Body != nil {
		body = []byte(*r.Body)
	}
	if r.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(string(body)); err != nil {
			return 0, nil, nil, fmt.Errorf("decode body: %w", err)
		}
	}
	return status, header, body, nil
}
