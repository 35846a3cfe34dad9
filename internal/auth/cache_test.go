package auth_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

// longLived is a token that does not expire while clocks are moved.
func longLived(key string) string {
	alg := map[byte]string{'r': "RS256", 'p': "ES256", 'e': "EdDSA"}[key[0]]
	return sign(alg, key, nil, object{"exp": start().Add(1000 * time.Hour).Unix()})
}

// randomKid returns a token with a key id that nobody has seen.
func randomKid() string {
	return b64(fmt.Appendf(nil, `{"alg":"ES256","kid":"%x"}`, rand.Uint64())) + ".e30." + strings.Repeat("A", 86)
}

func TestKeysAreFetchedAgainByAge(t *testing.T) {
	t.Parallel()
	f, token := newFixture(t, goodKeys()), longLived("p256")
	f.mustAccept(t, token)
	f.advance(5*time.Minute - 1)
	f.mustAccept(t, token)
	f.wantFetches(t, 1)
	f.advance(1)
	f.mustAccept(t, token)
	f.mustAccept(t, token)
	f.wantFetches(t, 2)
}

func TestRemovedKeyIsRefusedAfterMaxAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil), jwk("ed", nil)))
	f.mustAccept(t, longLived("ed"))
	f.publish(keySet(jwk("p256", nil)))
	f.advance(5*time.Minute - 1)
	f.mustAccept(t, longLived("ed"))
	f.advance(1)
	f.mustRefuse(t, longLived("ed"), unknownKey)
	f.mustAccept(t, longLived("p256"))
}

func TestUnknownKeyIsFetchedAtOnceAndAfterAPause(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil)))
	f.mustAccept(t, longLived("p256"))
	f.publish(keySet(jwk("p256", nil), jwk("ed", nil)))
	f.advance(5*time.Second - 1)
	f.mustRefuse(t, longLived("ed"), unknownKey)
	f.wantFetches(t, 1)
	f.advance(1)
	f.mustAccept(t, longLived("ed"))
	f.mustRefuse(t, randomKid(), unknownKey)
	f.wantFetches(t, 2)
}

func TestFloodOfUnknownKeys(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{false, true} {
		f := newFixture(t, goodKeys())
		f.mustAccept(t, longLived("p256"))
		var wg sync.WaitGroup
		for range 1000 {
			f.advance(19 * time.Millisecond) // as long as a request takes
			token := randomKid()
			if !together {
				f.mustRefuse(t, token, unknownKey)
				continue
			}
			wg.Go(func() {
				if _, err := f.Verify(t.Context(), token); err == nil || err == auth.ErrUnavailable {
					t.Errorf("Verify = %v", err)
				}
			})
		}
		wg.Wait()
		if got := f.fetches.Load(); got > 5 {
			t.Errorf("together %v: %d fetches, want at most 5", together, got)
		}
		f.mustAccept(t, longLived("p256"))
	}
}

func TestRotationIsPickedUpInTenSecondsEvenInAFlood(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil)))
	f.mustAccept(t, longLived("p256"))
	f.mustRefuse(t, randomKid(), unknownKey)
	f.publish(keySet(jwk("ed", nil)))
	for range 100 {
		f.advance(100 * time.Millisecond)
		f.mustRefuse(t, randomKid(), unknownKey)
		if _, err := f.Verify(t.Context(), longLived("ed")); err == nil {
			return
		}
	}
	t.Error("the new key is not known after 10 s")
}

func TestManyCallersCauseOneFetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	release := make(chan struct{})
	f.serve(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.Write([]byte(goodKeys()))
	})
	var callers, started sync.WaitGroup
	token := longLived("p256")
	for range 100 {
		started.Add(1)
		callers.Go(func() {
			started.Done()
			f.mustAcceptAsync(t, token)
		})
	}
	started.Wait()
	close(release)
	callers.Wait()
	f.wantFetches(t, 1)
}

func (f *fixture) mustAcceptAsync(t *testing.T, token string) {
	if _, err := f.Verify(t.Context(), token); err != nil {
		t.Errorf("Verify = %v, want no error", err)
	}
}

func TestCallerDoesNotWaitBeyondItsContext(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	entered, release := make(chan struct{}), make(chan struct{})
	f.serve(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.Write([]byte(goodKeys()))
	})
	var first sync.WaitGroup
	first.Go(func() { f.mustAcceptAsync(t, longLived("p256")) })
	<-entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Verify(ended, longLived("p256")); err != auth.ErrUnavailable {
		t.Errorf("Verify = %v, want ErrUnavailable", err)
	}
	close(release)
	first.Wait()
}

// A fetch ends with the context of its caller. Those who wait for it do not pay for
// that: the next one fetches at once.
func TestCallerThatBreaksOffAFetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	entered := make(chan struct{})
	f.serve(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	var first, others sync.WaitGroup
	first.Go(func() {
		if _, err := f.Verify(ctx, longLived("p256")); err != auth.ErrUnavailable {
			t.Errorf("Verify = %v, want ErrUnavailable", err)
		}
	})
	<-entered
	f.publish(goodKeys())
	for range 10 {
		others.Go(func() { f.mustAcceptAsync(t, longLived("p256")) })
	}
	cancel()
	first.Wait()
	others.Wait()
	f.wantFetches(t, 2)
	// An alarm counts this line.
	if log := f.log.String(); strings.Contains(log, "signing keys refresh failed") {
		t.Errorf("log = %s", log)
	}
}

