package settings

import "context"

// Trace tells which organization and revision one call of the [Service] dealt with, even if the call failed. It is for
// the caller's log and not safe for concurrent use.
type Trace struct {
	Org      OrgID
	Revision Revision // read or stored
}

type traceKey struct{}

// WithTrace returns a context whose calls fill the returned Trace.
func WithTrace(ctx context.Context) (context.Context, *Trace) {
	t := new(Trace)
	return context.WithValue(ctx, traceKey{}, t), t
}

func traceFrom(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return new(Trace)
}
