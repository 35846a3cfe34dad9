package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/api"
	"orgsettings/internal/app"
)

const (
	updated       = `{"success":true,"message":"Organization settings updated successfully"}`
	merged        = `{"success":true,"message":"Organization settings partially updated successfully"}`
	removed       = `{"success":true,"message":"Organization settings keys deleted successfully"}`
	noToken       = `{"success":false,"message":"Authentication required"}`
	badToken      = `{"success":false,"message":"Invalid access token"}`
	noScope       = `{"success":false,"message":"Insufficient scope"}`
	noOrg         = `{"success":false,"message":"User not associated with any organization"}`
	noRole        = `{"success":false,"message":"Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings"}`
	changed       = `{"success":false,"message":"Organization settings have changed"}`
	unavailable   = `{"success":false,"message":"Service unavailable"}`
	database      = `{"success":false,"message":"Internal server error","error":"Database connection failed"}`
	internalError = `{"success":false,"message":"Internal server error"}`
)

// refused, notMerged and notRemoved are the bodies of a 400, 413 or 415 of POST,
// PUT and DELETE.
func refused(detail string) string {
	return `{"success":false,"message":"Failed to update organization settings","error":"` + detail + `"}`
}

func notMerged(detail string) string {
	return `{"success":false,"message":"Failed to partially update organization settings","error":"` + detail + `"}`
}

func notRemoved(detail string) string {
	return `{"success":false,"message":"Keys array is required and must not be empty","error":"` + detail + `"}`
}

// because is the body of a 412 that no change has caused.
func because(detail string) string {
	return `{"success":false,"message":"Organization settings have changed","error":"` + detail + `"}`
}

const (
	weakTag = `If-Match: W/\"…\" is a weak tag and never matches; send the ETag as it came, without W/`
	exist   = `If-None-Match: * holds only as long as there are no settings, and settings exist`
)

func noTags(field string) string {
	return field + ` is neither * nor a list of entity tags; a tag keeps its quotes, as in \"01KDXZT9JE0000000000000000\"`
}

