// Package gateway is an API Gateway HTTP API on this machine: it turns HTTP
// requests into events of payload format 2.0, and the function's responses into
// HTTP. Its rules and limits are documented by AWS or observed on live gateways.
// It does not throttle. It knows nothing of what serves the events or what they
// hold.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"orgsettings/infra/local/lambda"
)

// Limits of HTTP APIs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const (
	maxHeaderBytes     = 10_240 // request line and header lines
	maxBodyBytes       = 10 << 20
	integrationTimeout = 30 * time.Second
)

// DefaultStage is the stage whose name is not in the path.
const DefaultStage = "$default"

// Config says what the gateway serves.
type Config struct {
	Routes []string // route keys: "METHOD /path", where a segment may be a variable such as {name}
	Stage  string   // DefaultStage, or a name that every path starts with
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
	CORS   CORS
	Now    func() time.Time // nil: time.Now
}

// Gateway serves an HTTP API.
type Gateway struct {
	config Config
}

// New returns a Gateway. Its error names an invalid route.
func New(c Config) (*Gateway, error) {
	g := &Gateway{config: c}
	if c.Now == nil {
		g.config.Now = time.Now
	}
	for _, route := range c.Routes {
		method, path, ok := strings.Cut(route, " ")
		if !ok || method == "" || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "+ ") || method == "ANY" {
			return nil, fmt.Errorf("configure the gateway: %q is not a method and a path", route)
		}
	}
	if c.Invoke == nil || c.Stage == "" {
		return nil, errors.New("configure the gateway: Invoke or Stage is missing")
	}
	return g, nil
}

// ServeHTTP serves one request. A known path with an unknown method is 404 too.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.ToLower(rand.Text()[:15]) + "="
	w.Header().Set("Apigw-Requestid", id)
	if headerBytes(r) > maxHeaderBytes {
		fail(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	if g.config.CORS.Answer(w, r) {
		return
	}
	path := r.URL.Path
	if g.config.Stage != DefaultStage {
		rest, ok := strings.CutPrefix(path, "/"+g.config.Stage)
		if !ok {
			fail(w, http.StatusNotFound, "Not Found")
			return
		}
		path = rest
	}
	route, variables := g.find(r.Method + " " + path)
	if route == "" {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		fail(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "Bad Request")
		return
	}
	event := newEvent(r, body, g.config.Stage, route, id, g.config.Now())
	event.PathParameters = variables
	payload, err := event.payload()
	if err != nil {
		fail(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	// The request's own context ends when a client closes its sending side, and that client still waits for the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), integrationTimeout)
	defer cancel()
	response, err := g.config.Invoke(ctx, payload)
	switch {
	case errors.Is(err, lambda.ErrTooLarge):
		fail(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case errors.Is(err, lambda.ErrTimeout), errors.Is(err, lambda.ErrNoEnvironment), errors.Is(err, context.DeadlineExceeded):
		fail(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		fail(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		send(w, response, g.config.CORS.on())
	}
}

// find returns the route of a method and path, and the values of its variables; empty: there is none. A route without
// variables comes first.
func (g *Gateway) find(request string) (route string, variables map[string]string) {
	if slices.Contains(g.config.Routes, request) && !strings.Contains(request, "{") {
		return request, nil
	}
	for _, route := range g.config.Routes {
		if variables, ok := match(strings.Split(route, "/"), strings.Split(request, "/")); ok {
			return route, variables
		}
	}
	return "", nil
}

// match returns the values of the variables in route if segments are as it says.
func match(route, segments []string) (variables map[string]string, ok bool) {
	if len(route) != len(segments) {
		return nil, false
	}
	variables = make(map[string]string)
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(route[i], "{"); ok && segment != "" {
			variables[strings.TrimSuffix(name, "}")] = segment
		} else if segment != route[i] {
			return nil, false
		}
	}
	return variables, true
}

// headerBytes returns about how many bytes the request line and the header lines
// had on the wire.
func headerBytes(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(": \r\n") + len(v)
		}
	}
	return n
}

// fail sends an answer of the gateway itself.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}
