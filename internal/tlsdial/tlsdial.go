// Package tlsdial opens TLS connections to a server that any of several pools of
// authorities may vouch for, so that a large pool need not be read where a small one
// will do.
package tlsdial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// Dialer opens connections to one server. It is safe for concurrent use.
type Dialer struct {
	config  *tls.Config
	pools   []*x509.CertPool
	timeout time.Duration
	first   atomic.Int32 // index of the pool that the server was verified by last
}

// New returns a Dialer that verifies its server by the first of pools that vouches
// for it; nil stands for the system's pool, as do no pools at all. Each that does not
// costs a connection of its own, but is not tried again once another one did. timeout
// bounds one connection with its handshake. RootCAs of config do not count.
func New(config *tls.Config, timeout time.Duration, pools ...*x509.CertPool) *Dialer {
	if len(pools) == 0 {
		pools = []*x509.CertPool{nil}
	}
	return &Dialer{config: config, pools: pools, timeout: timeout}
}

// DialContext returns a connection to address (host:port) that has done its
// handshake. It is a DialTLSContext for [net/http.Transport].
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	for i := int(d.first.Load()); ; i++ {
		c, err := d.dial(ctx, network, address, d.pools[i])
		if err == nil {
			d.first.Store(int32(i))
			return c, nil
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || i+1 == len(d.pools) {
			return nil, err
		}
	}
}

func (d *Dialer) dial(ctx context.Context, network, address string, pool *x509.CertPool) (net.Conn, error) {
	config := d.config.Clone() // of nil nil
	if config == nil {
		config = new(tls.Config)
	}
	config.RootCAs = pool
	return (&tls.Dialer{NetDialer: &net.Dialer{Timeout: d.timeout}, Config: config}).DialContext(ctx, network, address)
}
