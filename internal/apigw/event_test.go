package apigw_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/apigw"
)

// object is a JSON object.
type object = map[string]any

// newEvent returns a valid event with these members instead of its own.
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
	if c, ok := ev["requestContext"].(object); ok && c["http"] == nil {
		c["http"] = object{"method": "POST"}
	}
	return ev
}

// event returns a payload that is an event by its first members, with the members of the JSON object more.
func event(more string) []byte {
	comma := ","
	if strings.Trim(more, " {}") == "" {
		comma = ""
	}
	return []byte(`{"version":"2.0","requestContext":{"http":{"method":"POST"}}` + comma + strings.TrimLeft(more, " ")[1:])
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

// invoke serves the payload and returns the request that arrived. The error says what the payload is, if it is no event.
func invoke(t testing.TB, payload []byte) (got *seen, err error) {
	t.Helper()
	h := apigw.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = &seen{r: r}
		got.body, got.bodyErr = io.ReadAll(r.Body)
	}))
	if answer, err := h.Invoke(t.Context(), payload); answer == nil || err != nil || got == nil {
		t.Fatalf("Invoke = %q, %v; request arrived: %v", answer, err, got != nil)
	}
	if foreign := got.r.Header.Get("Apigw-Foreign-Event"); foreign != "" {
		if got.r.Method != "" || got.r.URL.Path != "" || len(got.body) > 0 || len(got.r.Header) > 2 {
			t.Errorf("Invoke(%.200s) makes a request of what is %s: %+v", payload, foreign, got.r)
		}
		return got, errors.New(foreign)
	}
	return got, nil
}

// mustInvoke is invoke of an event that has to be served.
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
	got, err := invoke(t, event("{\"headers\":{\"x-a\":\"b\xff\",\"x-b\":\"\\ud800c\",\"x-\xff\":\"d\"},\"cookies\":[\"a=\xfe\"],\"rawQueryString\":\"q=\xff\",\"rawPath\":\"/\xff\"}"))
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
		got, err := invoke(t, event(payload))
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
		if _, err := invoke(t, []byte(payload)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Invoke(%s): %v, want %q", payload, err, want)
		}
	}
}