// Every row of the contract's error table, and which of two rows wins.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := newService(t)
	good := func(user string, more ...string) []string { return append(s.as(t, user), more...) }
	expired := s.token(t, "alice", map[string]any{"exp": 1})
	const doc = `{"settings":{}}`
	for _, tt := range []struct {
		name   string
		method string
		fields []string
		body   string
		status int
		want   string
	}{
		{"no token", "POST", nil, doc, 401, noToken},
		{"no token, GET", "GET", nil, "", 401, noToken},
		{"other scheme", "POST", []string{"Authorization", "Basic YTpi"}, doc, 401, noToken},
		{"scheme alone", "POST", []string{"Authorization", "Bearer"}, doc, 401, noToken},
		{"scheme and blanks", "POST", []string{"Authorization", "Bearer  "}, doc, 401, noToken},
		{"token without scheme", "POST", []string{"Authorization", s.token(t, "alice", nil)}, doc, 401, noToken},
		{"garbage", "POST", []string{"Authorization", "Bearer garbage"}, doc, 401, badToken},
		{"expired", "POST", []string{"Authorization", "Bearer " + expired}, doc, 401, badToken},
		{"two tokens", "POST", append(s.as(t, "alice"), s.as(t, "alice")...), doc, 401, badToken},
		{"token before body", "POST", []string{"Authorization", "Bearer garbage"}, `{`, 401, badToken},
		{"text", "POST", good("alice", "Content-Type", "text/plain"), doc, 415, refused("Content-Type is text/plain; accepted: application/json")},
		{"form", "POST", good("alice", "Content-Type", "application/x-www-form-urlencoded"), doc, 415, refused("Content-Type is application/x-www-form-urlencoded; accepted: application/json")},
		{"merge patch", "POST", good("alice", "Content-Type", "application/merge-patch+json"), doc, 415, refused("Content-Type is application/merge-patch+json; accepted: application/json")},
		{"JSON patch", "POST", good("alice", "Content-Type", "application/json-patch+json; a=b"), doc, 415, refused("Content-Type is application/json-patch+json; a=b; accepted: application/json")},
		{"two types", "POST", good("alice", "Content-Type", "application/json", "Content-Type", "application/json"), doc, 415, refused("Content-Type is application/json,application/json; accepted: application/json")},
		{"two types with parameters", "POST", good("alice", "Content-Type", "application/json;a=b", "Content-Type", "text/html"), doc, 415, refused("Content-Type is application/json;a=b,text/html; accepted: application/json")},
		{"hostile type", "POST", good("alice", "Content-Type", "\x1b[31m\"<script>"+strings.Repeat("x", 200)), doc, 415,
			refused(`Content-Type is \\x1b[31m\"<script>` + strings.Repeat("x", 86) + `…; accepted: application/json`)},
		{"gzip", "POST", good("alice", "Content-Encoding", "gzip"), doc, 415, refused("Content-Encoding is gzip; accepted: none")},
		{"type before size", "POST", good("alice", "Content-Type", "text/plain"), strings.Repeat(" ", 7<<20), 415, refused("Content-Type is text/plain; accepted: application/json")},
		{"document too large", "POST", good("alice"), `{"settings":{"a":"` + strings.Repeat("x", 399_993) + `"}}`, 413, refused("document has 400001 bytes without insignificant white space, the limit is 400000")},
		{"body too large", "POST", good("alice"), doc + strings.Repeat(" ", 6<<20), 413, refused("body is larger than 6291456 bytes")},
		{"size before user", "POST", good("nobody"), `{"settings":{"a":"` + strings.Repeat("x", 399_993) + `"}}`, 413, refused("document has 400001 bytes without insignificant white space, the limit is 400000")},
		{"empty body", "POST", good("alice"), "", 400, refused("an object is needed, the text ends at byte 0")},
		{"empty body of another type", "POST", good("alice", "Content-Type", "text/plain"), "", 400, refused("an object is needed, the text ends at byte 0")},
		{"no settings", "POST", good("alice"), `{}`, 400, refused(`\"settings\" is missing at byte 2`)},
		{"settings null", "POST", good("alice"), `{"settings":null}`, 400, refused("an object is needed, this is null at /settings (byte 12)")},
		{"bare document", "POST", good("alice"), `{"theme":"dark"}`, 400, refused(`\"settings\" is missing at byte 16`)},
		{"duplicate", "POST", good("alice"), `{"settings":{"a":1,"a":2}}`, 400, refused("duplicate name at /settings/a (byte 19)")},
		{"body before user", "POST", good("nobody"), `{`, 400, refused("invalid JSON: unexpected EOF at byte 1")},
		{"unknown user", "POST", good("nobody"), doc, 404, noOrg},
		{"unknown user, GET", "GET", good("nobody"), "", 404, noOrg},
		{"no organization", "POST", good("bob"), doc, 404, noOrg},
		{"no organization, GET", "GET", good("bob"), "", 404, noOrg},
		{"user of 3,000 characters", "POST", good(strings.Repeat("x", 3000)), doc, 404, noOrg},
		{"role", "POST", good("dave"), doc, 403, noRole},
		{"role before condition", "POST", good("dave", "If-Match", `"x"`), doc, 403, noRole},
		{"role before unreadable condition", "POST", good("dave", "If-Match", `x`), doc, 403, noRole},
		{"organization before unreadable condition", "POST", good("bob", "If-None-Match", `x`), doc, 404, noOrg},
		{"organization before unreadable condition, GET", "GET", good("bob", "If-Match", `x`), "", 404, noOrg},
		{"body before unreadable condition", "POST", good("alice", "If-Match", `x`), `{}`, 400, refused(`\"settings\" is missing at byte 2`)},
		{"condition without quotes", "POST", good("alice", "If-Match", "01KDXZT9JE0000000000000000"), doc, 400, refused(noTags("If-Match"))},
		{"condition without quotes, GET", "GET", good("alice", "If-Match", "01KDXZT9JE0000000000000000"), "", 400,
			`{"success":false,"message":"Failed to read organization settings","error":"` + noTags("If-Match") + `"}`},
		{"condition cut off", "POST", good("alice", "If-None-Match", `"01KDXZT9JE0000000000000000`), doc, 400, refused(noTags("If-None-Match"))},
		{"one condition of two without quotes", "POST", good("alice", "If-Match", `"x"`, "If-None-Match", "x"), doc, 400, refused(noTags("If-None-Match"))},
		{"weak tag", "POST", good("alice", "If-Match", `"x", W/"01KDXZT9JE0000000000000000"`), doc, 412, because(weakTag)},
		{"weak tag, GET", "GET", good("alice", "If-Match", `W/"01KDXZT9JE0000000000000000"`), "", 412, because(weakTag)},
		{"stale", "POST", good("alice", "If-Match", `"01KDXZT9JE0000000000000000"`), doc, 412, changed},
		{"stale, GET", "GET", good("alice", "If-Match", `*`), "", 412, changed},

		{"PUT, no token", "PUT", nil, `{}`, 401, noToken},
		{"PUT, text", "PUT", good("alice", "Content-Type", "text/plain"), `{}`, 415, notMerged("Content-Type is text/plain; accepted: application/json")},
		{"PUT, too large", "PUT", good("alice"), `{"a":"` + strings.Repeat("x", 399_993) + `"}`, 413, notMerged("document has 400001 bytes without insignificant white space, the limit is 400000")},
		{"PUT, empty body", "PUT", good("alice"), ``, 400, notMerged("an object is needed, the text ends at byte 0")},
		{"PUT, array", "PUT", good("alice"), `[]`, 400, notMerged("an object is needed, this is an array at byte 0")},
		{"PUT, null", "PUT", good("alice", "Content-Type", "application/merge-patch+json"), `null`, 400, notMerged("an object is needed, this is null at byte 0")},
		{"PUT, duplicate", "PUT", good("alice"), `{"a":{"b":1,"b":2}}`, 400, notMerged("duplicate name at /a/b (byte 12)")},
		{"PUT, unknown user", "PUT", good("nobody"), `{}`, 404, noOrg},
		{"PUT, role", "PUT", good("dave"), `{}`, 403, noRole},
		{"PUT, condition without quotes", "PUT", good("alice", "If-None-Match", "x"), `{}`, 400, notMerged(noTags("If-None-Match"))},
		{"PUT, weak tag", "PUT", good("alice", "If-Match", `W/"x"`), `{}`, 412, because(weakTag)},
		{"PUT, stale", "PUT", good("alice", "If-Match", `"01KDXZT9JE0000000000000000"`), `{}`, 412, changed},

		{"DELETE, no token", "DELETE", nil, `{"keys":["a"]}`, 401, noToken},
		{"DELETE, text", "DELETE", good("alice", "Content-Type", "text/plain"), `{"keys":["a"]}`, 415, notRemoved("Content-Type is text/plain; accepted: application/json")},
		{"DELETE, body too large", "DELETE", good("alice"), `{"keys":["a"]}` + strings.Repeat(" ", 6<<20), 413, notRemoved("body is larger than 6291456 bytes")},
		{"DELETE, nothing", "DELETE", good("alice"), ``, 400, notRemoved("0 keys are given, 1 to 1000 are allowed")},
		{"DELETE, no keys", "DELETE", good("alice"), `{}`, 400, notRemoved(`\"keys\" is missing at byte 2`)},
		{"DELETE, empty keys", "DELETE", good("alice"), `{"keys":[]}`, 400, notRemoved("0 keys are given, 1 to 1000 are allowed")},
		{"DELETE, one key", "DELETE", good("alice"), `{"keys":"a"}`, 400, notRemoved("an array is needed, this is a string at /keys (byte 8)")},
		{"DELETE, ill-typed key", "DELETE", good("alice"), `{"keys":["a",null]}`, 400, notRemoved("a key is not a string at /keys/1 (byte 13)")},
		{"DELETE, unknown user", "DELETE", good("nobody"), `{"keys":["a"]}`, 404, noOrg},
		{"DELETE, role", "DELETE", good("dave"), `{"keys":["a"]}`, 403, noRole},
		{"DELETE, condition without quotes", "DELETE", good("alice", "If-Match", "x"), `{"keys":["a"]}`, 400, notRemoved(noTags("If-Match"))},
		{"DELETE, weak tag", "DELETE", good("alice", "If-Match", `W/"x"`), `{"keys":["a"]}`, 412, because(weakTag)},
		{"DELETE, stale", "DELETE", good("alice", "If-Match", `*`), `{"keys":["a"]}`, 412, changed},
	} {
		r := s.call(t, tt.method, tt.body, tt.fields...)
		if r.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, r.StatusCode, tt.status)
		}
		if diff := cmp.Diff(tt.want, text(t, r)); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", tt.name, diff)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type %q", tt.name, got)
		}
		challenge := map[string]string{noToken: "Bearer", badToken: `Bearer error="invalid_token"`}[tt.want]
		if got := r.Header.Get("WWW-Authenticate"); got != challenge {
			t.Errorf("%s: WWW-Authenticate %q, want %q", tt.name, got, challenge)
		}
	}
	if got := text(t, s.call(t, "GET", "", s.as(t, "alice")...)); got != `{"success":true,"settings":{}}` {
		t.Errorf("something refused was stored: %s", got)
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	s := newService(t, func(c *app.Config) { c.Auth.RequiredScope = "settings/write" })
	for _, tt := range []struct {
		name   string
		claims map[string]any
		body   string
		status int
	}{
		{"none", nil, `{"settings":{}}`, 403},
		{"before the body", nil, `{`, 403},
		{"other", map[string]any{"scope": "settings/writer settings"}, `{"settings":{}}`, 403},
		{"scope", map[string]any{"scope": "openid settings/write"}, `{"settings":{}}`, 200},
		{"scp", map[string]any{"scp": []string{"openid", "settings/write"}}, `{"settings":{}}`, 200},
	} {
		r := s.call(t, "POST", tt.body, "Authorization", "Bearer "+s.token(t, "alice", tt.claims))
		if r.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, r.StatusCode, tt.status)
		}
		if tt.status == 403 {
			if got := text(t, r); got != noScope || r.Header.Get("WWW-Authenticate") != `Bearer error="insufficient_scope"` {
				t.Errorf("%s: %s, WWW-Authenticate %q", tt.name, got, r.Header.Get("WWW-Authenticate"))
			}
		}
	}
}

