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
	return map[string]endpoint{
		"GET /settings/organization":    {handle: s.read, refusal: "Failed to read organization settings"},
		"POST /settings/organization":   {handle: s.replace, refusal: "Failed to update organization settings"},
		"PUT /settings/organization":    {handle: s.merge, refusal: "Failed to partially update organization settings"},
		"DELETE /settings/organization": {handle: s.remove, refusal: "Keys array is required and must not be empty"},
	}
}

// endpoint is one method of the resource. [endpoint.fail] alone answers the errors that handle returns.
type endpoint struct {
	handle  func(http.ResponseWriter, *http.Request, *event) error
	refusal string // the message for a body or condition that is not what the method takes
}

// replace serves POST: the document in the body becomes the organization's.
func (s *resource) replace(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, body, err := s.authenticatedBody(w, r, ev, "application/merge-patch+json", "application/json-patch+json")
	if err != nil {
		return err
	}
	doc, err := settings.ParseDocumentMember(body, "settings")
	if err != nil {
		return err
	}
	c := preconditionOf(r)
	record, err := s.service.Replace(r.Context(), user, doc, c.Condition)
	if err != nil {
		return c.explain(err)
	}
	return succeed(w, record, "Organization settings updated successfully")
}

// merge serves PUT: the document in the body changes some of the organization's.
func (s *resource) merge(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, body, err := s.authenticatedBody(w, r, ev)
	if err != nil {
		return err
	}
	patch, err := settings.ParseDocument(body)
	if err != nil {
		return err
	}
	c := preconditionOf(r)
	record, err := s.service.Merge(r.Context(), user, patch, c.Condition)
	if err != nil {
		return c.explain(err)
	}
	return succeed(w, record, "Organization settings partially updated successfully")
}

// remove serves DELETE: the keys in the body, or in the query if there is no body, are removed from the document.
func (s *resource) remove(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, body, err := s.authenticatedBody(w, r, ev)
	if err != nil {
		return err
	}
	keys, err := keysOf(body, r.URL.RawQuery)
	if err != nil {
		return err
	}
	c := preconditionOf(r)
	record, err := s.service.Remove(r.Context(), user, keys, c.Condition)
	if err != nil {
		return c.explain(err)
	}
	return succeed(w, record, "Organization settings keys deleted successfully")
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

// authenticatedBody verifies the caller and then reads the body. It refuses the media types in except: they are JSON,
// but do not mean what the method does.
func (s *resource) authenticatedBody(w http.ResponseWriter, r *http.Request, ev *event, except ...string) (settings.UserID, []byte, error) {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return "", nil, err
	}
	body, err := readBody(w, r, except)
	return user, body, err
}

// succeed answers a write: record is what is stored now.
func succeed(w http.ResponseWriter, record settings.Record, message string) error {
	setETag(w.Header(), record.Revision)
	writeJSON(w, http.StatusOK, append(appendText([]byte(`{"success":true,"message":`), message), '}'))
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
