package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/semaphore"
)

const (
	fetchTimeout  = 900 * time.Millisecond
	maxSetBytes   = 512 << 10
	maxOutage     = 24 * time.Hour         // how long keys serve that cannot be fetched again
	pauseWithKeys = 5 * time.Second        // between fetches, whoever asks for them
	pauseWithout  = 500 * time.Millisecond // the same while there are no keys at all
)

// keyStore keeps the issuer's key set. Lambda freezes the process between
// requests, so that nothing happens on a timer: a request that finds the set
// older than its maximum age, or lacking a key, fetches it, one fetch at a time
// and with a pause in between. A fetch that fails, or brings no usable key,
// changes nothing.
//
// Ages are by wall clock, since the monotonic one may stand still in a freeze.
type keyStore struct {
	url    string
	maxAge time.Duration // of what is fetched
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

func newKeyStore(c Config) (*keyStore, error) {
	s := &keyStore{
		url:    c.JWKSURL,
		maxAge: min(c.JWKSMaxAge, maxOutage),
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
		logger:   c.Logger,
		now:      c.Now,
		fetching: semaphore.NewWeighted(1),
	}
	if len(c.ShippedKeys) > 0 {
		var err error
		if s.current, err = readShippedKeys(c.ShippedKeys); err != nil {
			return nil, fmt.Errorf("read the shipped key set: %w", err)
		}
		s.current.maxAge = min(c.ShippedKeysMaxAge, maxOutage)
		if !s.current.isFresh(c.Now()) {
			c.Logger.Warn("shipped signing keys are too old to serve", "fetched", s.current.fetched)
		}
	}
	return s, nil
}

// find returns the key that may verify t, or a refusal, or [ErrUnavailable].
func (s *keyStore) find(ctx context.Context, t *jwt.Token) (any, error) {
	set := s.serving(ctx)
	key, err := set.find(ctx, t)
	if err != nil {
		set = s.refresh(ctx)
		key, err = set.find(ctx, t)
	}
	if expired := s.expired(set); expired != nil {
		return nil, expired
	}
	return key, err
}

// serving returns the current set, fetched again if it is above its age.
func (s *keyStore) serving(ctx context.Context) *keySet {
	if set := s.snapshot(); set.isFresh(s.now()) {
		return set
	}
	return s.refresh(ctx)
}

// expired returns ErrUnavailable for a set that may no longer be relied on.
func (s *keyStore) expired(set *keySet) error {
	if set == nil || s.now().Round(0).Sub(set.fetched) >= maxOutage {
		return ErrUnavailable
	}
	return nil
}

func (s *keyStore) snapshot() *keySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// refresh fetches the set, unless the last fetch was a moment ago. It waits for a
// fetch that is under way. It returns the set that is current then.
func (s *keyStore) refresh(ctx context.Context) *keySet {
	if err := s.fetching.Acquire(ctx, 1); err != nil {
		return s.snapshot()
	}
	defer s.fetching.Release(1)
	if s.mayFetch() {
		set, err := s.fetch(ctx)
		s.take(ctx, set, err)
	}
	return s.snapshot()
}

// mayFetch says whether the pause after the last fetch is over.
func (s *keyStore) mayFetch() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := pauseWithKeys
	if s.current == nil {
		pause = pauseWithout
	}
	since := s.now().Round(0).Sub(s.tried)
	return since < 0 || since >= pause
}

// take makes set the current one, unless err says why it could not be fetched.
func (s *keyStore) take(ctx context.Context, set *keySet, err error) {
	s.mu.Lock()
	before := s.current
	if err == nil {
		s.current = set
	}
	if err == nil || ctx.Err() == nil {
		s.tried = s.now().Round(0) // a fetch that its caller broke off says nothing of the issuer
	}
	s.mu.Unlock()
	if err != nil {
		s.logger.WarnContext(ctx, "signing keys refresh failed", "error", err)
	} else if before == nil || !slices.Equal(set.keyIDs, before.keyIDs) {
		s.logger.InfoContext(ctx, "signing keys changed", "keys", len(set.keyIDs), "skipped", set.skipped)
	}
}

func (s *keyStore) fetch(ctx context.Context) (*keySet, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	began := s.now().Round(0)
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", s.url, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", s.url, err)
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", s.url, maxSetBytes)
	}
	set, err := readKeySet(body, began)
	if err != nil {
		return nil, fmt.Errorf("read the key set of %s: %w", s.url, err)
	}
	set.maxAge = s.maxAge
	return set, nil
}
