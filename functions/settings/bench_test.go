package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/internal/apigw"
)

// BenchmarkRequest measures one POST through the whole program, the two calls of
// the database included: from the event to the answer for API Gateway. What the
// stand-in of the database allocates counts too; it is next to nothing.
// infra/bench measures the program from outside.
func BenchmarkRequest(b *testing.B) {
	for _, size := range []int{1_000, 100_000, 390_000, 400_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			h, payload := benchmarkedRequest(b, size)
			taken := make([]byte, len(payload)) // Invoke takes its payload over
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(taken, payload)
				answer, err := h.Invoke(b.Context(), taken)
				if err != nil || !strings.HasPrefix(string(answer), `{"statusCode":200`) {
					b.Fatalf("%s, %v", answer, err)
				}
			}
		})
	}
}

// benchmarkedRequest returns a program that serves, and the payload of a POST of
// a document of size bytes.
func benchmarkedRequest(b *testing.B, size int) (*apigw.Handler, []byte) {
	b.Helper()
	keys := listen(b)
	tokens, err := issuer.New("http://"+keys.Addr().String(), "settings")
	if err != nil {
		b.Fatal(err)
	}
	go http.Serve(keys, tokens)
	token, err := tokens.Token("alice", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_DYNAMODB": serveItems(b),
	} {
		b.Setenv(name, value)
	}
	handler := newHandler(b.Context(), env("JWKS_URL", tokens.JWKSURL(), "JWT_ISSUER", tokens.URL()), io.Discard)
	payload, err := json.Marshal(map[string]any{
		"rawPath":        "/settings/organization",
		"headers":        map[string]string{"authorization": "Bearer " + token, "content-type": "application/json"},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}},
		"body":           `{"settings":` + settingsLike(size) + `}`,
	})
	if err != nil {
		b.Fatal(err)
	}
	return apigw.New(handler), payload
}

// settingsLike returns a document of size bytes that looks like settings.
func settingsLike(size int) string {
	var text strings.Builder
	text.WriteString(`{"first":true`)
	for i := 0; ; i++ {
		member := fmt.Sprintf(`,"feature-%d":{"enabled":%t,"owner":"user-%x","limits":{"maxFileSize":"%dGB","days":%d}}`, i, i%3 == 0, i*2654435761, i%64, i%365)
		if text.Len()+len(member)+len(`,"rest":""}`) > size {
			break
		}
		text.WriteString(member)
	}
	fmt.Fprintf(&text, `,"rest":"%s"}`, strings.Repeat("x", size-text.Len()-len(`,"rest":""}`)))
	return text.String()
}

// serveItems serves the two calls of a POST as a database with a single user would, and
// returns its address.
func serveItems(b *testing.B) string {
	listener := listen(b)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answerCalls(c)
		}
	}()
	return "http://" + listener.Addr().String()
}

func answerCalls(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		var length int
		body := `{}`
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == len("\r\n") {
				break
			}
			name, value, _ := strings.Cut(string(line[:len(line)-2]), ": ")
			switch {
			case strings.EqualFold(name, "Content-Length"):
				length, _ = strconv.Atoi(value)
			case strings.EqualFold(name, "X-Amz-Target") && strings.HasSuffix(value, ".GetItem"):
				body = `{"Item":{"orgId":{"S":"acme"},"role":{"N":"255"}}}`
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return
		}
	}
}

func listen(b *testing.B) net.Listener {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	return l
}
