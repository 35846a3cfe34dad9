package soak

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Load is a steady stream of requests that does not wait for the answers, as
// clients that know nothing of each other send it.
type Load struct {
	Rate     float64 // requests a second
	Together int     // of them, how many are due at once: so many environments are at work
	For      time.Duration
	InFlight int // requests at once; what would go beyond it fails without being sent
}

// Sample is what became of one request.
type Sample struct {
	At   time.Duration // when it was due, from the beginning
	Took time.Duration // counted from when it was due, so that a stall is charged for all whom it delays
	OK   bool
}

// Run sends n = 0, 1, … by do, which says whether the answer was right. It ends
// by itself, when its time is over or ctx ends and all answers are there.
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
