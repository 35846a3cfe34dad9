package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"orgsettings/internal/settings"
)

// handler finds the endpoint of a request, bounds the request in time, recovers from panics and writes the log line.
type handler struct {
	endpoints map[string]endpoint // by "METHOD /path"
	other     endpoint            // for every other request
	logger    *slog.Logger
	meter     Meter // may be nil
	timeout   time.Duration
	warm      atomic.Bool // whether a request was served before
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	ctx, trace := settings.WithTrace(ctx)
	spent := func() (int, time.Duration) { return 0, 0 }
	if h.meter != nil {
		ctx, spent = h.meter(ctx)
	}
	r = r.WithContext(ctx)

	endpoint, route := h.find(r)
	ev := &event{
		requestID:       r.Header.Get("Apigw-Requestid"),
		lambdaRequestID: r.Header.Get("Lambda-Runtime-Aws-Request-Id"),
		route:           route,
		cold:            !h.warm.Swap(true),
	}
	recorder := &statusRecorder{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			ev.stack = debug.Stack()
			if recorder.status == 0 {
				clear(w.Header())
				endpoint.fail(recorder, ev, fmt.Errorf("panic: %v", p))
			}
		}
		ev.status, ev.duration, ev.trace = recorder.status, time.Since(began), trace
		ev.databaseAttempts, ev.databaseTime = spent()
		ev.write(ctx, h.logger)
	}()
	if err := endpoint.handle(recorder, r, ev); err != nil {
		endpoint.fail(recorder, ev, err)
	}
}

// find returns the endpoint of r and its route, and sets the revision that the path names.
func (h *handler) find(r *http.Request) (endpoint, string) {
	route := r.Method + " " + r.URL.Path
	if revision, ok := strings.CutPrefix(r.URL.Path, path+"/history/"); ok {
		route = r.Method + " " + path + "/history/{revision}"
		if r.Method == http.MethodPost { // whatever the gateway took for a revision, slashes included
			revision, ok = strings.CutSuffix(revision, "/restore")
			route += map[bool]string{true: "/restore"}[ok]
		}
		r.SetPathValue("revision", revision)
	}
	if e, ok := h.endpoints[route]; ok {
		return e, route
	}
	return h.other, ""
}

// statusRecorder records the status that is sent.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
