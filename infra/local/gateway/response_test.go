package gateway_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// respond returns the answer to a client if the function's response is payload.
func respond(t *testing.T, payload string) answer {
	t.Helper()
	addr := serve(t, func(context.Context, []byte) ([]byte, error) { return []byte(payload), nil }, nil)
	return exchange(t, addr, "GET /a HTTP/1.1\nHost: api.example", nil)
}

func TestResponse(t *testing.T) {
	t.Parallel()
	const text, jsonType = "text/plain; charset=utf-8", "application/json"
	for _, test := range []struct {
		name, payload string
		status        int
		header        http.Header // besides Date, Content-Length and the request id
		body          string
	}{
		{"no content type", `{"statusCode":200,"body":"{}"}`, 200, http.Header{"Content-Type": {text}}, "{}"},
		{"empty content type", `{"statusCode":200,"headers":{"content-type":""}}`, 200, http.Header{"Content-Type": {text}}, ""},
		{"content type", `{"statusCode":201,"headers":{"CONTENT-type":"a/b"},"body":"é<"}`, 201, http.Header{"Content-Type": {"a/b"}}, "é<"},
		{"no body", `{"statusCode":404}`, 404, http.Header{"Content-Type": {text}}, ""},
		{"null members", `{"statusCode":200,"headers":null,"body":null,"cookies":null,"isBase64Encoded":null}`, 200, http.Header{"Content-Type": {text}}, ""},
		{"unknown members", `{"statusCode":200,"multiValueHeaders":{"x-a":["1"]},"more":[1]}`, 200, http.Header{"Content-Type": {text}}, ""},
		{"status as a string", `{"statusCode":"418","body":"x"}`, 418, http.Header{"Content-Type": {text}}, "x"},
		{"lowest status", `{"statusCode":200}`, 200, http.Header{"Content-Type": {text}}, ""},
		{"highest status", `{"statusCode":599}`, 599, http.Header{"Content-Type": {text}}, ""},
		{
			"header values of other types", `{"statusCode":200,"headers":{"x-n":12345678901234567890,"x-f":1.50,"x-t":true,"x-f-":false,"x-e":""}}`,
			200, http.Header{"Content-Type": {text}, "X-N": {"12345678901234567890"}, "X-F": {"1.50"}, "X-T": {"true"}, "X-F-": {"false"}, "X-E": {""}}, "",
		},
		{
			"cookies", `{"statusCode":200,"cookies":["a=1; Path=/","b=2, 3"],"headers":{"set-cookie":"c=4"}}`,
			200, http.Header{"Content-Type": {text}, "Set-Cookie": {"c=4", "a=1; Path=/", "b=2, 3"}}, "",
		},
		{"base64", `{"statusCode":200,"isBase64Encoded":true,"headers":{"content-type":"image/png"},"body":"/wD+"}`, 200, http.Header{"Content-Type": {"image/png"}}, "\xff\x00\xfe"},
		{"base64 of nothing", `{"statusCode":200,"isBase64Encoded":true}`, 200, http.Header{"Content-Type": {text}}, ""},
		{"not base64", `{"statusCode":200,"isBase64Encoded":false,"body":"/wD+"}`, 200, http.Header{"Content-Type": {text}}, "/wD+"},
		{
			"the gateway's own fields", `{"statusCode":200,"headers":{"apigw-requestid":"spoofed","Connection":"x","content-length":"99","Transfer-Encoding":"gzip","x-a":"1"},"body":"x"}`,
			200, http.Header{"Content-Type": {text}, "X-A": {"1"}}, "x",
		},
		{"no new lines in fields", `{"statusCode":200,"headers":{"x-a":"1\r\nx-b: 2"}}`, 200, http.Header{"Content-Type": {text}, "X-A": {"1  x-b: 2"}}, ""},
		{"304", `{"statusCode":304,"headers":{"etag":"\"1\"","cache-control":"private"},"body":"x"}`, 304, http.Header{"Etag": {`"1"`}, "Cache-Control": {"private"}}, ""},
		{"204", `{"statusCode":204,"body":"x"}`, 204, http.Header{"Content-Type": {text}}, ""},

		{"no statusCode", `{"headers":{"x-a":"1"}, "body":"x"}`, 200, http.Header{"Content-Type": {jsonType}}, `{"headers":{"x-a":"1"}, "body":"x"}`},
		{"statusCode in another case", `{"StatusCode":404}`, 200, http.Header{"Content-Type": {jsonType}}, `{"StatusCode":404}`},
		{"empty object", ` {} `, 200, http.Header{"Content-Type": {jsonType}}, ` {} `},
		{"array", `[{"statusCode":404}]`, 200, http.Header{"Content-Type": {jsonType}}, `[{"statusCode":404}]`},
		{"string", `"x"`, 200, http.Header{"Content-Type": {jsonType}}, `"x"`},
		{"number", `404`, 200, http.Header{"Content-Type": {jsonType}}, `404`},
		{"null", `null`, 200, http.Header{"Content-Type": {jsonType}}, `null`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := respond(t, test.payload)
			if got.status != test.status || got.body != test.body {
				t.Errorf("answer %d %q, want %d %q", got.status, got.body, test.status, test.body)
			}
			checkID(t, got)
			for _, name := range []string{"Date", "Content-Length", "Apigw-Requestid"} {
				got.header.Del(name)
			}
			if test.status == 304 {
				got.header.Del("Content-Type") // net/http leaves it out where the function gave none
			}
			if diff := cmp.Diff(test.header, got.header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvalidResponse(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"nothing":               ``,
		"no JSON":               `OK`,
		"cut off":               `{"statusCode":200`,
		"two values":            `{"statusCode":200}{}`,
		"status null":           `{"statusCode":null}`,
		"status text":           `{"statusCode":"OK"}`,
		"status empty":          `{"statusCode":""}`,
		"status true":           `{"statusCode":true}`,
		"status object":         `{"statusCode":{}}`,
		"status fraction":       `{"statusCode":200.5}`,
		"status exponent":       `{"statusCode":2e2}`,
		"status 0":              `{"statusCode":0}`,
		"status negative":       `{"statusCode":-200}`,
		"status 99":             `{"statusCode":99}`,
		"status 100":            `{"statusCode":100}`,
		"status 101":            `{"statusCode":101}`,
		"status 199":            `{"statusCode":199}`,
		"status 600":            `{"statusCode":600}`,
		"status huge":           `{"statusCode":1e400}`,
		"body object":           `{"statusCode":200,"body":{}}`,
		"body number":           `{"statusCode":200,"body":1}`,
		"bad base64":            `{"statusCode":200,"isBase64Encoded":true,"body":"?"}`,
		"flag text":             `{"statusCode":200,"isBase64Encoded":"true"}`,
		"headers array":         `{"statusCode":200,"headers":[]}`,
		"header null":           `{"statusCode":200,"headers":{"x-a":null}}`,
		"header array":          `{"statusCode":200,"headers":{"x-a":["1"]}}`,
		"header object":         `{"statusCode":200,"headers":{"x-a":{}}}`,
		"cookies text":          `{"statusCode":200,"cookies":"a=1"}`,
		"cookies with a number": `{"statusCode":200,"cookies":[1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := respond(t, payload)
			checkOwn(t, got, 500, "Internal Server Error")
			if got := got.header.Values("X-A"); got != nil {
				t.Errorf("a field of the invalid response gets out: %q", got)
			}
		})
	}
}