// What others send is named: whoever wired the function wrongly, or pressed the button of the console, reads it in the log.
func TestForeignEventsAreNamed(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for payload, want := range map[string]string{
		`{"key1":"value1","key2":"value2","key3":"value3"}`:                                                                                                             "the sample event of the Lambda console",
		`{"version":"0","id":"x","detail-type":"Scheduled Event","source":"aws.events","detail":{}}`:                                                                    `an EventBridge event of version "0"`,
		`{"resource":"/settings/organization","path":"/settings/organization","httpMethod":"GET","headers":{"a":"b"},"requestContext":{"stage":"prod"},"body":null}`:    "an API Gateway event in payload format 1.0, as REST APIs send it",
		`{"version":"1.0","resource":"/a","path":"/a","httpMethod":"GET","multiValueHeaders":{"a":["b"]}}`:                                                              `an API Gateway event in payload format 1.0, as REST APIs send it of version "1.0"`,
		`{"requestContext":{"elb":{"targetGroupArn":"x"}},"httpMethod":"GET","path":"/settings/organization","headers":{"host":"x"},"body":"","isBase64Encoded":false}`: "a load balancer event",
		`{"raw_path":"/a","method":"GET","headers":{"a":"b"},"query_string_parameters":{}}`:                                                                             "a VPC Lattice event",
		`{"version":"2.0","path":"/a","method":"GET","headers":{"a":["b"]},"requestContext":{"serviceNetworkArn":"x"}}`:                                                 "/headers/a is not a string",
		`{"version":"2.0","path":"/a","method":"GET","requestContext":{"serviceNetworkArn":"x"}}`:                                                                       `a VPC Lattice event of version "2.0"`,
		`{"Records":[{"eventSource":"aws:sqs","body":"x"}]}`:                                                                                                            "a batch of records, as SQS, SNS, S3 and DynamoDB streams send it",
		`{"source":"serverless-plugin-warmup"}`:                                                                                                                         "a direct call, such as of a warm-up plug-in",
		`{"version":"1.0"}`:                                                                                                                                             `an object with the members "version" of version "1.0"`,
		`{"version":"2.0"}`:                                                                                                                                             `an object with the members "version" of version "2.0"`,
		`{}`:                                                                                                                                                            "an empty object",
		`null`:                                                                                                                                                          "null",
		`[{"version":"2.0"}]`:                                                                                                                                           "the payload is not an object",
		`"2.0"`:                                                                                                                                                         "the payload is not an object",
		`no JSON`:                                                                                                                                                       "invalid character 'o' in literal null",
		``:                                                                                                                                                              "EOF",
		`{"deep":` + deep + `}`:                                                                                                                                         "exceeded max depth",
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}`:                                                                                                       `an object with the members "a", "b", "c", "d", "e", "f", "g", "h"`,
		`{"` + strings.Repeat(`\u001b`, 1000) + `":1}`:                                                                                                                  `an object with the members "` + strings.Repeat(`\x1b`, 32) + `"`,
		`{"version":"2.0","headers":{"version":"2.0"},"requestContext":{"http":{"path":"/a"}},"key":1}`: `an object with the members "version", "headers", "requestContext", "key" of version "2.0"`,
	} {
		if _, err := invoke(t, []byte(payload)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Invoke(%.200s): %v, want %q", payload, err, want)
		}
	}
	got := mustInvoke(t, object{"headers": object{"apigw-foreign-event": "evil"}})
	if foreign := got.r.Header.Get("Apigw-Foreign-Event"); foreign != "" {
		t.Errorf("a client's header field makes an event %s", foreign)
	}
}

// The key of the route decides where it names a path.
func TestRouteKeyDecides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, stage, path, want string }{
		{"POST /settings", "$default", "/settings", "/settings"},
		{"POST /settings", "$default", "/key/of/a/mapping/settings", "/settings"},
		{"POST /settings", "prod", "/prod/settings", "/settings"},
		{"POST /other", "$default", "/settings", "/other"},
		{"ANY /settings", "$default", "/key/settings", "/settings"},
		{"$default", "$default", "/key/settings", "/key/settings"},
		{"$default", "prod", "/prod/settings", "/settings"},
		{"POST /{proxy+}", "prod", "/prod/settings", "/settings"},
		{"ANY /{a}/{b}", "$default", "/x/settings", "/x/settings"},
		{"", "$default", "/settings", "/settings"},
		{"GET /settings/{id}", "$default", "/key/settings/a", "/settings/A"},
		{"GET /settings/{id}/restore", "prod", "/prod/settings/a/restore", "/settings/A/restore"},
		{"GET /settings/{ID}", "$default", "/settings/a", "/settings/a"},
		{"GET /settings/{odd}", "$default", "/key/settings/x", "/settings/{id}/y"},
	} {
		got := mustInvoke(t, object{"routeKey": c.key, "rawPath": c.path, "pathParameters": object{"id": "A", "odd": "{id}/y"}, "requestContext": object{"stage": c.stage}})
		if got.r.URL.Path != c.want || got.r.Method != "POST" {
			t.Errorf("route %q: %s %q of %q, want POST %q", c.key, got.r.Method, got.r.URL.Path, c.path, c.want)
		}
	}
}

// The gateway takes 10,240 bytes of header fields. What has more than 16,384 comes from no gateway, and no list of it
// grows beyond that.
func TestFieldBound(t *testing.T) {
	t.Parallel()
	const most = 16_384
	host := len("host: api.example\r\n")
	fill := func(n int) string { return strings.Repeat("x", n-len("a: \r\n")) }
	for name, members := range map[string]func(n int) object{
		"a field": func(n int) object { return object{"headers": object{"host": "api.example", "a": fill(n - host)}} },
		"a name":  func(n int) object { return object{"headers": object{"host": "api.example", fill(n-host) + "a": ""}} },
		"fields and cookies": func(n int) object {
			cookies := slices.Repeat([]string{""}, 1000)
			return object{"cookies": cookies, "headers": object{"host": "api.example", "a": fill(n - host - 1000*len(": \r\n"))}}
		},
	} {
		if _, err := invoke(t, marshal(t, newEvent(members(most)))); err != nil {
			t.Errorf("%s: %d bytes: %v", name, most, err)
		}
		if _, err := invoke(t, marshal(t, newEvent(members(most+1)))); err == nil || err.Error() != "header fields, cookies and path have more than 16384 bytes" {
			t.Errorf("%s: %d bytes: %v, want an error", name, most+1, err)
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
	h.Invoke(with, event(`{}`))
	if got, ok := inside.Deadline(); !ok || !got.Equal(deadline.Add(-500*time.Millisecond)) {
		t.Errorf("deadline = %v, %v, want 500 ms before %v", got, ok, deadline)
	}
	if inside.Err() != context.Canceled {
		t.Errorf("context of an answered request: %v, want canceled", inside.Err())
	}
	h.Invoke(t.Context(), event(`{}`))
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
			RawPath string            `json:"rawPath"`
			Headers map[string]string `json:"headers"`
		}
		if err := json.Unmarshal(payload, &ev); err != nil || ev.Version == "" {
			continue // no event: what sam local is told beside them
		}
		got, err := invoke(t, payload)
		if err != nil || got.bodyErr != nil || got.r.URL.Path != ev.RawPath || !strings.HasPrefix(got.r.Header.Get("Authorization"), "Bearer ") {
			t.Errorf("%s: Invoke = %+v, %v", file, got, err)
			continue
		}
		if length := ev.Headers["content-length"]; length != "" && length != itoa(len(got.body)) || length == "" != (len(got.body) == 0) {
			t.Errorf("%s: body %q of %s bytes", file, got.body, length)
		}
	}
}
