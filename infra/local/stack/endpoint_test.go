package stack

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener for connections within the process.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A client that stops sending or reading is cut off.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sent    string
		reads   bool
		atLeast time.Duration // the gateway's answer may take 60 s: 30 s each for the body and for the function
		atMost  time.Duration
	}{
		"sends nothing":       {"", true, time.Second, 10 * time.Second},
		"stops in the header": {"GET / HTTP/1.1\r\nHost:", true, time.Second, 10 * time.Second},
		"stops in the body":   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", true, 10 * time.Second, time.Minute},
		"sends no more":       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, 10 * time.Second, 2 * time.Minute},
		"does not read":       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, time.Minute, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, err := new(Stack).listen("", "")
				if err != nil {
					t.Fatal(err)
				}
				defer e.close()
				handled := make(chan struct{}, 1)
				e.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					io.WriteString(w, strings.Repeat("x", 1<<20))
					handled <- struct{}{}
				})
				listener := make(pipes)
				defer close(listener)
				go e.server.Serve(listener)
				client, server := net.Pipe()
				defer client.Close()
				listener <- server
				began := time.Now()
				go io.WriteString(client, tt.sent)
				if tt.reads {
					io.Copy(io.Discard, client)
				} else {
					<-handled
				}
				if took := time.Since(began); took < tt.atLeast || took > tt.atMost {
					t.Errorf("cut off after %v, want %v to %v", took, tt.atLeast, tt.atMost)
				}
			})
		})
	}
}
