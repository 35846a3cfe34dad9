package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"orgsettings/internal/settings"
)

// front stands before the endpoints: it finds the one for a request, bounds the
// request in time, catches panics and writes the log line.
type front struct {
	endpoints map[string]endpoint // by "METHOD /path"
	other     endpoint            // for every other request
	logger    *slog.Logger
	timeout   time.Duration
	warm      atomic.Bool // whether a request was served before
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), f.timeout)
	defer cancel()
	ctx, trace := settings.WithTrace(ctx)
	r = r.WithContext(ctx)

	route := r.Method + " " + r.URL.Path
	endpoint, ok := f.endpoints[route]
	if !ok {
		endpoint, route = f.other, ""
	}
	ev := &event{
		requestID:       r.Header.Get("Apigw-Requestid"),
		lambdaRequestID: r.Header.Get("Lambda-Runtime-Aws-Request-Id"),
		route:           route,
		cold:            !f.warm.Swap(true),
	}
	noted := &statusNoter{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			ev.stack = debug.Stack()
			if noted.status == 0 {
				clear(w.Header())
				endpoint.fail(noted, ev, fmt.Errorf("panic: %v", p))
			}
		}
		ev.status, ev.duration, ev.trace = noted.status, time.Since(began), trace
		ev.write(ctx, f.logger)
	}()
	if err := endpoint.handle(noted, r, ev); err != nil {
		endpoint.fail(noted, ev, err)
	}
}

// statusNoter notes the status that is sent.
type statusNoter struct {
	http.ResponseWriter
	status int
}

func (n *statusNoter) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}
