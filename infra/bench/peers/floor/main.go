// Command floor is how little the work can cost: the Runtime API, the key set
// and DynamoDB by hand-written HTTP/1.1 over kept connections, requests signed by
// hand, the document stored as its text, and that passed on as it came where it
// can be; nothing but the standard library, and buffers that are used again.
//
// It is a floor and not a service, for what it leaves out: new keys after the
// start, algorithms other than RS256 and ES256, deadlines, retries (but for a
// kept connection that turns out dead), the refusal of duplicate names, request
// logs and metrics, answers that say what is wrong, the other methods,
// conditional writes, errors reported to the Runtime API. It takes URLs with their
// ports, credentials with a session token, and its root certificates from
// SSL_CERT_FILE.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
)

func main() {
	log.SetFlags(0)
	log.Fatal(run())
}

func run() error {
	bundle, err := os.ReadFile(os.Getenv("SSL_CERT_FILE"))
	if err != nil {
		return err
	}
	var h handler
	var database, keys error
	var wg sync.WaitGroup
	wg.Go(func() { h.database, database = newDatabase(bundle) })
	wg.Go(func() { h.tokens, keys = newVerifier(bundle) })
	wg.Wait()
	if err := errors.Join(database, keys); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1) // one event at a time
	return serve(os.Getenv("AWS_LAMBDA_RUNTIME_API"), h.handle)
}

// serve answers events for ever.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func serve(host string, handle func([]byte) string) error {
	const path = "/2018-06-01/runtime/invocation/"
	api := &conn{dial: func() (net.Conn, error) { return net.Dial("tcp", host) }}
	next := []byte("GET " + path + "next HTTP/1.1\r\nhost:" + host + "\r\n\r\n")
	var request []byte
	for {
		event, err := api.do(next)
		switch {
		case err != nil:
			return fmt.Errorf("next event: %w", err)
		case event.status != 200:
			return fmt.Errorf("next event: status %d", event.status)
		}
		response := handle(event.body)
		request = append(request[:0], "POST "+path...)
		request = append(request, event.id...)
		request = append(request, "/response HTTP/1.1\r\nhost:"...)
		request = append(request, host...)
		request = append(request, "\r\ncontent-type:application/json\r\ncontent-length:"...)
		request = strconv.AppendInt(request, int64(len(response)), 10)
		request = append(request, "\r\n\r\n"...)
		request = append(request, response...)
		accepted, err := api.do(request)
		switch {
		case err != nil:
			return fmt.Errorf("answer an event: %w", err)
		case accepted.status != 202:
			return fmt.Errorf("answer an event: status %d", accepted.status)
		}
	}
}