func TestReplaceAndRead(t *testing.T) {
	t.Parallel()
	s := newService(t)
	alice, dave, carol := s.as(t, "alice"), s.as(t, "dave"), s.as(t, "carol")

	r := s.call(t, "GET", "", alice...)
	if got := text(t, r); r.StatusCode != 200 || got != `{"success":true,"settings":{}}` || r.Header.Get("ETag") != "" {
		t.Errorf("never written: %d %s, ETag %q", r.StatusCode, got, r.Header.Get("ETag"))
	}
	r = s.call(t, "POST", "{\"settings\": {\"b\": 1.0,\n \"a\": [\"<&>\\u003c\"]}}", alice...)
	first := r.Header.Get("ETag")
	if got := text(t, r); r.StatusCode != 200 || got != updated || len(first) != 28 || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("POST: %d %s %v", r.StatusCode, got, r.Header)
	}
	for _, reader := range [][]string{alice, dave} { // every member reads the same
		r = s.call(t, "GET", "", reader...)
		if got, want := text(t, r), `{"success":true,"settings":{"b":1.0,"a":["<&>\u003c"]}}`; r.StatusCode != 200 || got != want {
			t.Errorf("GET: %d %s, want %s", r.StatusCode, got, want)
		}
		if r.Header.Get("ETag") != first || r.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("GET: header %v, want ETag %s", r.Header, first)
		}
	}
	if got := text(t, s.call(t, "GET", "", carol...)); got != `{"success":true,"settings":{}}` {
		t.Errorf("another organization reads %s", got)
	}
	r = s.call(t, "POST", `{"settings":{}}`, alice...)
	if second := r.Header.Get("ETag"); second <= first {
		t.Errorf("second ETag %s does not sort after the first, %s", second, first)
	}
	if r := s.call(t, "POST", `{"settings":{}}`, s.as(t, "erin")...); r.StatusCode != 200 {
		t.Errorf("POST as a member without a role: %d", r.StatusCode)
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for contentType, accepted := range map[string]bool{
		"application/json": true, "Application/JSON": true, "application/json; charset=utf-8": true, "application/json;": true,
		"application/json ; broken": true, "application/vnd.api+json": true, "application/problem+json;a=b": true,
		"application/jsonp": false, "text/json": false, "application/+json": false, "application/json+xml": false,
		"json": false, "*/*": false, "application/a/b+json": false, "multipart/form-data": false,
	} {
		r := s.call(t, "POST", `{"settings":{}}`, append(s.as(t, "alice"), "Content-Type", contentType)...)
		if got := r.StatusCode == 200; got != accepted {
			t.Errorf("%s: status %d, want accepted = %v", contentType, r.StatusCode, accepted)
		}
	}
	if r := s.call(t, "POST", `{"settings":{}}`, append(s.as(t, "alice"), "Content-Encoding", "identity")...); r.StatusCode != 200 {
		t.Errorf("identity encoding: status %d", r.StatusCode)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	s := newService(t)
	alice := s.as(t, "alice")
	const unknown = `"01KDXZT9JE0000000000000000"`
	create := append(alice, "If-None-Match", "*")
	r := s.call(t, "POST", `{"settings":{"n":1}}`, create...)
	tag := r.Header.Get("ETag")
	if r.StatusCode != 200 {
		t.Fatalf("create: %d", r.StatusCode)
	}
	for _, tt := range []struct {
		method, field, value string
		status               int
	}{
		{"GET", "If-None-Match", tag, 304},
		{"GET", "If-None-Match", "W/" + tag, 304},
		{"GET", "If-None-Match", unknown + " ,\t" + tag, 304},
		{"GET", "If-None-Match", "*", 304},
		{"GET", "If-None-Match", unknown, 200},
		{"GET", "If-None-Match", `"a", W/"b,c"`, 200},
		{"GET", "If-None-Match", strings.Trim(tag, `"`), 200}, // malformed
		{"GET", "If-Match", tag, 200},
		{"GET", "If-Match", "*", 200},
		{"GET", "If-Match", unknown, 412},
		{"GET", "If-Match", "W/" + tag, 412},
		{"GET", "If-Match", strings.Trim(tag, `"`), 400},
		{"POST", "If-None-Match", "*", 412},
		{"POST", "If-None-Match", tag, 412},
		{"POST", "If-None-Match", "W/" + tag, 412},
		{"POST", "If-None-Match", strings.Trim(tag, `"`), 400},
		{"POST", "If-Match", unknown, 412},
		{"POST", "If-Match", "W/" + tag, 412},
		{"POST", "If-Match", "", 412},
		{"POST", "If-Match", strings.Trim(tag, `"`), 400},
		{"POST", "If-Match", tag + tag, 400},
		{"POST", "If-Match", `"*"`, 412},
		{"POST", "If-Match", "*, " + tag, 400},
		{"POST", "If-Match", strings.ToLower(tag), 412},
		{"POST", "If-Match", `"7ZZZZZZZZZZZZZZZZZZZZZZZZZ"`, 412},
	} {
		r := s.call(t, tt.method, `{"settings":{"n":2}}`, append(alice, tt.field, tt.value)...)
		body := text(t, r)
		if r.StatusCode != tt.status {
			t.Errorf("%s %s: %s: status %d, want %d", tt.method, tt.field, tt.value, r.StatusCode, tt.status)
		}
		if got := r.Header.Get("ETag"); got != tag && tt.status != 400 {
			t.Errorf("%s %s: %s: ETag %s, want %s", tt.method, tt.field, tt.value, got, tag)
		}
		want := changed
		switch {
		case tt.field == "If-Match" && strings.Contains(tt.value, "W/"):
			want = because(weakTag)
		case tt.field == "If-None-Match" && tt.value == "*":
			want = because(exist)
		}
		if tt.status == 412 && body != want || tt.status == 304 && body != "" {
			t.Errorf("%s %s: %s: body %s", tt.method, tt.field, tt.value, body)
		}
		if cache := r.Header.Get("Cache-Control"); tt.status < 400 && cache != "private, no-cache" {
			t.Errorf("%s %s: %s: Cache-Control %q", tt.method, tt.field, tt.value, cache)
		}
	}
	for _, fields := range [][]string{
		{"If-Match", tag}, {"If-Match", "*"}, {"If-None-Match", unknown}, {"If-None-Match", `"*"`},
		{"If-Match", unknown, "If-Match", "@"}, {"If-Match", "@", "If-None-Match", unknown},
	} {
		for i := range fields {
			fields[i] = strings.ReplaceAll(fields[i], "@", tag)
		}
		r := s.call(t, "POST", `{"settings":{}}`, append(alice, fields...)...)
		if r.StatusCode != 200 || r.Header.Get("ETag") <= tag {
			t.Errorf("POST %v: status %d, ETag %s", fields, r.StatusCode, r.Header.Get("ETag"))
			continue
		}
		tag = r.Header.Get("ETag")
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{
		"DELETE /settings/organization", "DELETE /settings/organization/preview", "GET /settings/organization",
		"GET /settings/organization/history", "GET /settings/organization/history/{revision}", "GET /settings/organization/schema",
		"POST /settings/organization", "POST /settings/organization/history/{revision}/restore", "POST /settings/organization/preview",
		"PUT /settings/organization", "PUT /settings/organization/preview",
	}, slices.Sorted(slices.Values(api.Routes()))); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	s := newService(t)
	if r := s.call(t, "TRACE", `{}`, s.as(t, "alice")...); r.StatusCode != 404 || text(t, r) != `{"success":false,"message":"Not Found"}` {
		t.Errorf("an unknown route answers %d", r.StatusCode)
	}
}
