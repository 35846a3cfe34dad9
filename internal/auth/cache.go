package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// MaxJWKSBytes bounds the JSON text of a JWK Set, fetched or bundled.
const MaxJWKSBytes = 512 << 10

const (
	maxOutage = 24 * time.Hour // age at which keys stop serving if they cannot be fetched again

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

	current atomic.Pointer[keySet] // never nil
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
	c.current.Store(new(keySet))
	if len(config.BundledJWKS) > 0 {
		set, err := readBundledJWKS(config.BundledJWKS, config.BundledJWKSMaxAge)
		if err != nil {
			return nil, fmt.Errorf("read the bundled JWKS: %w", err)
		}
		set.logChange(context.Background(), config.Logger, c.current.Swap(set))
		if !c.within(set.maxAge, set.fetched) {
			config.Logger.Warn("bundled JWKS is too old to serve", "fetched", set.fetched)
		}
	}
	return c, nil
}

// within says whether the age of what happened at t is below d. A time in the future has no
// age: the clock was set back since.
func (c *keyCache) within(d time.Duration, t time.Time) bool {
	age := c.Now().Sub(t)
	return age >= 0 && age < d
}

// find returns the key that may verify tokens with this alg and kid, or a refusal, or
// [ErrUnavailable].
func (c *keyCache) find(ctx context.Context, alg, kid string) (any, error) {
	set := c.serving(ctx)
	key, err := set.find(alg, kid)
	if err != nil {
		set = c.refresh(ctx)
		key, err = set.find(alg, kid)
	}
	return key, cmp.Or(c.expired(set), err)
}

// serving returns the current set, and fetches it first if it is too old.
func (c *keyCache) serving(ctx context.Context) *keySet {
	if set := c.current.Load(); c.within(set.maxAge, set.fetched) {
		return set
	}
	return c.refresh(ctx)
}

// expired returns ErrUnavailable for a set that has not been fetched for maxOutage, and for none.
func (c *keyCache) expired(set *keySet) error {
	if c.Now().Sub(set.fetched) >= maxOutage {
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
	if c.within(pause, c.tried) {
		return before
	}
	set, err := c.fetch(ctx, timeout)
	switch {
	case err == nil:
		set.logChange(ctx, c.Logger, c.current.Swap(set))
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
	r.Header.Set("User-Agent", c.UserAgent) // some firewalls refuse Go's own
	began := c.Now().Round(0)
	response, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", c.JWKSURL, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxJWKSBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c.JWKSURL, err)
	}
	if len(body) > MaxJWKSBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", c.JWKSURL, MaxJWKSBytes)
	}
	set, err := readKeySet(body, began, c.JWKSMaxAge)
	if err != nil {
		return nil, fmt.Errorf("read the key set of %s: %w", c.JWKSURL, err)
	}
	return set, nil
}

// CheckJWKSURL requires an absolute https URL without a user name or password. A loopback
// host may have http. Whoever can change the keys in transit can sign tokens.
func CheckJWKSURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return errors.New("is not an absolute URL")
	case u.User != nil:
		return errors.New("holds a user name or password")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()):
		return nil
	default:
		return errors.New("does not start with https://, which is required except for loopback hosts")
	}
}
