package main

import (
	"net"
	"sync"
	"time"
)

// delayListener accepts connections as if their clients were a round trip away: what the server sends arrives a whole
// round trip later, and the first of it two, as the connection itself would have taken one. That is the same for a
// client that waits for every answer. It does not limit bandwidth and loses nothing.
type delayListener struct {
	net.Listener
	roundTrip time.Duration

	mu   sync.Mutex
	open map[*delayConn]struct{}
}

func newDelayListener(l net.Listener, roundTrip time.Duration) *delayListener {
	return &delayListener{Listener: l, roundTrip: roundTrip, open: make(map[*delayConn]struct{})}
}

func (l *delayListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &delayConn{
		Conn: raw, listener: l, connected: time.Now().Add(l.roundTrip),
		sent: make(chan packet, 1024), closed: make(chan struct{}),
	}
	l.mu.Lock()
	l.open[c] = struct{}{}
	l.mu.Unlock()
	go c.deliver()
	return c, nil
}

// drop closes every connection there is, at once: by FIN, or by RST.
func (l *delayListener) drop(reset bool) error {
	l.mu.Lock()
	conns := make([]*delayConn, 0, len(l.open))
	for c := range l.open {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok && reset {
			if err := tcp.SetLinger(0); err != nil {
				return err
			}
		}
		c.Close()
	}
	return nil
}

type packet struct {
	data []byte
	due  time.Time
}

type delayConn struct {
	net.Conn
	listener  *delayListener
	connected time.Time // when a client that far away could send first
	sent      chan packet
	closed    chan struct{}
	once      sync.Once
}

// deliver sends each packet when it is due.
func (c *delayConn) deliver() {
	for {
		select {
		case p := <-c.sent:
			if err := wait(time.Until(p.due)); err != nil {
				c.Close()
				return
			}
			if _, err := c.Conn.Write(p.data); err != nil {
				c.Close()
				return
			}
		case <-c.closed:
			return
		}
	}
}

func (c *delayConn) Write(b []byte) (int, error) {
	now := time.Now()
	if now.Before(c.connected) {
		now = c.connected
	}
	select {
	case c.sent <- packet{data: append([]byte(nil), b...), due: now.Add(c.listener.roundTrip)}:
		return len(b), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *delayConn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.closed)
		c.listener.mu.Lock()
		delete(c.listener.open, c)
		c.listener.mu.Unlock()
		err = c.Conn.Close()
	})
	return err
}
