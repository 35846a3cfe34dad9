package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// runtimeAPI is Lambda's Runtime API for one environment, with as little in its way as possible:
// it tells when a request has arrived, and what CPU time the process had used by then.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	listener net.Listener
	started  chan struct{} // closed when pid is known
	pid      int
	idle     chan idle
	answers  chan answer
	failures chan error
}

// idle is a process that asks for an event.
type idle struct {
	conn net.Conn
	at   time.Time
	cpu  time.Duration
}

type answer struct {
	at   time.Time
	body []byte
}

func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the Runtime API: %w", err)
	}
	a := &runtimeAPI{
		listener: listener, started: make(chan struct{}),
		idle: make(chan idle, 1), answers: make(chan answer, 1), failures: make(chan error, 1),
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go a.serve(conn)
		}
	}()
	return a, nil
}

func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

func (a *runtimeAPI) close() { a.listener.Close() }

// serve ends with the connection, that is at the latest with the process.
func (a *runtimeAPI) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		at := time.Now()
		if err != nil {
			return
		}
		<-a.started
		switch path := request.URL.Path; {
		case strings.HasSuffix(path, "/invocation/next"):
			cpu, err := cpuTime(a.pid)
			if err != nil {
				return
			}
			a.idle <- idle{conn, at, cpu}
			continue // whoever takes it answers
		case strings.HasSuffix(path, "/response"):
			a.answers <- answer{at, body}
		default:
			select {
			case a.failures <- fmt.Errorf("the process reported at %s: %s", path, body):
			default:
			}
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"); err != nil {
			return
		}
	}
}

// handOut returns the answer to /next that holds an event.
func handOut(id string, event []byte, timeout time.Duration) []byte {
	now := time.Now()
	message := make([]byte, 0, 512+len(event))
	message = fmt.Appendf(message, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+
		"Lambda-Runtime-Aws-Request-Id: %s\r\n"+
		"Lambda-Runtime-Deadline-Ms: %d\r\n"+
		"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:bench\r\n"+
		"Lambda-Runtime-Trace-Id: Root=1-%08x-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0\r\n"+
		"Date: %s\r\nContent-Length: %d\r\n\r\n",
		id, now.Add(timeout).UnixMilli(), now.Unix(), now.UTC().Format(http.TimeFormat), len(event))
	return append(message, event...)
}
