package apigw_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/apigw"
)

// FuzzInvoke looks for a payload that makes Invoke panic, and for a request that
// does not arrive as it was put into an event.
func FuzzInvoke(f *testing.F) {
	f.Add("POST", "/settings/organization", "keys=a&keys=b", "application/json", []byte(`{"settings":{}}`))
	f.Add("GET", "/\u00e9 /%2F", "%zz", "\x00\u2028", []byte("\x1f\x8b\xff"))
	f.Add("", "", "", "", []byte(`{"headers":{"a":"b"},"cookies":["c"],"requestContext":{"http":{"method":"GET"}},"body":"\ud800"}`))
	f.Add("X", "/prod", "?", "\ufffd", []byte(`{"isBase64Encoded":true,"body":"e30="}`))
	f.Fuzz(func(t *testing.T, method, path, query, value string, body []byte) {
		invoke(t, body) // as a payload: never panics, always answers
		escapedBody(t, body)

		method, path, query, value = strings.ToValidUTF8(method, "?"), strings.ToValidUTF8(path, "?"), strings.ToValidUTF8(query, "?"), strings.ToValidUTF8(value, "?")
		members := object{
			"rawPath": path, "rawQueryString": query, "headers": object{"x-value": value}, "cookies": []string{value},
			"body": base64.StdEncoding.EncodeToString(body), "isBase64Encoded": true,
			"requestContext": object{"stage": "$default", "requestId": value, "http": object{"method": method}},
		}
		want := []string{method, path, query, value, value, value, string(body)}
		if method == "" || len(value) > 3<<10 { // an event has a method, and 16 KB of header fields at most
			return
		}
		for range 2 {
			got := mustInvoke(t, members)
			h := got.r.Header
			if diff := cmp.Diff(want, []string{got.r.Method, got.r.URL.Path, got.r.URL.RawQuery, h.Get("X-Value"), h.Get("Cookie"), h.Get("Apigw-Requestid"), string(got.body)}); diff != "" || got.bodyErr != nil {
				t.Errorf("request: %v (-want +got):\n%s", got.bodyErr, diff)
			}
			if got.r.ContentLength != int64(len(body)) {
				t.Errorf("length = %d, want %d", got.r.ContentLength, len(body))
			}
			if _, err := url.ParseQuery(query); err == nil && got.r.URL.Query() == nil {
				t.Errorf("query %q is lost", query)
			}
			// The second time as text.
			text := strings.ToValidUTF8(string(body), "?")
			body, want[6] = []byte(text), text
			members["body"], members["isBase64Encoded"] = text, false
		}
		back := answerOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }), []byte(`{}`))
		if back.Body != string(body) || back.IsBase64Encoded {
			t.Errorf("answer = %q, want %q", back.Body, body)
		}
	})
}

// escapedBody checks that inside of a string arrives as another reader of JSON reads it, or not at all.
func escapedBody(t *testing.T, inside []byte) {
	quoted := `"` + string(inside) + `"`
	want, wantErr := jsontext.AppendUnquote(nil, quoted)
	got, err := invoke(t, event(`{"body":`+quoted+`}`))
	switch {
	case wantErr == nil && (err != nil || got.bodyErr != nil || string(got.body) != string(want)):
		t.Errorf("body of %s = %q, %v, %v, want %q", quoted, got.body, got.bodyErr, err, want)
	case wantErr != nil && err == nil && got.bodyErr == nil && !strings.Contains(string(inside), `"`):
		t.Errorf("body of %s = %q, want an error: %v", quoted, got.body, wantErr)
	}
}

func BenchmarkInvoke(b *testing.B) {
	for _, size := range []int{1 << 10, 390 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			body := `{"settings":{"a":"` + strings.Repeat(`word \"quoted\" `, size/16) + `"}}`
			payload := marshal(b, newEvent(object{"body": body, "headers": object{
				"authorization": "Bearer " + strings.Repeat("x", 700), "content-type": "application/json", "host": "api.example", "user-agent": "bench",
			}}))
			h := apigw.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n, err := io.Copy(io.Discard, r.Body); err != nil || n != int64(len(body)) {
					b.Errorf("body of %d bytes, %v", n, err)
				}
				io.WriteString(w, `{"success":true}`)
			}))
			taken := make([]byte, len(payload)) // Invoke takes its payload over
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				copy(taken, payload)
				if _, err := h.Invoke(b.Context(), taken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
