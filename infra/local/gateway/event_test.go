package gateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/gateway"
)

type object = map[string]any

const golden = `{
  "version": "2.0",
  "routeKey": "POST /a/b",
  "rawPath": "/prod/a/b",
  "rawQueryString": "keys=a&keys=b.c&x=%3C",
  "cookies": [
    "one=1",
    "two=<2>"
  ],
  "headers": {
    "accept": "*/*",
    "content-length": "13",
    "content-type": "application/json",
    "host": "api.example:8443",
    "user-agent": "test/1.0",
    "x-amzn-trace-id": "Root=1-65f00000-0123456789abcdef01234567",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-port": "8443",
    "x-forwarded-proto": "http"
  },
  "queryStringParameters": {
    "keys": "a,b.c",
    "x": "<"
  },
  "requestContext": {
    "accountId": "123456789012",
    "apiId": "local",
    "domainName": "api.example:8443",
    "domainPrefix": "local",
    "http": {
      "method": "POST",
      "path": "/prod/a/b",
      "protocol": "HTTP/1.1",
      "sourceIp": "127.0.0.1",
      "userAgent": "test/1.0"
    },
    "requestId": "REQUEST-ID",
    "routeKey": "POST /a/b",
    "stage": "prod",
    "time": "09/Mar/2026:22:04:05 +0000",
    "timeEpoch": 1773093845678
  },
  "body": "{\"a\":\"<é>\"} ",
  "isBase64Encoded": false
}
`

