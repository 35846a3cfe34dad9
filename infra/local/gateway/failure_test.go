package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/gateway"
	"orgsettings/infra/local/lambda"
)

func TestFunctionFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err     error
		status  int
		message string
	}{
		{&lambda.FunctionError{Type: "Runtime.ExitError"}, 500, "Internal Server Error"},
		{lambda.ErrClosed, 500, "Internal Server Error"},
		{errors.New("a table is called \"users\""), 500, "Internal Server Error"},
		{lambda.ErrTimeout, 503, "Service Unavailable"},
		{lambda.ErrNoEnvironment, 503, "Service Unavailable"},
		{context.DeadlineExceeded, 503, "Service Unavailable"},
		{lambda.ErrTooLarge, 413, "Request Entity Too Large"},
	} {
		for _, err := range []error{test.err, fmt.Errorf("invoke: %w", test.err)} {
			t.Run(err.Error(), func(t *testing.T) {
				t.Parallel()
				addr := serve(t, func(context.Context, []byte) ([]byte, error) { return []byte(`{"statusCode":200}`), err }, nil)
				checkOwn(t, exchange(t, addr, "GET /a HTTP/1.1\nHost: api.example", nil), test.status, test.message)
			})
		}
	}
}

// The function has 30 seconds. A client that has closed its sending side gets its answer.
func TestHalfClosedClient(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	g, err := gateway.New(gateway.Config{Routes: []string{"POST /a"}, Stage: gateway.DefaultStage, Invoke: func(ctx context.Context, _ []byte) ([]byte, error) {
		<-closed
		deadline, ok := ctx.Deadline()
		if rest := time.Until(deadline); !ok || rest > 30*time.Second || rest < 20*time.Second {
			t.Errorf("deadline in %v (there: %v), want in 30s", rest, ok)
		}
		return []byte(`{"statusCode":200,"body":"answer"}`), ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { close(closed) }) // the server has seen the end of the stream
		g.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200 ") || !strings.HasSuffix(string(text), "answer") {
		t.Errorf("%v, answer:\n%s", err, text)
	}
}

// counted counts the bytes that are read of a body.
type counted struct {
	io.ReadCloser
	n *int
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += n
	return n, err
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	f, err := lambda.New(lambda.Config{Bootstrap: os.Args[0], Timeout: time.Minute, InitTimeout: time.Minute, MaxEnvironments: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name        string
		contentType string
		size        int
		chunked     bool
		status      int
		called      bool
	}{
		{"11 MB", "application/json", 11 * mb, false, 413, false},
		{"11 MB chunked", "application/json", 11 * mb, true, 413, false},
		{"10 MB and a byte", "application/json", 10*mb + 1, true, 413, false},
		{"10 MB", "application/json", 10 * mb, false, 413, true}, // as an event it is over 6 MB
		{"6 MB as text", "text/plain", 6 * mb, true, 413, true},
		{"5 MB as base64", "application/octet-stream", 5 * mb, false, 413, true},
		{"5 MB as text", "text/plain", 5 * mb, true, 204, true},
		{"4 MB as base64", "application/octet-stream", 4 * mb, false, 204, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var called bool
			g, err := gateway.New(gateway.Config{
				Routes: []string{"POST /a"}, Stage: gateway.DefaultStage,
				Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
					called = true
					if len(payload) > 6*mb {
						return f.Invoke(ctx, payload) // which refuses it
					}
					return []byte(`{"statusCode":204}`), nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			var n int
			done := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				r.Body = counted{r.Body, &n}
				g.ServeHTTP(w, r)
			}))
			defer server.Close()
			var body io.Reader = bytes.NewReader(bytes.Repeat([]byte("x"), test.size))
			if test.chunked {
				body = io.MultiReader(body) // of a length that the client does not know
			}
			r, err := http.Post(server.URL+"/a", test.contentType, body)
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, r)
			<-done
			if test.status == 204 {
				if got.status != 204 {
					t.Errorf("answer %d %s, want 204", got.status, got.body)
				}
			} else {
				checkOwn(t, got, test.status, "Request Entity Too Large")
			}
			if called != test.called {
				t.Errorf("function called: %v, want %v", called, test.called)
			}
			if n > 10*mb+1 {
				t.Errorf("read %d bytes of the body", n)
			}
		})
	}
}

// The limit counts the request line and the header lines, to the byte.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	const limit = 10_240
	for _, test := range []struct {
		name, head string // with one %s to fill
	}{
		{"one field", "GET /a HTTP/1.1\nHost: api.example\nX-A: %s"},
		{"two fields", "GET /a HTTP/1.1\nHost: api.example\nX-A: 1\nCookie: b=2\nX-A: %s"},
		{"query", "GET /a?%s HTTP/1.1\nHost: api.example"},
		{"host", "GET /a HTTP/1.1\nHost: %s"},
		{"unknown path", "GET /%s HTTP/1.1\nHost: api.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var f function
			addr := serve(t, f.invoke, nil)
			bare := len(strings.ReplaceAll(fmt.Sprintf(test.head, "")+"\n", "\n", "\r\n"))
			fill := strings.Repeat("x", limit-bare)
			want := 204
			if test.name == "unknown path" {
				want = 404
			}
			if got := exchange(t, addr, fmt.Sprintf(test.head, fill), nil); got.status != want {
				t.Errorf("%d bytes: status %d, want %d", limit, got.status, want)
			}
			f.payload = nil
			got := exchange(t, addr, fmt.Sprintf(test.head, fill+"x"), nil)
			checkOwn(t, got, 431, "Request Header Fields Too Large")
			if f.payload != nil {
				t.Error("the function is called")
			}
		})
	}
}

func TestBrokenBody(t *testing.T) {
	t.Parallel()
	var f function
	addr := serve(t, f.invoke, nil)
	got := exchange(t, addr, "POST /a/b HTTP/1.1\nHost: api.example\nTransfer-Encoding: chunked", []byte("no size\r\n"))
	checkOwn(t, got, 400, "Bad Request")
	if f.payload != nil {
		t.Error("the function is called")
	}
}
