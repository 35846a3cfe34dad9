package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/semaphore"
)

const (
	fetchTimeout  = 900 * time.Millisecond
	maxSetBytes   = 512 << 10
	maxOutage     = 24 * time.Hour         // age at which keys stop serving if they cannot be fetched again
	pauseWithKeys = 5 * time.Second        // between two fetches
	pauseWithout  = 500 * time.Millisecond // between two fetches while there are no keys at all
)

// keyCache keeps the issuer's key set. Lambda freezes the process between
// requests, so nothing happens on a timer. A request fetches the set if the set is
// older than its maximum age or lacks the key of the token. Fetches run one at a
// time, with a pause between them. A fetch that fails, or brings no usable key,
// changes nothing.
//
// Ages are measured by the wall clock: the monotonic clock may stand still in a freeze.
type keyCache struct {
	url    string
	maxAge time.Duration // of a fetched set
	client *http.Client
	logger *slog.Logger
	now    func() time.Time

	// fetching admits one fetch at a time. The fetch runs within the call that began it
	// and ends with its context: a freeze of the process would leave a goroutine of
	// singleflight with a dead connection, on which the next request then waits. Unlike a
	// mutex, a semaphore lets a caller go whose own context ends.
	fetching *semaphore.Weighted

	mu      sync.Mutex
	current *keySet   // nil: there is none yet
	tried   time.Time // when the last fetch ended
}

func newKeyCache(config Config) (*keyCache, error) {
	c := &keyCache{
		url:    config.JWKSURL,
		maxAge: min(config.JWKSMaxAge, maxOutage),
		client: &http.Client{
			Timeout: fetchTimeout,
			// Keys come from the configured address and no other.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:                  nil,
				DisableKeepAlives:      true, // the next fetch is minutes away
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
		logger:   config.Logger,
		now:      config.Now,
		fetching: semaphore.NewWeighted(1),
	}
	if len(config.BundledJWKS) > 0 {
		var err error
		if c.current, err = readBundledJWKS(config.BundledJWKS); err != nil {
			return nil, fmt.Errorf("read the bundled JWKS: %w", err)
		}
		c.current.maxAge = min(config.BundledJWKSMaxAge, maxOutage)
		c.current.logChange(context.Background(), c.logger, nil)
		if !c.current.isFresh(config.Now()) {
			config.Logger.Warn("bundled JWKS is too old to serve", "fetched", c.current.fetched)
		}
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
	if set := c.snapshot(); set.isFresh(c.now()) {
		return set
	}
	return c.refresh(ctx)
}

// expired returns ErrUnavailable for a set that has not been fetched for maxOutage, and for none.
func (c *keyCache) expired(set *keySet) error {
	if set == nil || c.now().Round(0).Sub(set.fetched) >= maxOutage {
		return ErrUnavailable
	}
	return nil
}

func (c *keyCache) snapshot() *keySet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// refresh fetches the set, unless the last fetch was a moment ago. It waits for a
// fetch that is under way. It returns the set that is current then.
func (c *keyCache) refresh(ctx context.Context) *keySet {
	if err := c.fetching.Acquire(ctx, 1); err != nil {
		return c.snapshot()
	}
	defer c.fetching.Release(1)
	if c.mayFetch() {
		set, err := c.fetch(ctx)
		c.take(ctx, set, err)
	}
	return c.snapshot()
}

// mayFetch says whether the pause after the last fetch is over.
func (c *keyCache) mayFetch() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	pause := pauseWithKeys
	if c.current == nil {
		pause = pauseWithout
	}
	since := c.now().Round(0).Sub(c.tried)
	return since < 0 || since >= pause
}

// take makes set the current one, unless err says why it could not be fetched.
func (c *keyCache) take(ctx context.Context, set *keySet, err error) {
	c.mu.Lock()
	before := c.current
	if err == nil {
		c.current = set
	}
	if err == nil || ctx.Err() == nil {
		c.tried = c.now().Round(0) // a fetch that its caller broke off says nothing of the issuer
	}
	c.mu.Unlock()
	if err != nil {
		c.logger.WarnContext(ctx, "signing keys refresh failed", "error", printable(err.Error(), maxLoggedError))
	} else {
		set.logChange(ctx, c.logger, before)
	}
}

func (c *keyCache) fetch(ctx context.Context) (*keySet, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	began := c.now().Round(0)
	response, err := c.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", c.url, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c.url, err)
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", c.url, maxSetBytes)
	}
	set, err := readKeySet(body, began)
	if err != nil {
		return nil, fmt.Errorf("read the key set of %s: %w", c.url, err)
	}
	set.maxAge = c.maxAge
	return set, nil
}
