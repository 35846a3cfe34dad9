// Package api speaks the published HTTP contract of /settings/organization.
//
// It owns everything that a client sees: routes, headers, status codes and exact bodies. It does not know how requests
// arrive, how a token is verified or where settings are kept.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"orgsettings/internal/auth"
	"orgsettings/internal/settings"
)

// Config is what the handler of [New] works with.
type Config struct {
	Service  *settings.Service
	Verifier *auth.Verifier
	Logger   *slog.Logger // gets one line for each request

	Meter Meter // nil: the log line does not tell what the database cost

	// Timeout bounds one request. The answer comes a little later if the verifier is fetching keys at that moment.
	Timeout time.Duration
}

// Meter returns a context whose database operations are counted. spent returns how many requests the database got and
// how long its operations took.
type Meter func(context.Context) (_ context.Context, spent func() (attempts int, took time.Duration))

// Routes returns what New serves, each as "METHOD /path".
func Routes() []string {
	return slices.Sorted(maps.Keys((&resource{}).endpoints()))
}

// New returns the handler of the contract. It answers every request with a body in the documented shape.
func New(c Config) http.Handler {
	r := &resource{service: c.Service, verifier: c.Verifier}
	return &handler{
		endpoints: r.endpoints(), other: endpoint{handle: notFound},
		logger: c.Logger, meter: c.Meter, timeout: c.Timeout,
	}
}

// Misconfigured returns a handler that answers every request with a 500, for a program whose configuration is broken.
func Misconfigured(logger *slog.Logger) http.Handler {
	return &handler{other: endpoint{handle: misconfigured}, logger: logger, timeout: time.Second}
}

// resource is what the methods of /settings/organization share.
type resource struct {
	service  *settings.Service
	verifier *auth.Verifier
}

func (s *resource) endpoints() map[string]endpoint {
	endpoints := map[string]endpoint{
		"GET /settings/organization": {handle: s.read, refusal: "Failed to read organization settings"},
	}
	for name, m := range methods() {
		endpoints[name+" /settings/organization"] = endpoint{handle: s.write(m), refusal: m.refusal}
	}
	return endpoints
}

// endpoint is one method of the resource. [endpoint.fail] alone answers the errors that handle returns.
type endpoint struct {
	handle  func(http.ResponseWriter, *http.Request, *event) error
	refusal string // the message for a body or condition that is not what the method takes
}

// write returns what serves a method that changes the document.
func (s *resource) write(m method) func(http.ResponseWriter, *http.Request, *event) error {
	return func(w http.ResponseWriter, r *http.Request, ev *event) error {
		user, err := s.authenticate(r, ev)
		if err != nil {
			return err
		}
		edit, err := m.editOf(w, r)
		if err != nil {
			return err
		}
		c := preconditionOf(r)
		record, err := s.service.Write(r.Context(), user, edit, c.Condition)
		if err != nil {
			return c.explain(err)
		}
		setETag(w.Header(), record.Revision)
		writeJSON(w, http.StatusOK, append(appendText([]byte(`{"success":true,"message":`), m.success), '}'))
		return nil
	}
}

// read serves GET.
func (s *resource) read(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return err
	}
	record, err := s.service.Read(r.Context(), user)
	if err != nil {
		return err
	}
	c := preconditionOf(r)
	if !(settings.Condition{IfMatch: c.IfMatch}).Holds(record) {
		return c.explain(&settings.ConflictError{Current: record})
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	setETag(w.Header(), record.Revision)
	if !c.Holds(record) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	text := record.Document.Text()
	body := make([]byte, 0, len(text)+32)
	body = append(body, `{"success":true,"settings":`...)
	body = append(body, text...)
	body = append(body, '}')
	writeJSON(w, http.StatusOK, body)
	return nil
}

// notFound says in the log what had no route. Lambda can be called with other payloads than those of the gateway.
func notFound(_ http.ResponseWriter, r *http.Request, _ *event) error {
	if what := r.Header.Get("Apigw-Foreign-Event"); what != "" {
		return fmt.Errorf("%w: not an event of an HTTP API in payload format 2.0: %s", errNotFound, what)
	}
	return fmt.Errorf("%w: %.20s %s", errNotFound, r.Method, r.URL.Path)
}

func misconfigured(http.ResponseWriter, *http.Request, *event) error { return errMisconfigured }
