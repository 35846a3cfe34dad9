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

// method is a method that changes the document: what it takes and how it answers.
type method struct {
	parse   func(body []byte, query string) (settings.Edit, error)
	except  []string // media types that are JSON, but do not mean what the method does
	success string
	refusal string
}

func methods() map[string]method {
	return map[string]method{
		http.MethodPost: {
			parse:   parseReplacement,
			except:  []string{"application/merge-patch+json", "application/json-patch+json"},
			success: "Organization settings updated successfully",
			refusal: "Failed to update organization settings",
		},
		http.MethodPut: {
			parse:   parsePatch,
			success: "Organization settings partially updated successfully",
			refusal: "Failed to partially update organization settings",
		},
		http.MethodDelete: {
			parse:   parseKeys,
			success: "Organization settings keys deleted successfully",
			refusal: "Keys array is required and must not be empty",
		},
	}
}

func parseReplacement(body []byte, _ string) (settings.Edit, error) {
	doc, err := settings.ParseDocumentMember(body, "settings")
	return settings.Replacement(doc), err
}

func parsePatch(body []byte, _ string) (settings.Edit, error) {
	patch, err := settings.ParseDocument(body)
	return settings.MergePatch(patch), err
}

// parseKeys takes the keys of the body or, as some intermediaries take bodies of DELETE away, those of the query.
func parseKeys(body []byte, query string) (settings.Edit, error) {
	if len(body) > 0 {
		keys, err := settings.ParseKeysMember(body, "keys")
		return settings.Removal(keys), err
	}
	var keys settings.Keys
	named := query == ""
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil || strings.Contains(pair, ";") { // as net/url has it
			return settings.Edit{}, settings.NewInvalidError("query cannot be read")
		}
		if name == "keys" {
			named = true
			keys.Add(value)
		}
	}
	if !named {
		return settings.Edit{}, settings.NewInvalidError("the query has no parameter named keys; write ?keys=a&keys=b.c")
	}
	list, err := keys.List()
	return settings.Removal(list), err
}

// read reads the body of r, which must be JSON by its header fields unless it is empty.
func (m method) read(w http.ResponseWriter, r *http.Request) (settings.Edit, error) {
	body, err := readAll(w, r)
	if err == nil && len(body) == 0 {
		return m.parse(nil, r.URL.RawQuery)
	}
	if encoding := strings.Join(r.Header.Values("Content-Encoding"), ","); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return settings.Edit{}, &mediaTypeError{field: "Content-Encoding", sent: encoding, accepted: "none"}
	}
	if sent := strings.Join(r.Header.Values("Content-Type"), ","); sent != "" && !isJSON(sent, m.except) {
		return settings.Edit{}, &mediaTypeError{field: "Content-Type", sent: sent, accepted: "application/json"}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return settings.Edit{}, errBodyTooLarge
	}
	if err != nil {
		return settings.Edit{}, settings.NewInvalidError("body cannot be read")
	}
	return m.parse(body, r.URL.RawQuery)
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
