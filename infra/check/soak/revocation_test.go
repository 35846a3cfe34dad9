package soak

import (
	"net/http"
	"strings"
	"testing"
)

// Each request looks up the membership: a right that a member loses is gone with the
// next request, however long the token is valid.
func TestRevocationCountsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	alice := s.token(t, "alice")
	const write, document = `{"settings":{"a":1}}`, `{"success":true,"settings":{"a":1}}`
	s.mustCall(t, "POST", alice, write)
	for _, step := range []struct {
		record             string // of alice, besides her name
		post, put, deleted int
		get                int
		body               string
	}{
		{`,"orgId":{"S":"acme"},"role":{"N":"0"}`, 403, 403, 403, 200, document},
		{`,"orgId":{"S":"globex"},"role":{"N":"2"}`, 403, 403, 403, 200, `{"success":true,"settings":{}}`},
		{``, 404, 404, 404, 404, `{"success":false,"message":"User not associated with any organization"}`},
		{`,"orgId":{"S":"acme"},"role":{"N":"254"}`, 200, 200, 200, 200, document},
	} {
		s.putUser(t, `{"userId":{"S":"alice"}`+step.record+`}`)
		for _, request := range []struct {
			method, body string
			status       int
		}{{"GET", "", step.get}, {"POST", write, step.post}, {"PUT", `{"a":1}`, step.put}, {"DELETE", `{"keys":["b"]}`, step.deleted}} {
			a, _ := s.call(request.method, alice, request.body) // the shape of a 403 is not among those of call
			if a.status != request.status || request.method == "GET" && a.body != step.body {
				t.Errorf("with %s: %s answers %d %s, want %d", step.record, request.method, a.status, a.body, request.status)
			}
		}
	}
}

// putUser puts an item of the users table.
func (s *service) putUser(t *testing.T, item string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.DynamoDBURL+"/", strings.NewReader(`{"TableName":"UsersTable","Item":`+item+`}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "none is checked")
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Fatalf("put %s: %d", item, response.StatusCode)
	}
}