// While there are no keys, a fetch may take longer than it may later.
func TestSlowIssuer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(1100 * time.Millisecond):
			w.Write([]byte(goodKeys()))
		case <-r.Context().Done():
		}
	}
	f.serve(slow)
	f.mustAccept(t, longLived("p256"))
	f.advance(5 * time.Minute)
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 2)
	if log := f.log.String(); strings.Count(log, "signing keys refresh failed") != 1 {
		t.Errorf("log = %s, want one fetch that failed", log)
	}
	// Keys that are too old to serve are no keys.
	f.advance(24 * time.Hour)
	f.mustAccept(t, longLived("p256"))
}

func TestFetchNamesItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", func(c *auth.Config) { c.UserAgent = "organization-settings/1.2.3" })
	f.serve(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header["User-Agent"]; len(got) != 1 || got[0] != "organization-settings/1.2.3" {
			t.Errorf("User-Agent = %q", got)
		}
		w.Write([]byte(goodKeys()))
	})
	f.mustAccept(t, longLived("p256"))
}

func TestVerifyWhileKeysChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), func(c *auth.Config) { c.JWKSMaxAge = time.Second })
	token := longLived("p256")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 25 {
				f.advance(time.Second)
				f.mustAcceptAsync(t, token)
				if i == 0 {
					f.publish(goodKeys())
				}
			}
		})
	}
	wg.Wait()
}

func TestOutageKeepsOldKeysForADay(t *testing.T) {
	t.Parallel()
	f, token := newFixture(t, goodKeys()), longLived("p256")
	f.mustAccept(t, token)
	f.fail(http.StatusServiceUnavailable)
	for range 24*60/5 - 1 {
		f.advance(5 * time.Minute)
		f.mustAccept(t, token)
	}
	f.mustRefuse(t, randomKid(), unknownKey)
	f.advance(5*time.Minute - 1)
	f.mustAccept(t, token)
	f.advance(1)
	f.mustBeUnavailable(t, token)
	f.mustBeUnavailable(t, randomKid())
	f.publish(goodKeys())
	f.advance(5 * time.Second)
	f.mustAccept(t, token)
	if log := f.log.String(); strings.Count(log, `"level":"WARN","msg":"signing keys refresh failed","error":"get `+f.url+`: status 503"`) < 280 {
		t.Errorf("log = %s", log[:min(len(log), 2000)])
	}
}

// A maximum age above a day does not keep keys from being fetched before they end.
func TestMaxAgeAboveADay(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), func(c *auth.Config) { c.JWKSMaxAge = 48 * time.Hour })
	f.mustAccept(t, longLived("p256"))
	f.advance(25 * time.Hour)
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 2)
}

func TestKeysDownAtStart(t *testing.T) {
	t.Parallel()
	f, token := newFixture(t, ""), longLived("p256")
	f.fail(http.StatusInternalServerError)
	f.mustBeUnavailable(t, token)
	f.mustBeUnavailable(t, randomKid())
	f.publish(goodKeys())
	f.advance(500*time.Millisecond - 1)
	f.mustBeUnavailable(t, token)
	f.wantFetches(t, 1)
	f.advance(1)
	f.mustAccept(t, token)
	f.wantFetches(t, 2)
	if log := f.log.String(); !strings.Contains(log, "status 500") || !strings.Contains(log, `"msg":"signing keys changed","keys":5`) {
		t.Errorf("log = %s", log)
	}
}

func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		jump time.Duration
	}{{"back by an hour", -time.Hour}, {"forward by a day", 24 * time.Hour}} {
		t.Run(c.name, func(t *testing.T) {
			f, token := newFixture(t, goodKeys()), longLived("p256")
			f.mustAccept(t, token)
			f.advance(c.jump)
			f.mustAccept(t, token)
			f.wantFetches(t, 2)
			f.advance(5*time.Minute - 1)
			f.mustAccept(t, token)
			f.wantFetches(t, 2)
			f.advance(1)
			f.mustAccept(t, token)
			f.wantFetches(t, 3)
		})
		t.Run(c.name+" in an outage", func(t *testing.T) {
			f, token := newFixture(t, goodKeys()), longLived("p256")
			f.mustAccept(t, token)
			f.fail(http.StatusBadGateway)
			f.advance(c.jump)
			if c.jump < 0 {
				f.mustAccept(t, token)
				f.mustAccept(t, token)
			} else {
				f.mustBeUnavailable(t, token)
			}
			f.wantFetches(t, 2) // a pause in both
			f.publish(goodKeys())
			f.advance(5 * time.Second)
			f.mustAccept(t, token)
			f.wantFetches(t, 3)
		})
	}
}
