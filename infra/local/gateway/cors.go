package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS says which pages of other origins may call the API (Fetch Standard, "CORS
// protocol"). With CORS on, the gateway answers every preflight request itself and
// drops the CORS fields of the function's responses.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
type CORS struct {
	AllowOrigins  []string // "http://localhost:*" is every port, which API Gateway does not have; empty: CORS is off
	AllowMethods  []string
	AllowHeaders  []string
	ExposeHeaders []string
	MaxAge        int // seconds

	Refused func(origin string) // called for each preflight request of an origin that is not allowed; nil: not
}

func (c CORS) on() bool { return len(c.AllowOrigins) > 0 }

// Answer sets the CORS fields of the answer to r. It reports whether it has answered r, a preflight request.
func (c CORS) Answer(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !c.on():
		return false
	case r.Method == http.MethodOptions:
		c.preflight(w, r)
		return true
	}
	c.allow(w.Header(), r)
	return false
}

// allow sets the CORS fields of an answer to r if r's origin is allowed.
func (c CORS) allow(h http.Header, r *http.Request) (allowed bool) {
	origin := r.Header.Get("Origin")
	if !slices.ContainsFunc(c.AllowOrigins, func(allowed string) bool {
		anyPort, ok := strings.CutSuffix(allowed, ":*")
		return origin == allowed || ok && (origin == anyPort || strings.HasPrefix(origin, anyPort+":"))
	}) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Vary", "Origin")
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
	return true
}

// preflight answers an OPTIONS request.
func (c CORS) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch {
	case r.Header.Get("Access-Control-Request-Method") == "": // it is no preflight request
	case c.allow(h, r):
		h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
		h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	case c.Refused != nil:
		c.Refused(r.Header.Get("Origin"))
	}
	w.WriteHeader(http.StatusNoContent)
}
