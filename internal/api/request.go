package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"orgsettings/internal/settings"
)

// maxBodyBytes bounds what is read of a body: as much as Lambda hands over.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxBodyBytes = 6 << 20

// authenticate verifies the bearer token of r and returns the user.
func (s *resource) authenticate(r *http.Request, ev *event) (settings.UserID, error) {
	token, err := bearerToken(r.Header)
	if err != nil {
		return "", err
	}
	id, err := s.verifier.Verify(r.Context(), token)
	ev.user, ev.kid = id.User, id.KeyID
	return settings.UserID(id.User), err
}

// bearerToken returns the token of the Authorization field (RFC 6750 section
// 2.1). Where the field was sent twice the values are joined by a comma, which
// no token contains: it will not verify.
func bearerToken(h http.Header) (string, error) {
	scheme, token, _ := strings.Cut(strings.Join(h.Values("Authorization"), ","), " ")
	token = strings.Trim(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// readBody reads the body of r, which must be JSON by its header fields, and of
// no type among except, unless it is empty.
func readBody(w http.ResponseWriter, r *http.Request, except []string) ([]byte, error) {
	body, err := readAll(w, r)
	if err == nil && len(body) == 0 {
		return nil, nil
	}
	if encoding := strings.Join(r.Header.Values("Content-Encoding"), ","); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, &mediaTypeError{field: "Content-Encoding", sent: encoding, accepted: "none"}
	}
	if sent := strings.Join(r.Header.Values("Content-Type"), ","); sent != "" && !isJSON(sent, except) {
		return nil, &mediaTypeError{field: "Content-Type", sent: sent, accepted: "application/json"}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, errBodyTooLarge
	}
	if err != nil {
		return nil, settings.NewInvalidError("body cannot be read")
	}
	return body, nil
}

// readAll returns the body of r.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	size := min(max(r.ContentLength, 0), maxBodyBytes)
	body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // does not grow
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBodyBytes)); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return body.Bytes(), nil
}

// keysOf returns the keys that a DELETE names: those of the body or, as some
// intermediaries take bodies of DELETE away, those of the query.
func keysOf(body []byte, query string) ([]string, error) {
	if len(body) > 0 {
		return settings.ParseKeysMember(body, "keys")
	}
	var keys settings.Keys
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil || strings.Contains(pair, ";") { // as net/url has it
			return nil, settings.NewInvalidError("query cannot be read")
		}
		if name == "keys" {
			keys.Add(value)
		}
	}
	return keys.List()
}

// isJSON says whether a media type is application/json or, by its suffix (RFC
// 6839 section 3.1), a kind of it that is not among except. Parameters do not matter.
func isJSON(mediaType string, except []string) bool {
	essence, parameters, _ := strings.Cut(mediaType, ";")
	if strings.Contains(parameters, ",") {
		return false // the field was sent twice
	}
	essence = strings.ToLower(strings.TrimSpace(essence))
	if essence == "application/json" {
		return true
	}
	name, ok := strings.CutPrefix(essence, "application/")
	base, json := strings.CutSuffix(name, "+json")
	return ok && json && base != "" && !strings.ContainsAny(base, " \t,/") && !slices.Contains(except, essence)
}
