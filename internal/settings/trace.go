package settings

import (
	"context"
	"time"
)

// Trace collects what one call touched and what it cost, for the caller's log.
// It belongs to one request and is not safe for concurrent use.
type Trace struct {
	Org          OrgID
	Revision     Revision      // read or stored
	Attempts     int           // requests sent to the database, repeated ones included
	DatabaseTime time.Duration // spent in calls of the database, pauses between attempts included
}

type traceKey struct{}

// WithTrace returns a context whose calls fill the returned Trace.
func WithTrace(ctx context.Context) (context.Context, *Trace) {
	t := new(Trace)
	return context.WithValue(ctx, traceKey{}, t), t
}

// AddAttempt counts one request sent to the database on behalf of ctx.
func AddAttempt(ctx context.Context) { traceFrom(ctx).Attempts++ }

// AddDatabaseTime adds the time since start to what ctx spent in the database.
func AddDatabaseTime(ctx context.Context, start time.Time) {
	traceFrom(ctx).DatabaseTime += time.Since(start)
}

func traceFrom(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return new(Trace)
}
