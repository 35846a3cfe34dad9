package stack

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// AddressError says that an address cannot be listened on.
type AddressError struct {
	Addr string
	Err  error
}

func (e *AddressError) Error() string { return fmt.Sprintf("listen on %s: %v", e.Addr, e.Err) }
func (e *AddressError) Unwrap() error { return e.Err }

// endpoint is an address to listen on now and to serve later. Clients that connect
// before that wait.
type endpoint struct {
	listener net.Listener
	server   http.Server
	served   chan struct{} // closed when the server has ended; nil before serve
}

// listen listens on addr until s is closed.
func (s *Stack) listen(addr string) (*endpoint, error) {
	addr = cmp.Or(addr, "127.0.0.1:0")
	if err := checkLoopback(addr); err != nil {
		return nil, &AddressError{Addr: addr, Err: err}
	}
	listener, err := net.Listen("tcp", addr)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // AddressError has the address
	}
	if err != nil {
		return nil, &AddressError{Addr: addr, Err: err}
	}
	e := &endpoint{listener: listener, server: http.Server{ReadHeaderTimeout: 10 * time.Second, DisableGeneralOptionsHandler: true}}
	s.endpoints = append(s.endpoints, e)
	return e, nil
}

func (e *endpoint) url() string { return "http://" + e.listener.Addr().String() }

func (e *endpoint) serve(handler http.Handler) {
	e.server.Handler = handler
	e.served = make(chan struct{})
	go func() {
		defer close(e.served)
		_ = e.server.Serve(e.listener) // ends with close
	}()
}

func (e *endpoint) close() error {
	if e.served == nil {
		return e.listener.Close()
	}
	err := e.server.Close()
	<-e.served
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
