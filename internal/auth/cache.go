package auth

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/semaphore"
)

const (
	maxSetBytes = 512 << 10
	maxOutage   = 24 * time.Hour // age at which keys stop serving if they cannot be fetched again

	// A request that has no keys can only be answered 503, so it waits longer for them,
	// and the next one need not wait long for another try.
	timeoutWithKeys = 900 * time.Millisecond // of one fetch
	timeoutWithout  = 2 * time.Second
	pauseWithKeys   = 5 * time.Second // between two fetches
	pauseWithout    = 500 * time.Millisecond
)

// keyCache keeps the issuer's key set. Lambda freezes the process between
// requests, so nothing happens on a timer. A request fetches the set if the set is
// older than its maximum age or lacks the key of the token. Fetches run one at a
// time, with a pause between them. A fetch that fails, or brings no usable key,
// changes nothing.
//
// Ages are measured by the wall clock: the monotonic clock may stand still in a freeze.
type keyCache struct {
	Config
	client *http.Client

	// fetching admits one fetch at a time. The fetch runs within the call that began it
	// and ends with its context: a freeze of the process would leave a goroutine of
	// singleflight with a dead connection, on which the next request then waits. Unlike a
	// mutex, a semaphore lets a caller go whose own context ends.
	fetching *semaphore.Weighted
	tried    time.Time // when the last fetch ended; guarded by fetching

	current atomic.Pointer[keySet] // nil: there is none yet
}

func newKeyCache(config Config) (*keyCache, error) {
	c := &keyCache{
		Config: config,
		client: &http.Client{
			// Keys come from the configured address and no other.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				// As for the database: a function in a VPC may reach the internet only through
				// HTTPS_PROXY. TLS verifies the issuer through it.
				Proxy: http.ProxyFromEnvironment,
				// A dial goes on after its request has ended. The timeouts end it.
				DialContext:            (&net.Dialer{Timeout: timeoutWithout}).DialContext,
				TLSHandshakeTimeout:    timeoutWithout,
				DisableKeepAlives:      true, // the next fetch is minutes away
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
		fetching: semaphore.NewWeighted(1),
	}
	if len(config.BundledJWKS) > 0 {
		set, err := readBundledJWKS(config.BundledJWKS, config.BundledJWKSMaxAge)
		if err != nil {
			return nil, fmt.Errorf("read the bundled JWKS: %w", err)
		}
		set.logChange(context.Background(), config.Logger, nil)
		if !set.isFresh(config.Now()) {
			config.Logger.Warn("bundled JWKS is too old to serve", "fetched", set.fetched)
		}
		c.current.Store(set)
	}
	return c, nil
}

// find returns the key that may verify t, or a refusal, or [ErrUnavailable].
func (c *keyCache) find(ctx context.Context, t *jwt.Token) (any, error) {
	set := c.serving(ctx)
	key, err := set.find(ctx, t)
	if err != nil {
		set = c.refresh(ctx)
		key, err = set.find(ctx, t)
	}
	if expired := c.expired(set); expired != nil {
		return nil, expired
	}
	return key, err
}

// serving returns the current set, and fetches it first if it is too old.
func (c *keyCache) serving(ctx context.Context) *keySet {
	if set := c.current.Load(); set.isFresh(c.Now()) {
		return set
	}
	return c.refresh(ctx)
}

// expired returns ErrUnavailable for a set that has not been fetched for maxOutage, and for none.
func (c *keyCache) expired(set *keySet) error {
	if set == nil || c.Now().Round(0).Sub(set.fetched) >= maxOutage {
		return ErrUnavailable
	}
	return nil
}

// refresh fetches the set, unless the last fetch was a moment ago. It waits for a
// fetch that is under way. It returns the set that is current then.
func (c *keyCache) refresh(ctx context.Context) *keySet {
	if err := c.fetching.Acquire(ctx, 1); err != nil {
		return c.current.Load()
	}
	defer c.fetching.Release(1)
	before := c.current.Load()
	pause, timeout := pauseWithKeys, timeoutWithKeys
	if c.expired(before) != nil {
		pause, timeout = pauseWithout, timeoutWithout
	}
	if since := c.Now().Round(0).Sub(c.tried); since >= 0 && since < pause {
		return before
	}
	set, err := c.fetch(ctx, timeout)
	switch {
	case err == nil:
		c.current.Store(set)
		set.logChange(ctx, c.Logger, before)
	case ctx.Err() != nil:
		// The caller broke off the fetch, which says nothing of the issuer: no pause.
		c.Logger.InfoContext(ctx, "signing keys fetch broken off", "error", printable(err.Error(), maxLoggedError))
		return before
	default:
		c.Logger.WarnContext(ctx, "signing keys refresh failed", "error", printable(err.Error(), maxLoggedError))
	}
	c.tried = c.Now().Round(0)
	return c.current.Load()
}

func (c *keyCache) fetch(ctx context.Context, timeout time.Duration) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.JWKSURL, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	if c.UserAgent != "" {
		r.Header.Set("User-Agent", c.UserAgent) // some firewalls refuse Go's own
	}
	began := c.Now().Round(0)
	response, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", c.JWKSURL, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c.JWKSURL, err)
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", c.JWKSURL, maxSetBytes)
	}
	set, err := readKeySet(body, began, c.JWKSMaxAge)
	if err != nil {
		return nil, fmt.Errorf("read the key set of %s: %w", c.JWKSURL, err)
	}
	return set, nil
}
