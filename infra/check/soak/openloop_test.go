package soak

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Load is a steady stream of requests that does not wait for answers (an open loop),
// as independent clients send it.
type Load struct {
	Rate     float64 // requests a second
	Together int     // requests due at the same time, so that as many environments work
	For      time.Duration
	InFlight int // most requests at once; more fail without being sent
}

// Sample is the result of one request.
type Sample struct {
	At   time.Duration // when it was due, from the beginning
	Took time.Duration // from when it was due, so that a stall counts for every request that it delays
	OK   bool
}

// Run calls do with n = 0, 1, …, which sends a request and reports whether the answer
// was right. Run returns after the last answer. The end of ctx ends it early.
func (l Load) Run(ctx context.Context, do func(n int) bool) []Sample {
	samples := make([]Sample, int(l.Rate*l.For.Seconds()))
	began := time.Now()
	var flying atomic.Int64
	var wg sync.WaitGroup
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := range samples {
		s := &samples[n]
		s.At = time.Duration(float64(n/l.Together*l.Together) / l.Rate * float64(time.Second))
		timer.Reset(time.Until(began.Add(s.At)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			wg.Wait()
			return samples[:n]
		}
		if flying.Add(1) > int64(l.InFlight) {
			flying.Add(-1)
			continue
		}
		wg.Go(func() {
			defer flying.Add(-1)
			s.OK = do(n)
			s.Took = time.Since(began.Add(s.At))
		})
	}
	wg.Wait()
	return samples
}
