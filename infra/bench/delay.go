package main

import (
	"net"
	"sync"
	"time"
)

// farListener accepts connections as if their clients were far away: what either side sends arrives
// half a round trip later, and what a client sends first a whole one later still, as it would have
// waited that long for the connection. It knows nothing of bandwidth and loss.
type farListener struct {
	net.Listener
	roundTrip time.Duration

	mu   sync.Mutex
	open map[*farConn]struct{}
}

func newFarListener(l net.Listener, roundTrip time.Duration) *farListener {
	return &farListener{Listener: l, roundTrip: roundTrip, open: make(map[*farConn]struct{})}
}

func (l *farListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &farConn{
		Conn: raw, half: l.roundTrip / 2,
		received: make(chan packet, 1024), sent: make(chan packet, 1024), arrived: make(chan packet),
		gone: make(chan struct{}),
	}
	c.forget = func() {
		l.mu.Lock()
		delete(l.open, c)
		l.mu.Unlock()
	}
	l.mu.Lock()
	l.open[c] = struct{}{}
	l.mu.Unlock()
	go c.receive(time.Now().Add(l.roundTrip))
	go c.hold(c.received, func(p packet) error {
		select {
		case c.arrived <- p:
			return p.err
		case <-c.gone:
			return net.ErrClosed
		}
	})
	go c.hold(c.sent, func(p packet) error {
		_, err := c.Conn.Write(p.data)
		if err != nil {
			c.Close()
		}
		return err
	})
	return c, nil
}

// drop closes every connection there is, at once: by FIN, or by RST.
func (l *farListener) drop(reset bool) error {
	l.mu.Lock()
	conns := make([]*farConn, 0, len(l.open))
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
	err  error
}

// farConn has no deadlines: those of the connection below would not be those of its reader.
type farConn struct {
	net.Conn
	half           time.Duration
	received, sent chan packet // on their way
	arrived        chan packet
	rest           packet // arrived and not read yet
	once           sync.Once
	gone           chan struct{}
	forget         func()
}

// receive puts what comes on its way, nothing of it before earliest.
func (c *farConn) receive(earliest time.Time) {
	for {
		buffer := make([]byte, 64<<10)
		n, err := c.Conn.Read(buffer)
		due := time.Now()
		if due.Before(earliest) {
			due = earliest
		}
		select {
		case c.received <- packet{data: buffer[:n], due: due.Add(c.half), err: err}:
		case <-c.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// hold hands on each packet when it is due.
func (c *farConn) hold(packets <-chan packet, handOn func(packet) error) {
	alarm, err := newAlarm()
	if err != nil {
		c.Close()
		return
	}
	defer alarm.close()
	for {
		select {
		case p := <-packets:
			if alarm.wait(time.Until(p.due)) != nil || handOn(p) != nil {
				return
			}
		case <-c.gone:
			return
		}
	}
}

func (c *farConn) Read(b []byte) (int, error) {
	for len(c.rest.data) == 0 {
		if c.rest.err != nil {
			return 0, c.rest.err
		}
		select {
		case c.rest = <-c.arrived:
		case <-c.gone:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, c.rest.data)
	c.rest.data = c.rest.data[n:]
	return n, nil
}

func (c *farConn) Write(b []byte) (int, error) {
	select {
	case c.sent <- packet{data: append([]byte(nil), b...), due: time.Now().Add(c.half)}:
		return len(b), nil
	case <-c.gone:
		return 0, net.ErrClosed
	}
}

func (c *farConn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.gone)
		c.forget()
		err = c.Conn.Close()
	})
	return err
}
