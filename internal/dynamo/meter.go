package dynamo

import (
	"context"
	"time"
)

// meter counts what the operations of one context cost.
type meter struct {
	attempts int
	took     time.Duration
}

type meterKey struct{}

// Meter returns a context whose operations are counted. spent returns how many requests they have sent, retries
// included, and how long they took, pauses between attempts included. The context must not be used concurrently.
func Meter(ctx context.Context) (_ context.Context, spent func() (attempts int, took time.Duration)) {
	m := new(meter)
	return context.WithValue(ctx, meterKey{}, m), func() (int, time.Duration) { return m.attempts, m.took }
}

func meterOf(ctx context.Context) *meter {
	if m, ok := ctx.Value(meterKey{}).(*meter); ok {
		return m
	}
	return new(meter)
}
