package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/stack"
)

// What is no event of an HTTP API is answered like any other request without a route, and named in the log.
func TestForeignEvents(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 1 })
	var want []string
	for payload, what := range map[string]string{
		`{"key1":"value1","key2":"value2"}`:                                       "the sample event of the Lambda console",
		`{"version":"0","detail-type":"Scheduled Event","source":"aws.events"}`:   `an EventBridge event of version "0"`,
		`{"resource":"/settings/organization","httpMethod":"GET","headers":null}`: "an API Gateway event in payload format 1.0, as REST APIs send it",
		`{"source":"serverless-plugin-warmup"}`:                                   "a direct call, such as of a warm-up plug-in",
		`{}`:                                                                      "an empty object",
		`null`:                                                                    "null",
		`[]`:                                                                      "the payload is not an object",
		`"text"`:                                                                  "the payload is not an object",
		`{"a":"` + secret + `"}`:                                                  `an object with the members "a"`,
		`{"version":"2.0","rawPath":"/`:                                           `jsontext: unexpected EOF within "/rawPath" after offset 29`,
	} {
		if status, body := s.invoke(t, payload); status != 404 || body != `{"success":false,"message":"Not Found"}` {
			t.Errorf("%s: %d %s", payload, status, body)
		}
		want = append(want, "no such route: not an event of an HTTP API in payload format 2.0: "+what)
	}
	if diff := cmp.Diff(want, s.reasons(t, len(want))); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// Behind a mapping key of a shared domain the path begins with more than that of the route.
func TestRouteKeys(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 1 })
	alice := s.token(t, "alice")
	var want []string
	for _, tt := range []struct {
		key, path string
		status    int
		reason    string
	}{
		{"GET /settings/organization", "/key/settings/organization", 200, ""},
		{"ANY /settings/organization", "/key/settings/organization", 200, ""},
		{"GET /other", "/settings/organization", 404, "no such route: GET /other"},
		{"$default", "/settings/organization", 200, ""},
		{"$default", `/key/settings/organization\u001b`, 404, `no such route: GET /key/settings/organization\x1b`},
	} {
		payload := `{"version":"2.0","routeKey":"` + tt.key + `","rawPath":"` + tt.path + `","headers":{"authorization":"Bearer ` + alice + `"},"requestContext":{"stage":"$default","http":{"method":"GET"}}}`
		if status, body := s.invoke(t, payload); status != tt.status {
			t.Errorf("route %s, path %q: %d %s, want %d", tt.key, tt.path, status, body, tt.status)
		}
		want = append(want, tt.reason)
	}
	if diff := cmp.Diff(want, s.reasons(t, len(want))); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// reasons returns the reasons of the first n requests in the log, whose lines may come after the answers.
func (s service) reasons(t *testing.T, n int) (reasons []string) {
	t.Helper()
	eventually(t, 5*time.Second, fmt.Sprintf("%d requests are in the log", n), func() bool {
		reasons = nil
		for text := range strings.Lines(s.log.String()) {
			var line struct{ Msg, Reason string }
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "request" {
				reasons = append(reasons, line.Reason)
			}
		}
		return len(reasons) == n
	})
	return reasons
}

// invoke lets the function serve a payload as it is.
func (s service) invoke(t *testing.T, payload string) (status int, body string) {
	t.Helper()
	response, err := s.Function.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatalf("%.300s: %v", payload, err)
	}
	var a struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatalf("%.300s: %v", response, err)
	}
	return a.StatusCode, a.Body
}
