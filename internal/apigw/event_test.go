package apigw_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/apigw"
)

// object is a JSON object.
type object = map[string]any

// newEvent returns a valid event in which these members replace its own.
func newEvent(members object) object {
	ev := object{
		"version": "2.0", "routeKey": "$default", "rawPath": "/a", "rawQueryString": "",
		"headers": object{"host": "api.example"},
		"requestContext": object{
			"stage": "$default", "requestId": "gateway-1",
			"http": object{"method": "POST", "path": "/a", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
		},
		"isBase64Encoded": false,
	}
	for name, value := range members {
		ev[name] = value
	}
	return ev
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen is what a handler finds in a request.
type seen struct {
	r       *http.Request
	body    []byte
	bodyErr error
}

// invoke serves the payload and returns the request that arrived, nil if none did.
func invoke(t testing.TB, payload []byte) (got *seen, err error) {
	t.Helper()
	h := apigw.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = &seen{r: r}
		got.body, got.bodyErr = io.ReadAll(r.Body)
	}))
	answer, err := h.Invoke(t.Context(), payload)
	if (got == nil) != (err != nil) || (answer == nil) != (err != nil) {
		t.Errorf("Invoke = %q, %v; request arrived: %v", answer, err, got != nil)
	}
	return got, err
}

// mustInvoke is like invoke, for a valid event with these members.
func mustInvoke(t testing.TB, members object) *seen {
	t.Helper()
	got, err := invoke(t, marshal(t, newEvent(members)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRequest(t *testing.T) {
	t.Parallel()
	got := mustInvoke(t, object{
		"rawPath": "/caf\u00e9 %2F/x", "rawQueryString": "keys=a&keys=b.c&e=%zz&plus=a+b&=;x&utf=%C3%A9",
		"headers": object{"host": "api.example", "x-two": "1,2", "content-type": "application/json", "content-length": "2", "accept": "*/*"},
		"cookies": []string{"a=1", `b="2, 3"`},
		"body":    "{}",
	})
	want := http.Header{
		"X-Two": {"1,2"}, "Content-Type": {"application/json"}, "Content-Length": {"2"}, "Accept": {"*/*"},
		"Cookie": {`a=1; b="2, 3"`}, "Apigw-Requestid": {"gateway-1"},
	}
	if diff := cmp.Diff(want, got.r.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	type line struct {
		Method, Path, Query, Proto, Host, Remote string
		Major, Minor                             int
		Length                                   int64
	}
	r := got.r
	if diff := cmp.Diff(
		line{"POST", "/caf\u00e9 %2F/x", "keys=a&keys=b.c&e=%zz&plus=a+b&=;x&utf=%C3%A9", "HTTP/1.1", "api.example", "203.0.113.7", 1, 1, 2},
		line{r.Method, r.URL.Path, r.URL.RawQuery, r.Proto, r.Host, r.RemoteAddr, r.ProtoMajor, r.ProtoMinor, r.ContentLength},
	); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if string(got.body) != "{}" || got.bodyErr != nil {
		t.Errorf("body = %q, %v", got.body, got.bodyErr)
	}
	if c, err := r.Cookie("a"); err != nil || c.Value != "1" {
		t.Errorf("cookie a = %v, %v", c, err)
	}
}

func TestStageIsLeftOutOfThePath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ stage, path, want string }{
		{"$default", "/settings", "/settings"},
		{"$default", "/$default/settings", "/$default/settings"},
		{"prod", "/prod/settings", "/settings"},
		{"prod", "/prod/prod/settings", "/prod/settings"},
		{"prod", "/prod/", "/"},
		{"prod", "/prod", "/"},
		{"prod", "/production/settings", "/production/settings"},
		{"prod", "/settings", "/settings"},
		{"prod", "/PROD/settings", "/PROD/settings"},
		{"", "/settings", "/settings"},
	} {
		got := mustInvoke(t, object{"rawPath": c.path, "requestContext": object{"stage": c.stage}})
		if got.r.URL.Path != c.want {
			t.Errorf("stage %q: path of %q = %q, want %q", c.stage, c.path, got.r.URL.Path, c.want)
		}
	}
}

func TestIllFormedHeadersAreNoFailure(t *testing.T) {
	t.Parallel()
	got, err := invoke(t, []byte("{\"headers\":{\"x-a\":\"b\xff\",\"x-b\":\"\\ud800c\",\"x-\xff\":\"d\"},\"cookies\":[\"a=\xfe\"],\"rawQueryString\":\"q=\xff\",\"rawPath\":\"/\xff\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if h := got.r.Header; h.Get("X-A") != "b\ufffd" || h.Get("X-B") != "\ufffdc" || h.Get("Cookie") != "a=\ufffd" || got.r.URL.Path != "/\ufffd" {
		t.Errorf("header = %q, path = %q", h, got.r.URL.Path)
	}
}

func TestNullIsAsGoodAsAbsent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{}`, ` { } `, `{"x":{"y":[1,{"z":null}]},"Body":"b","unknown":"\ud800"}`,
		`{"rawPath":null,"rawQueryString":null,"headers":null,"cookies":null,"requestContext":null,"body":null,"isBase64Encoded":null}`,
		`{"headers":{"x-a":null},"requestContext":{"http":null,"stage":null,"requestId":null,"authorizer":{"a":1}},"cookies":[]}`,
		`{"requestContext":{"http":{"method":null,"protocol":null,"sourceIp":null,"other":[]}}}`,
	} {
		got, err := invoke(t, []byte(payload))
		if err != nil {
			t.Errorf("Invoke(%s): %v", payload, err)
			continue
		}
		if diff := cmp.Diff(http.Header{"Apigw-Requestid": {""}}, got.r.Header); diff != "" || len(got.body) > 0 || got.bodyErr != nil || got.r.ContentLength != 0 {
			t.Errorf("Invoke(%s): body %q, %v; header (-want +got):\n%s", payload, got.body, got.bodyErr, diff)
		}
	}
}

func TestPayloadsThatAreNoEvent(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		``: "EOF", `{`: "EOF", `[]`: "the payload is not an object", `"a"`: "the payload is not an object", `5`: "the payload is not an object", `{}{}`: "more than one value", `{}x`: "invalid character", `{"a":1,}`: "invalid character",
		`{"rawPath":1}`: "/rawPath is not a string", `{"rawQueryString":{}}`: "is not a string", `{"headers":[]}`: "/headers is not an object", `{"headers":"a"}`: "/headers is not an object",
		`{"headers":{"a":1}}`: "/headers/a is not a string", `{"headers":{"a":["b"]}}`: "is not a string", `{"cookies":"a=1"}`: "/cookies is not an array", `{"cookies":[1]}`: "/cookies/0 is not a string", `{"cookies":[`: "EOF",
		`{"cookies":["a"`: "EOF", `{"requestContext":[]}`: "/requestContext is not an object", `{"requestContext":{"stage":1}}`: "/requestContext/stage is not a string", `{"requestContext":{"http":"x"}}`: "/requestContext/http is not an object",
		`{"requestContext":{"http":{"method":["GET"]}}}`: "is not a string", `{"body":{}}`: "body is not a string", `{"body":1}`: "body is not a string", `{"body":"a`: "EOF", `{"body":"a","body":"b"}`: "more than one body", `{"body":"a\`: "/body", `{"body":"\x"}`: "/body", `{"body":"\u12g4"}`: "/body", `{"body":"\u12"}`: "/body", "{\"body\":\"a\nb\"}": "/body", `["body":"a"]`: "the payload is not an object", `{"body":"a"`: "EOF", `{"body" "a"}`: "invalid character",
		`{"isBase64Encoded":"true"}`: "/isBase64Encoded is not a boolean", `{"isBase64Encoded":1}`: "is not a boolean",
	} {
		if _, err := invoke(t, []byte(payload)); err == nil || !strings.HasPrefix(err.Error(), "read API Gateway event: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("Invoke(%s): %v, want %q", payload, err, want)
		}
	}
}

func TestRequestIDsAreNotTheClients(t *testing.T) {
	t.Parallel()
	spoofed := object{"apigw-requestid": "evil", "Lambda-Runtime-Aws-Request-Id": "evil", "lambda-runtime-aws-request-id": "evil"}
	for _, c := range []struct{ gateway, lambda string }{{"gateway-1", "lambda-1"}, {"", ""}, {"gateway-1", ""}} {
		ctx := t.Context()
		if c.lambda != "" {
			ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: c.lambda})
		}
		h := apigw.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if g, l := r.Header.Get("Apigw-Requestid"), r.Header.Get("Lambda-Runtime-Aws-Request-Id"); g != c.gateway || l != c.lambda {
				t.Errorf("ids = %q, %q, want %q, %q", g, l, c.gateway, c.lambda)
			}
			for name, values := range r.Header {
				if strings.Contains(strings.Join(values, ","), "evil") {
					t.Errorf("%s = %q", name, values)
				}
			}
		}))
		if _, err := h.Invoke(ctx, marshal(t, newEvent(object{"headers": spoofed, "requestContext": object{"requestId": c.gateway}}))); err != nil {
			t.Error(err)
		}
	}
}

func TestDeadlineLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	with, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	var inside context.Context
	h := apigw.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = r.Context() }))
	h.Invoke(with, []byte(`{}`))
	if got, ok := inside.Deadline(); !ok || !got.Equal(deadline.Add(-500*time.Millisecond)) {
		t.Errorf("deadline = %v, %v, want 500 ms before %v", got, ok, deadline)
	}
	if inside.Err() != context.Canceled {
		t.Errorf("context of an answered request: %v, want canceled", inside.Err())
	}
	h.Invoke(t.Context(), []byte(`{}`))
	if got, ok := inside.Deadline(); ok {
		t.Errorf("deadline = %v, want none", got)
	}
}

func TestSampleEvents(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no sample events")
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ev struct {
			Version string            `json:"version"`
			Headers map[string]string `json:"headers"`
		}
		if err := json.Unmarshal(payload, &ev); err != nil || ev.Version == "" {
			continue // not an event: a file of environment variables for sam local
		}
		got, err := invoke(t, payload)
		if err != nil || got.bodyErr != nil || got.r.URL.Path != "/settings/organization" || !strings.HasPrefix(got.r.Header.Get("Authorization"), "Bearer ") {
			t.Errorf("%s: Invoke = %+v, %v", file, got, err)
			continue
		}
		if length := ev.Headers["content-length"]; length != "" && length != itoa(len(got.body)) || got.r.Method == http.MethodGet != (len(got.body) == 0) {
			t.Errorf("%s: body %q of %s bytes", file, got.body, length)
		}
	}
}
