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

// path is that of the resource.
const path = "/settings/organization"

func (s *resource) endpoints() map[string]endpoint {
	endpoints := map[string]endpoint{
		"GET " + path:                                  {handle: s.read, refusal: "Failed to read organization settings"},
		"GET " + schemaPath:                            {handle: s.schema, refusal: "Failed to read organization settings schema"},
		"GET " + path + "/history":                     {handle: s.history, refusal: "Failed to read organization settings history"},
		"GET " + path + "/history/{revision}":          {handle: s.revision, refusal: "Failed to read organization settings history"},
		"POST " + path + "/history/{revision}/restore": {handle: s.restore, refusal: "Failed to restore organization settings"},
	}
	for name, m := range methods() {
		endpoints[name+" "+path] = endpoint{handle: s.write(m), refusal: m.refusal}
		endpoints[name+" "+path+"/preview"] = endpoint{handle: s.preview(m), refusal: m.refusal}
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
		user, edit, err := s.editOf(w, r, ev, m)
		if err != nil {
			return err
		}
		c := preconditionOf(r)
		record, err := s.service.Write(r.Context(), user, edit, c.Condition)
		if err != nil {
			return c.explain(err)
		}
		succeed(w, record, m.success)
		return nil
	}
}

// preview returns what serves the preview of a method.
func (s *resource) preview(m method) func(http.ResponseWriter, *http.Request, *event) error {
	return func(w http.ResponseWriter, r *http.Request, ev *event) error {
		user, edit, err := s.editOf(w, r, ev, m)
		if err != nil {
			return err
		}
		c := preconditionOf(r)
		p, err := s.service.Preview(r.Context(), user, edit, c.Condition)
		if err != nil {
			return c.explain(err)
		}
		setETag(w.Header(), p.Current.Revision)
		body := append([]byte(`{"success":true,"settings":`), p.Document.Text()...)
		writeJSON(w, http.StatusOK, append(appendChanges(body, p.Changes), '}'))
		return nil
	}
}

// editOf verifies the caller and then reads what a method shall change.
func (s *resource) editOf(w http.ResponseWriter, r *http.Request, ev *event, m method) (settings.UserID, settings.Edit, error) {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return "", settings.Edit{}, err
	}
	edit, err := m.read(w, r)
	return user, edit, err
}

// succeed answers a write: record is what is stored now.
func succeed(w http.ResponseWriter, record settings.Record, message string) {
	setETag(w.Header(), record.Revision)
	writeJSON(w, http.StatusOK, append(appendText([]byte(`{"success":true,"message":`), message), '}'))
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
	w.Header().Set("Cache-Control", "private, no-cache")
	if s.service.Schema != nil {
		w.Header().Set("Link", "<"+schemaPath+`>; rel="describedby"`)
	}
	if ok, err := current(w, r, record); !ok {
		return err
	}
	text := record.Document.Text()
	body := make([]byte, 0, len(text)+32)
	body = append(body, `{"success":true,"settings":`...)
	body = append(body, text...)
	writeJSON(w, http.StatusOK, append(body, '}'))
	return nil
}

// current sets the ETag of a GET and says whether record is to be sent. Otherwise it is the one that the client has,
// and answered, or the error says why not.
func current(w http.ResponseWriter, r *http.Request, record settings.Record) (bool, error) {
	c := preconditionOf(r)
	if !(settings.Condition{IfMatch: c.IfMatch}).Holds(record) {
		w.Header().Del("Cache-Control")
		w.Header().Del("Vary")
		return false, c.explain(&settings.ConflictError{Current: record})
	}
	setETag(w.Header(), record.Revision)
	if c.Holds(record) {
		return true, nil
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusNotModified)
	return false, nil
}

// notFound says in the log what had no route. Lambda can be called with other payloads than those of the gateway.
func notFound(_ http.ResponseWriter, r *http.Request, _ *event) error {
	if what := r.Header.Get("Apigw-Foreign-Event"); what != "" {
		return fmt.Errorf("%w: not an event of an HTTP API in payload format 2.0: %s", errNotFound, what)
	}
	return fmt.Errorf("%w: %.20s %s", errNotFound, r.Method, r.URL.Path)
}

func misconfigured(http.ResponseWriter, *http.Request, *event) error { return errMisconfigured }
