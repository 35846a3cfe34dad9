package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/internal/app"
)

// contended is a service whose database takes five milliseconds more for each call.
type contended struct {
	*service
	calls atomic.Int64 // of the database
}

func newContended(t testing.TB, database http.Handler) *contended {
	s := new(contended)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		time.Sleep(5 * time.Millisecond)
		database.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	fill(t, server.URL)
	s.service = newService(t, func(c *app.Config) { c.AWS.BaseEndpoint = &server.URL })
	return s
}

// contend lets writers put one key each, at once. It returns how many of them were answered 200, and how long the
// slowest took. The keys of these are stored, and no other.
func (s *contended) contend(t testing.TB, writers int) (stored int, slowest time.Duration) {
	t.Helper()
	authorization := s.as(t, "alice")
	if r := s.call(t, "POST", `{"settings":{}}`, authorization...); r.StatusCode != 200 {
		t.Fatal(text(t, r))
	}
	took := make([]time.Duration, writers)
	var answered atomic.Int32
	start := make(chan struct{})
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			<-start
			began := time.Now()
			r := s.call(t, "PUT", fmt.Sprintf(`{"key-%d":1}`, n), authorization...)
			took[n] = time.Since(began)
			switch {
			case r.StatusCode == 200:
				answered.Add(1)
			case r.StatusCode == 500: // the machine is too busy for the database
				t.Logf("%d writers: %d %s", writers, r.StatusCode, text(t, r))
			case r.StatusCode != 503 || r.Header.Get("Retry-After") == "":
				t.Errorf("%d writers: %d %s", writers, r.StatusCode, text(t, r))
			}
		})
	}
	close(start)
	wg.Wait()
	stored = int(answered.Load())
	if keys := strings.Count(text(t, s.call(t, "GET", "", authorization...)), "key-"); keys < stored {
		t.Errorf("%d writers: %d were answered 200, %d keys are stored", writers, stored, keys)
	}
	t.Logf("%d writers: %d stored, the slowest after %v", writers, stored, slices.Max(took))
	return stored, slices.Max(took)
}

// Sixty-four callers put different keys at once, and no key is lost. All are answered 200, unless the machine is busy
// with something else: then sixteen callers take long already. settings.TestManyWriters holds it without a clock.
func TestManyWriters(t *testing.T) {
	test := func(t *testing.T, s *contended) {
		s.contend(t, 4) // a fresh JVM is slow
		_, few := s.contend(t, 16)
		if stored, _ := s.contend(t, 64); stored < 60 && few < 150*time.Millisecond {
			t.Errorf("%d of 64 writers were answered 200", stored)
		}
	}
	t.Run("embedded", func(t *testing.T) { test(t, newContended(t, dynamodb.New())) })
	t.Run("DynamoDB Local", func(t *testing.T) { test(t, newContended(t, proxy(t, dynamodblocal.Start(t)))) })
}

func proxy(t testing.TB, endpoint string) http.Handler {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}
}

// One caller that puts gets through beside eight that post without end.
func TestPutBesidePosts(t *testing.T) {
	s := newContended(t, dynamodb.New())
	authorization := s.as(t, "alice")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if r := s.call(t, "POST", `{"settings":{"a":1}}`, authorization...); r.StatusCode != 200 && r.StatusCode != 500 {
					t.Errorf("POST: %d %s", r.StatusCode, text(t, r))
				}
			}
		})
	}
	const puts = 8
	done := 0
	began := time.Now()
	for n := range puts {
		switch r := s.call(t, "PUT", fmt.Sprintf(`{"key-%d":1}`, n), authorization...); r.StatusCode {
		case 200:
			done++
		case 503, 500: // 500: the machine is too busy for the database
		default:
			t.Errorf("PUT %d: %d %s", n, r.StatusCode, text(t, r))
		}
	}
	t.Logf("%d of %d in %v", done, puts, time.Since(began))
	if done < puts/2 { // a busy machine may lose some
		t.Errorf("%d of %d were stored", done, puts)
	}
	cancel()
	wg.Wait()
}

// BenchmarkWriters prints how many of so many writers at once are answered 200, how long the slowest takes, and what
// each costs.
func BenchmarkWriters(b *testing.B) {
	for _, writers := range []int{1, 2, 4, 8, 16, 32, 64, 128} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := newContended(b, dynamodb.New())
			before := s.calls.Load()
			all := 0
			var slowest time.Duration
			for b.Loop() {
				stored, took := s.contend(b, writers)
				all, slowest = all+stored, max(slowest, took)
			}
			b.ReportMetric(float64(all)/float64(b.N), "stored")
			b.ReportMetric(float64(slowest.Milliseconds()), "ms/slowest")
			b.ReportMetric(float64(s.calls.Load()-before)/float64(b.N*writers), "calls/writer")
		})
	}
}
