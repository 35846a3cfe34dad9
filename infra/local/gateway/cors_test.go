package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/gateway"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	const ours, theirs = "https://app.example", "https://evil.example"
	const response = `{"statusCode":200,"headers":{"content-type":"a/b","vary":"Accept","access-control-allow-origin":"*"}}`
	for _, test := range []struct {
		name, request string // without its version
		fields        string
		off           bool
		status        int
		header        http.Header // of those that concern browsers
	}{
		{"off", "GET /a", "Origin: " + ours, true, 200, http.Header{"Vary": {"Accept"}, "Access-Control-Allow-Origin": {"*"}}},
		{"off, preflight", "OPTIONS /a", "Origin: " + ours + "\nAccess-Control-Request-Method: GET", true, 404, http.Header{}},
		{"allowed", "GET /a", "Origin: " + ours, false, 200, http.Header{
			"Vary": {"Origin", "Accept"}, "Access-Control-Allow-Origin": {ours}, "Access-Control-Expose-Headers": {"etag,x-a"},
		}},
		{"failures too", "GET /none", "Origin: " + ours, false, 404, http.Header{
			"Vary": {"Origin"}, "Access-Control-Allow-Origin": {ours}, "Access-Control-Expose-Headers": {"etag,x-a"},
		}},
		{"another origin", "GET /a", "Origin: " + theirs, false, 200, http.Header{"Vary": {"Accept"}}},
		{"no origin", "GET /a", "", false, 200, http.Header{"Vary": {"Accept"}}},
		{"preflight", "OPTIONS /anything", "Origin: " + ours + "\nAccess-Control-Request-Method: PUT", false, 204, http.Header{
			"Vary": {"Origin"}, "Access-Control-Allow-Origin": {ours}, "Access-Control-Expose-Headers": {"etag,x-a"},
			"Access-Control-Allow-Methods": {"GET,POST"}, "Access-Control-Allow-Headers": {"authorization,if-match"}, "Access-Control-Max-Age": {"600"},
		}},
		{"preflight of another origin", "OPTIONS /a", "Origin: " + theirs + "\nAccess-Control-Request-Method: PUT", false, 204, http.Header{}},
		{"any port", "GET /none", "Origin: http://localhost:5173", false, 404, http.Header{
			"Vary": {"Origin"}, "Access-Control-Allow-Origin": {"http://localhost:5173"}, "Access-Control-Expose-Headers": {"etag,x-a"},
		}},
		{"the usual port", "GET /none", "Origin: http://localhost", false, 404, http.Header{
			"Vary": {"Origin"}, "Access-Control-Allow-Origin": {"http://localhost"}, "Access-Control-Expose-Headers": {"etag,x-a"},
		}},
		{"any port, another host", "GET /none", "Origin: http://localhost.evil.example:80", false, 404, http.Header{}},
		{"any port, another scheme", "GET /none", "Origin: https://localhost:80", false, 404, http.Header{}},
		{"no preflight", "OPTIONS /a", "Origin: " + ours, false, 204, http.Header{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, func(context.Context, []byte) ([]byte, error) { return []byte(response), nil }, func(c *gateway.Config) {
				if !test.off {
					c.CORS = gateway.CORS{
						AllowOrigins: []string{"https://other.example", "http://localhost:*", ours}, AllowMethods: []string{"GET", "POST"},
						AllowHeaders: []string{"authorization", "if-match"}, ExposeHeaders: []string{"etag", "x-a"}, MaxAge: 600,
					}
				}
			})
			got := exchange(t, addr, test.request+" HTTP/1.1\nHost: api.example\n"+test.fields, nil)
			if got.status != test.status {
				t.Errorf("status %d, want %d", got.status, test.status)
			}
			checkID(t, got)
			header := make(http.Header)
			for name, values := range got.header {
				if name == "Vary" || strings.HasPrefix(name, "Access-Control-") {
					header[name] = values
				}
			}
			if diff := cmp.Diff(test.header, header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}