func TestGoldenEvent(t *testing.T) {
	t.Parallel()
	var f function
	addr := serve(t, f.invoke, func(c *gateway.Config) {
		c.Stage = "prod"
		c.Now = func() time.Time {
			return time.Date(2026, 3, 10, 0, 4, 5, 678_901_234, time.FixedZone("east", 2*60*60))
		}
	})
	got := exchange(t, addr, `
POST /prod/a/b?keys=a&keys=b.c&x=%3C HTTP/1.1
Host: api.example:8443
User-Agent: test/1.0
Accept: */*
Content-Type: application/json
Content-Length: 13
Cookie: one=1; two=<2>
X-Amzn-Trace-Id: Root=1-65f00000-0123456789abcdef01234567`, []byte(`{"a":"<é>"}`+" "))
	var event bytes.Buffer
	if err := json.Indent(&event, f.payload, "", "  "); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(golden, "REQUEST-ID", got.header.Get("Apigw-Requestid"), 1)
	if diff := cmp.Diff(want, event.String()); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestTimeIsNow(t *testing.T) {
	t.Parallel()
	before := time.Now().UnixMilli()
	ev := eventOf(t, nil, "GET /a HTTP/1.1\nHost: api.example", "")
	after := time.Now().UnixMilli()
	if got := int64(ev["requestContext"].(object)["timeEpoch"].(float64)); got < before || got > after {
		t.Errorf("timeEpoch %d, want one from %d to %d", got, before, after)
	}
}

func TestPathAndQuery(t *testing.T) {
	t.Parallel()
	odd := func(c *gateway.Config) { c.Routes = append(c.Routes, "GET /é/%") }
	for _, test := range []struct {
		target, path, query string
		parameters          object // nil: absent
	}{
		{"/a", "/a", "", nil},
		{"/a?", "/a", "", nil},
		{"/a?&", "/a", "&", nil},
		{"/%C3%A9%2F%25", "/é/%", "", nil},
		{"/a?k=v", "/a", "k=v", object{"k": "v"}},
		{"/a?k", "/a", "k", object{"k": ""}},
		{"/a?k=", "/a", "k=", object{"k": ""}},
		{"/a?=v", "/a", "=v", object{"": "v"}},
		{"/a?k=1&l=2&k=3&k=1", "/a", "k=1&l=2&k=3&k=1", object{"k": "1,3,1", "l": "2"}},
		{"/a?k=&k=", "/a", "k=&k=", object{"k": ","}},
		{"/a?k=a=b", "/a", "k=a=b", object{"k": "a=b"}},
		{"/a?%6B=%C3%A9%2C+%2B&k=%26", "/a", "%6B=%C3%A9%2C+%2B&k=%26", object{"k": "é, +,&"}},
		{"/a?k=%zz&l=;", "/a", "k=%zz&l=;", object{"k": "%zz", "l": ";"}},
		{"/a?K=1&k=2", "/a", "K=1&k=2", object{"K": "1", "k": "2"}},
	} {
		t.Run(test.target, func(t *testing.T) {
			t.Parallel()
			ev := eventOf(t, odd, "GET "+test.target+" HTTP/1.1\nHost: api.example", "")
			context := ev["requestContext"].(object)
			got := object{
				"path": ev["rawPath"], "context path": context["http"].(object)["path"],
				"route": ev["routeKey"], "context route": context["routeKey"], "query": ev["rawQueryString"],
			}
			want := object{
				"path": test.path, "context path": test.path,
				"route": "GET " + test.path, "context route": "GET " + test.path, "query": test.query,
			}
			if parameters, ok := ev["queryStringParameters"]; ok {
				got["parameters"] = parameters
			}
			if test.parameters != nil {
				want["parameters"] = test.parameters
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, fields string
		want         object // besides those of every request
		cookies      []any
	}{
		{"none", "", nil, nil},
		{"lower case", "X-MixED-cASE: Value\nAUTHORIZATION: Bearer A", object{"x-mixed-case": "Value", "authorization": "Bearer A"}, nil},
		{"joined", "X-A: 1\nx-b: 9\nx-a: 2, 3\nX-a:", object{"x-a": "1,2, 3,", "x-b": "9"}, nil},
		{"empty", "X-Empty:", object{"x-empty": ""}, nil},
		{"cookies", "Cookie: a=1; b=\"2, 3\";c=4; ;\nX-A: 1\nCookie: d", object{"x-a": "1"}, []any{"a=1", `b="2, 3"`, "c=4", "d"}},
		{"empty cookie", "Cookie: ", nil, nil},
		{
			"hop by hop", "Connection: close, X-A\nKeep-Alive: timeout=5\nProxy-Connection: close\nTE: trailers\nTrailer: X-B\nUpgrade: h2c\nX-A: 1",
			object{"x-a": "1"}, nil,
		},
		{"expect", "Expect: 100-continue", nil, nil},
		{"forwarded for", "X-Forwarded-For: 203.0.113.7\nX-Forwarded-For: 198.51.100.1", object{"x-forwarded-for": "203.0.113.7,198.51.100.1, 127.0.0.1"}, nil},
		{"spoofed port and scheme", "X-Forwarded-Port: 443\nX-Forwarded-Proto: https", nil, nil},
		{"spoofed length", "Content-Length: 0", nil, nil},
		{"trace", "X-Amzn-Trace-Id: Root=1-2-3", object{"x-amzn-trace-id": "Root=1-2-3"}, nil},
		{"host with port", "", object{"host": "api.example:81", "x-forwarded-port": "81"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := object{
				"host": "api.example", "content-length": "0", "x-amzn-trace-id": "generated",
				"x-forwarded-for": "127.0.0.1", "x-forwarded-port": "80", "x-forwarded-proto": "http",
			}
			for name, value := range test.want {
				want[name] = value
			}
			ev := eventOf(t, nil, fmt.Sprintf("GET /a HTTP/1.1\nHost: %s\n%s", want["host"], test.fields), "")
			got := ev["headers"].(object)
			trace := fmt.Sprint(got["x-amzn-trace-id"])
			if regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`).MatchString(trace) {
				got["x-amzn-trace-id"] = "generated"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if cookies, ok := ev["cookies"]; ok != (test.cookies != nil) {
				t.Errorf("cookies %v, want %v", cookies, test.cookies)
			} else if diff := cmp.Diff(any(test.cookies), cookies); ok && diff != "" {
				t.Errorf("cookies (-want +got):\n%s", diff)
			}
			if got, want := ev["requestContext"].(object)["domainName"], want["host"]; got != want {
				t.Errorf("domainName %v, want %v", got, want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	const text, invalid = `{"a":"é"}`, "\xff{}"
	for _, test := range []struct {
		contentType string // empty: none
		body        string
		base64      bool
	}{
		{"application/json", text, false},
		{"application/json; charset=utf-8", text, false},
		{"Application/JSON ;charset=utf-8", text, false},
		{"application/xml", text, false},
		{"application/javascript", text, false},
		{"text/plain", text, false},
		{"text/x-anything", text, false},
		{"TEXT/HTML", text, false},
		{"text/plain", "a\r\n\x00\u2028<&>", false},
		{"", text, true},
		{"application/merge-patch+json", text, true},
		{"application/vnd.api+json", text, true},
		{"application/octet-stream", text, true},
		{"application/x-www-form-urlencoded", text, true},
		{"application/jsonp", text, true},
		{"texts/plain", text, true},
		{"multipart/form-data; boundary=application/json", text, true},
		{"application/json", invalid, true},
		{"text/plain", invalid, true},
		{"application/octet-stream", invalid, true},
		{"application/json", "", false},
		{"application/octet-stream", "", false},
		{"", "", false},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %q chunked=%v", test.contentType, test.body, chunked), func(t *testing.T) {
				t.Parallel()
				head := "POST /a/b HTTP/1.1\nHost: api.example"
				if test.contentType != "" {
					head += "\nContent-Type: " + test.contentType
				}
				body := test.body
				if chunked {
					head += "\nTransfer-Encoding: chunked"
					body = ""
					for i := range len(test.body) {
						body += "1\r\n" + test.body[i:i+1] + "\r\n"
					}
					body += "0\r\n\r\n"
				} else {
					head += fmt.Sprintf("\nContent-Length: %d", len(body))
				}
				ev := eventOf(t, nil, head, body)
				var want any
				switch {
				case test.base64:
					want = base64.StdEncoding.EncodeToString([]byte(test.body))
				case test.body != "":
					want = test.body
				}
				if got, ok := ev["body"]; got != want || ok != (test.body != "") {
					t.Errorf("body %#v (there: %v), want %#v", got, ok, want)
				}
				if got := ev["isBase64Encoded"]; got != test.base64 {
					t.Errorf("isBase64Encoded %v, want %v", got, test.base64)
				}
				headers := ev["headers"].(object)
				if got, want := headers["content-length"], fmt.Sprint(len(test.body)); got != want {
					t.Errorf("content-length %v, want %v", got, want)
				}
				if got, ok := headers["transfer-encoding"]; ok {
					t.Errorf("transfer-encoding %v, want none", got)
				}
			})
		}
	}
}
