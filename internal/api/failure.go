package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"orgsettings/internal/auth"
	"orgsettings/internal/settings"
)

// Errors that this package makes itself.
var (
	errNoToken       = errors.New("no bearer token")
	errNotFound      = errors.New("no such route")
	errMisconfigured = errors.New("configuration is broken, see the first lines of this log stream")
	errBodyTooLarge  = fmt.Errorf("body is larger than %d bytes", maxBodyBytes)
)

// mediaTypeError says that the header declares the body to be something other than JSON.
type mediaTypeError struct {
	field, sent, accepted string
}

func (e *mediaTypeError) Error() string { return "unsupported " + e.field }

// failure is one row of the contract's table of errors: what the client sees.
type failure struct {
	status    int
	message   string
	detail    string // the member error; empty: absent
	challenge string // WWW-Authenticate
	retry     bool   // Retry-After
	current   settings.Revision
}

// failureOf maps err to its row. An error without a row is a 500 without details.
func (e endpoint) failureOf(err error) failure {
	var (
		token    *auth.InvalidError
		media    *mediaTypeError
		large    *settings.TooLargeError
		invalid  *settings.InvalidError
		unmet    *unmetError
		conflict *settings.ConflictError

		unconditional *settings.UnconditionalError
	)
	switch {
	case errors.Is(err, errNoToken):
		return failure{status: 401, message: "Authentication required", challenge: "Bearer"}
	case errors.As(err, &token):
		return failure{status: 401, message: "Invalid access token", challenge: `Bearer error="invalid_token"`}
	case errors.Is(err, auth.ErrUnavailable):
		return failure{status: 503, message: "Service unavailable", retry: true}
	case errors.Is(err, auth.ErrInsufficientScope):
		return failure{status: 403, message: "Insufficient scope", challenge: `Bearer error="insufficient_scope"`}
	case errors.As(err, &media):
		return failure{status: 415, message: e.refusal, detail: fmt.Sprintf("%s is %s; accepted: %s", media.field, printable(media.sent, 100), media.accepted)}
	case errors.Is(err, errBodyTooLarge):
		return failure{status: 413, message: e.refusal, detail: err.Error()}
	case errors.As(err, &large):
		return failure{status: 413, message: e.refusal, detail: large.Error()}
	case errors.As(err, &invalid):
		return failure{status: 400, message: e.refusal, detail: invalid.Detail()}
	case errors.Is(err, settings.ErrNoOrganization):
		return failure{status: 404, message: "User not associated with any organization"}
	case errors.Is(err, settings.ErrNoHistory):
		return failure{status: 404, message: "Organization settings history is not available"}
	case errors.Is(err, settings.ErrNoSchema):
		return failure{status: 404, message: "Organization settings schema is not available"}
	case errors.Is(err, settings.ErrForbiddenHistory):
		return failure{status: 403, message: "Insufficient permissions: only OWNER and ADMINISTRATOR roles can read organization settings history"}
	case errors.Is(err, settings.ErrNoRevision):
		return failure{status: 404, message: "Organization settings revision not found"}
	case errors.Is(err, settings.ErrForbidden):
		return failure{status: 403, message: "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings"}
	case errors.As(err, &unmet):
		return failure{status: 412, message: "Organization settings have changed", detail: unmet.why, current: unmet.Current.Revision}
	case errors.As(err, &conflict):
		return failure{status: 412, message: "Organization settings have changed", current: conflict.Current.Revision}
	case errors.As(err, &unconditional):
		return failure{status: 428, message: e.refusal, detail: neededFor(unconditional.Current), current: unconditional.Current.Revision}
	case errors.Is(err, settings.ErrContended):
		return failure{status: 503, message: "Service unavailable", retry: true}
	case errors.Is(err, settings.ErrUnavailable):
		return failure{status: 500, message: "Internal server error", detail: "Database connection failed"}
	case errors.Is(err, errNotFound):
		return failure{status: 404, message: "Not Found"}
	default:
		return failure{status: 500, message: "Internal server error"}
	}
}

// fail answers err, and records for the log what the client does not see.
func (e endpoint) fail(w http.ResponseWriter, ev *event, err error) {
	f := e.failureOf(err)
	switch {
	case f.status == 500:
		ev.cause = err.Error()
	default:
		ev.reason = err.Error()
	}
	var token *auth.InvalidError
	if errors.As(err, &token) {
		ev.kid = token.KeyID
	}
	if f.challenge != "" {
		w.Header().Set("WWW-Authenticate", f.challenge)
	}
	if f.retry {
		w.Header().Set("Retry-After", "1")
	}
	setETag(w.Header(), f.current)
	writeJSON(w, f.status, f.body())
}

// body renders a SettingsErrorResponse.
func (f failure) body() []byte {
	b := appendText([]byte(`{"success":false,"message":`), f.message)
	if f.detail != "" {
		b = appendText(append(b, `,"error":`...), f.detail)
	}
	return append(b, '}')
}

// appendText appends s as a JSON string. Invalid UTF-8 in s is replaced by U+FFFD.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

const contentType = "application/json"

// writeJSON sends one whole answer.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The client has disconnected: there is nobody to answer.
	_, _ = w.Write(body)
}
