package stack

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timeouts of every server. The write timeout begins when the header is read: it has room for the body, the gateway's
// 30 s for the function, and the answer.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 90 * time.Second
	idleTimeout       = time.Minute
)

// AddressError says that an address cannot be listened on.
type AddressError struct {
	Addr string
	Err  error
}

func (e *AddressError) Error() string { return fmt.Sprintf("listen on %s: %v", e.Addr, e.Err) }
func (e *AddressError) Unwrap() error { return e.Err }

// endpoint is an address, or two with the same port, to listen on now and to serve
// later. Clients that connect before that wait.
type endpoint struct {
	listeners []net.Listener
	server    http.Server
	serving   sync.WaitGroup
}

// listen listens on addr until s is closed, and on the same port of the IP address also
// unless that is empty.
func (s *Stack) listen(addr, also string) (*endpoint, error) {
	addr = cmp.Or(addr, "127.0.0.1:0")
	if err := checkLoopback(addr); err != nil {
		return nil, &AddressError{Addr: addr, Err: err}
	}
	e := &endpoint{server: http.Server{
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,

		DisableGeneralOptionsHandler: true,
	}}
	s.endpoints = append(s.endpoints, e)
	if err := e.take(addr); err != nil {
		return nil, err
	}
	if also == "" {
		return e, nil
	}
	_, port, err := net.SplitHostPort(e.listeners[0].Addr().String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(also); ip == nil || ip.IsUnspecified() {
		return nil, &AddressError{Addr: also, Err: errors.New("it is not the IP address of one network interface")}
	}
	return e, e.take(net.JoinHostPort(also, port))
}

func (e *endpoint) take(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // AddressError has the address
	}
	if err != nil {
		return &AddressError{Addr: addr, Err: err}
	}
	e.listeners = append(e.listeners, listener)
	return nil
}

func (e *endpoint) url() string { return "http://" + e.listeners[0].Addr().String() }

func (e *endpoint) serve(handler http.Handler) {
	e.server.Handler = handler
	for _, listener := range e.listeners {
		e.serving.Go(func() { _ = e.server.Serve(listener) }) // ends with close
	}
}

func (e *endpoint) close() error {
	err := e.server.Close()
	e.serving.Wait()
	for _, listener := range e.listeners {
		_ = listener.Close() // of one that was never served
	}
	return err
}

// checkLoopback refuses an address that is not HOST:PORT, or that other machines can
// reach: the stack gives a token to everyone who asks.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("it is not HOST:PORT")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("it is not a loopback address such as 127.0.0.1, and the stack gives a token to everyone who asks")
	}
	return nil
}
