package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/gateway"
)

// serve returns the address of a gateway with two routes. change may be nil.
func serve(t *testing.T, invoke func(context.Context, []byte) ([]byte, error), change func(*gateway.Config)) (addr string) {
	t.Helper()
	c := gateway.Config{Routes: []string{"GET /a", "POST /a/b"}, Stage: gateway.DefaultStage, Invoke: invoke}
	if change != nil {
		change(&c)
	}
	g, err := gateway.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// answer is an answer as it came over the wire.
type answer struct {
	status int
	header http.Header
	body   string
}

// exchange sends the text of a request, whose lines end in LF, and lets the server
// close the connection.
func exchange(t *testing.T, addr, head string, body []byte) answer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head = strings.TrimSpace(head) + "\n\n"
	if _, err := c.Write(append([]byte(strings.ReplaceAll(head, "\n", "\r\n")), body...)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, r)
}

func read(t *testing.T, r *http.Response) answer {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(b)}
}

// checkOwn checks an answer of the gateway itself.
func checkOwn(t *testing.T, got answer, status int, message string) {
	t.Helper()
	if want := fmt.Sprintf(`{"message":%q}`, message); got.status != status || got.body != want {
		t.Errorf("answer %d %s, want %d %s", got.status, got.body, status, want)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q, want application/json", ct)
	}
	checkID(t, got)
}

func checkID(t *testing.T, got answer) {
	t.Helper()
	if id := got.header.Values("Apigw-Requestid"); len(id) != 1 || len(id[0]) != 16 {
		t.Errorf("apigw-requestid %q, want one of 16 characters", id)
	}
}

// function is a function that keeps the last event and answers 204.
type function struct{ payload []byte }

func (f *function) invoke(_ context.Context, payload []byte) ([]byte, error) {
	f.payload = bytes.Clone(payload)
	return []byte(`{"statusCode":204}`), nil
}

// event is the last event, decoded.
func (f *function) event(t *testing.T) map[string]any {
	t.Helper()
	var ev map[string]any
	if err := json.Unmarshal(f.payload, &ev); err != nil {
		t.Fatalf("event %q: %v", f.payload, err)
	}
	return ev
}

// eventOf returns the event of a request.
func eventOf(t *testing.T, change func(*gateway.Config), head, body string) map[string]any {
	t.Helper()
	var f function
	got := exchange(t, serve(t, f.invoke, change), head, []byte(body))
	if got.status != 204 {
		t.Fatalf("answer %d %s, want 204", got.status, got.body)
	}
	return f.event(t)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage, request string
		known          bool
	}{
		{"$default", "GET /a", true},
		{"$default", "POST /a/b", true},
		{"$default", "GET /%61", true},
		{"$default", "GET /a?b=c", true},
		{"$default", "GET http://elsewhere/a", true},
		{"$default", "POST /a", false}, // another method
		{"$default", "GET /a/b", false},
		{"$default", "HEAD /a", false},
		{"$default", "OPTIONS /a", false},
		{"$default", "get /a", false},
		{"$default", "GET /", false},
		{"$default", "GET /a/", false},
		{"$default", "GET //a", false},
		{"$default", "GET /x/../a", false},
		{"$default", "GET /A", false},
		{"$default", "GET /$default/a", false},
		{"prod", "GET /prod/a", true},
		{"prod", "GET /a", false},
		{"prod", "GET /prod", false},
		{"prod", "GET /production/a", false},
		{"prod", "GET /prod/prod/a", false},
	} {
		t.Run(test.stage+" "+test.request, func(t *testing.T) {
			t.Parallel()
			var f function
			addr := serve(t, f.invoke, func(c *gateway.Config) { c.Stage = test.stage })
			got := exchange(t, addr, test.request+" HTTP/1.1\nHost: api.example\nConnection: close", nil)
			switch {
			case test.known:
				if got.status != 204 {
					t.Errorf("status %d, want 204", got.status)
				}
			case strings.HasPrefix(test.request, "HEAD"):
				if got.status != 404 {
					t.Errorf("status %d, want 404", got.status)
				}
			default:
				checkOwn(t, got, 404, "Not Found")
			}
			if called := f.payload != nil; called != test.known {
				t.Errorf("function called: %v, want %v", called, test.known)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"", "GET", "GET ", " /a", "GET a", "GET  /a", "GET /a b", "GET /{proxy+}", "$default", "ANY /a"} {
		if _, err := gateway.New(gateway.Config{Routes: []string{"GET /a", route}}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", route)) {
			t.Errorf("New with route %q = %v, want an error that names it", route, err)
		}
	}
}

// A variable of a route stands for one segment of the path.
func TestVariables(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/a": "GET /a ", "/a/b": "GET /a/{id} b", "/a/fixed": "GET /a/fixed ", "/a/b/restore": "GET /a/{id}/restore b", "/a/%7Bid%7D": "GET /a/{id} {id}",
		"/a/": "", "/a/b/": "", "/a/b/c": "", "/b/b": "", "/a/b/restore/c": "",
	} {
		got := ""
		g, err := gateway.New(gateway.Config{
			Routes: []string{"GET /a", "GET /a/fixed", "GET /a/{id}", "GET /a/{id}/restore"}, Stage: gateway.DefaultStage,
			Invoke: func(_ context.Context, payload []byte) ([]byte, error) {
				var event struct {
					RouteKey       string
					PathParameters map[string]string
				}
				err := json.Unmarshal(payload, &event)
				got = event.RouteKey + " " + event.PathParameters["id"]
				return []byte(`{"statusCode":200}`), err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if got != want || (w.Code == 200) != (want != "") {
			t.Errorf("%s: %d, route and variable %q, want %q", path, w.Code, got, want)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	var f function
	addr := serve(t, f.invoke, nil)
	ids := make(map[string]bool)
	for range 3 {
		got := exchange(t, addr, "GET /a HTTP/1.1\nHost: api.example\nApigw-Requestid: spoofed", nil)
		checkID(t, got)
		id := got.header.Get("Apigw-Requestid")
		if diff := cmp.Diff(id, f.event(t)["requestContext"].(map[string]any)["requestId"]); diff != "" {
			t.Errorf("request id (-answered +in the event):\n%s", diff)
		}
		ids[id] = true
	}
	if len(ids) != 3 {
		t.Errorf("three requests have the ids %v", ids)
	}
}
