package apigw_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/apigw"
)

func itoa(n int) string { return strconv.Itoa(n) }

// answer is a payload as the gateway reads it.
type answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

func answerOf(t testing.TB, h http.Handler, payload []byte) answer {
	t.Helper()
	b, err := apigw.New(h).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte(`{"statusCode":`)) {
		t.Fatalf("payload = %.200s, want statusCode first", b)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var a answer
	if err := d.Decode(&a); err != nil || d.More() {
		t.Fatalf("payload = %.200s: %v", b, err)
	}
	return a
}

func TestResponse(t *testing.T) {
	t.Parallel()
	none := map[string]string{}
	binary := "\x1f\x8b\x08\x00\xff\xfe"
	for _, c := range []struct {
		name  string
		serve func(http.ResponseWriter)
		want  answer
	}{
		{"nothing", func(http.ResponseWriter) {}, answer{StatusCode: 200, Headers: none}},
		{"status alone", func(w http.ResponseWriter) { w.WriteHeader(204) }, answer{StatusCode: 204, Headers: none}},
		{"304", func(w http.ResponseWriter) { w.Header().Set("Etag", `"1"`); w.WriteHeader(304) }, answer{StatusCode: 304, Headers: map[string]string{"Etag": `"1"`}}},
		{"the first status", func(w http.ResponseWriter) { w.WriteHeader(412); w.WriteHeader(500) }, answer{StatusCode: 412, Headers: none}},
		{"status after the body", func(w http.ResponseWriter) { io.WriteString(w, "a"); w.WriteHeader(500) }, answer{StatusCode: 200, Headers: none, Body: "a"}},
		{"informational status", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(404) }, answer{StatusCode: 404, Headers: none}},
		{"body in pieces", func(w http.ResponseWriter) { fmt.Fprint(w, "a"); fmt.Fprint(w, ""); fmt.Fprint(w, "b") }, answer{StatusCode: 200, Headers: none, Body: "ab"}},
		{"text", func(w http.ResponseWriter) { io.WriteString(w, "\x00\u2028\U0001f600\"\\</script>\ufffd\r\n") },
			answer{StatusCode: 200, Headers: none, Body: "\x00\u2028\U0001f600\"\\</script>\ufffd\r\n"}},
		{"binary", func(w http.ResponseWriter) { io.WriteString(w, binary) },
			answer{StatusCode: 200, Headers: none, Body: base64.StdEncoding.EncodeToString([]byte(binary)), IsBase64Encoded: true}},
		{"text with a stray byte behind", func(w http.ResponseWriter) { io.WriteString(w, strings.Repeat("a", 5000)+"\xff") },
			answer{StatusCode: 200, Headers: none, Body: base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 5000) + "\xff")), IsBase64Encoded: true}},
		{"headers", func(w http.ResponseWriter) {
			w.Header().Add("Vary", "Accept")
			w.Header().Add("vary", "Origin")
			w.Header().Set("X-Odd", "\"\\\x01\u00e9\xff")
			w.WriteHeader(201)
		}, answer{StatusCode: 201, Headers: map[string]string{"Vary": "Accept,Origin", "X-Odd": "\"\\\x01\u00e9\ufffd"}}},
		{"cookies", func(w http.ResponseWriter) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		}, answer{StatusCode: 200, Headers: none, Cookies: []string{"a=1; Path=/", "b=2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := answerOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.serve(w) }), []byte(`{}`))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPanicPassesThrough(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v, want the handler's panic", p)
		}
	}()
	apigw.New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).Invoke(t.Context(), []byte(`{}`))
}

// echo answers with what it sees of a request.
func echo(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, "%s %s %s ? %s %q\n%s %d.%d %d\n", r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.URL.Query(), r.Proto, r.ProtoMajor, r.ProtoMinor, r.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Apigw-Requestid" {
			fmt.Fprintf(w, "%s: %s\n", name, strings.Join(r.Header[name], ","))
		}
	}
	_, err := io.Copy(w, r.Body)
	fmt.Fprintf(w, "\n%v", err)
}

// What a handler sees through the gateway's event is what it sees behind
// net/http's own server.
func TestParityWithServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	for _, c := range []struct {
		method, path, query, body string
		header                    http.Header
	}{
		{"GET", "/", "", "", nil},
		{"GET", "/a b/%41/\u00e9", "a=1&a=2&b=%20+%zz&c", "", http.Header{"X-Two": {"1", "2"}, "Cookie": {"a=1; b=2"}}},
		{"POST", "/settings/organization", "", `{"settings":{"a":"` + "\u2028\U0001f600" + `"}}`, http.Header{"Content-Type": {"application/json"}, "If-Match": {`"1", "2"`}}},
		{"PUT", "/x//y/../z", "=", "\x1f\x8b\x00\xff", http.Header{"Content-Type": {"application/octet-stream"}, "Authorization": {"Bearer a.b.c"}}},
		{"DELETE", "/x", "keys=a%2Eb", "", http.Header{"X-Empty": {""}}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.URL.RawQuery = c.path, c.query
		r.Header = c.header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("User-Agent", "parity")
		r.Header.Set("Accept-Encoding", "identity")
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}

		headers, cookies := object{"host": r.URL.Host}, []string(nil)
		for name, values := range r.Header {
			if name == "Cookie" {
				cookies = strings.Split(values[0], "; ")
			} else {
				headers[strings.ToLower(name)] = strings.Join(values, ",")
			}
		}
		if len(c.body) > 0 || c.method == "POST" || c.method == "PUT" {
			headers["content-length"] = itoa(len(c.body))
		}
		got := answerOf(t, http.HandlerFunc(echo), marshal(t, newEvent(object{
			"rawPath": c.path, "rawQueryString": c.query, "headers": headers, "cookies": cookies,
			"body": base64.StdEncoding.EncodeToString([]byte(c.body)), "isBase64Encoded": true,
			"requestContext": object{"stage": "$default", "http": object{"method": c.method, "protocol": "HTTP/1.1"}},
		})))
		body := got.Body
		if got.IsBase64Encoded {
			raw, err := base64.StdEncoding.DecodeString(body)
			if err != nil {
				t.Fatal(err)
			}
			body = string(raw)
		}
		if diff := cmp.Diff(string(want), body); diff != "" {
			t.Errorf("%s %s: body (-server +event):\n%s", c.method, c.path, diff)
		}
		if got.StatusCode != response.StatusCode || got.Headers["Content-Type"] != response.Header.Get("Content-Type") || !slices.Equal(got.Cookies, response.Header["Set-Cookie"]) {
			t.Errorf("%s %s: answer = %+v, want as %v", c.method, c.path, got, response)
		}
	}
}
