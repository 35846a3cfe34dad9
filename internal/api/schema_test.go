package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"orgsettings/internal/app"
	"orgsettings/internal/schema"
)

const documentSchema = `{
	"properties": {
		"theme": {"enum": ["dark", "light"]},
		"security": {"properties": {"sessionTimeout": {"type": "integer", "minimum": 60}}},
		"a/b~c": {"maxLength": 3}
	},
	"dependentRequired": {"security": ["theme"]},
	"maxProperties": 4
}`

// withSchema gives a service the schema and a history.
func withSchema(t *testing.T) func(*app.Config) {
	return func(c *app.Config) {
		s, err := schema.Compile([]byte(documentSchema))
		if err != nil {
			t.Fatal(err)
		}
		c.Schema, c.Tables.History = s, "HistoryTable"
	}
}

func violation(message, why string) string {
	return fmt.Sprintf(`{"success":false,"message":%q,"error":%q}`, message, why)
}

// What a write would leave behind must obey the schema, whatever the method. What was stored before stays readable.
func TestSchema(t *testing.T) {
	t.Parallel()
	onBothEngines(t, "", func(t *testing.T, s shared) {
		t.Run("methods", s.testSchema)
		t.Run("restore", s.testSchemaOfRestore)
		t.Run("other writers", s.testSchemaAndOtherWriters)
	}, withSchema(t))
	onBothEngines(t, " without history", func(t *testing.T, s shared) {
		t.Run("methods", s.testSchema)
		t.Run("other writers", s.testSchemaAndOtherWriters)
	}, withSchema(t), func(c *app.Config) { c.Tables.History = "" })
}

func (s shared) testSchema(t *testing.T) {
	const (
		post     = "Failed to update organization settings"
		put      = "Failed to partially update organization settings"
		del      = "Keys array is required and must not be empty"
		replaced = `{"success":true,"message":"Organization settings updated successfully"}`
		merged   = `{"success":true,"message":"Organization settings partially updated successfully"}`
		removed  = `{"success":true,"message":"Organization settings keys deleted successfully"}`
	)
	s.member(t, "old", item{"settings": str(`{"theme":"blue","security":{"sessionTimeout":5},"x":1}`), "revision": str("01KDXZT9JE0000000000000000")})
	for _, tt := range []struct {
		user, method, body string
		status             int
		want               string
	}{
		{"alice", "POST", `{"settings":{"security":{"sessionTimeout":59},"theme":"x"}}`, 400, violation(post, `/security/sessionTimeout: must be at least 60 (and 1 more)`)},
		{"alice", "POST", `{"settings":{"a/b~c":"four"}}`, 400, violation(post, `/a~1b~0c: must have at most 3 characters`)},
		{"alice", "GET", "", 200, `{"success":true,"settings":{}}`},
		{"alice", "POST", `{"settings":{"security":{"sessionTimeout":60},"theme":"dark"}}`, 200, replaced},
		{"alice", "PUT", `{"security":{"sessionTimeout":60.5}}`, 400, violation(put, `/security/sessionTimeout: must be an integer`)},
		{"alice", "PUT", `{"theme":null}`, 400, violation(put, `settings: must have the member "theme", as it has "security"`)},
		{"alice", "PUT", `{"security":{"sessionTimeout":6e1}}`, 200, merged},
		{"alice", "DELETE", `{"keys":["theme"]}`, 400, violation(del, `settings: must have the member "theme", as it has "security"`)},
		{"alice", "DELETE", `{"keys":["security.sessionTimeout"]}`, 200, removed},
		{"alice", "GET", "", 200, `{"success":true,"settings":{"security":{},"theme":"dark"}}`},
		{"dave", "POST", `{"settings":{"theme":"x"}}`, 403, ""}, // the role comes first

		{"old", "GET", "", 200, `{"success":true,"settings":{"theme":"blue","security":{"sessionTimeout":5},"x":1}}`},
		{"old", "PUT", `{"theme":"dark"}`, 400, violation(put, `/security/sessionTimeout: must be at least 60`)},
		{"old", "PUT", `{"x":2}`, 400, violation(put, `/theme: must be one of "dark", "light" (and 1 more)`)},
		{"old", "DELETE", `{"keys":["nothing"]}`, 400, violation(del, `/theme: must be one of "dark", "light" (and 1 more)`)},
		{"old", "DELETE", `{"keys":["theme","security"]}`, 200, removed},
		{"old", "GET", "", 200, `{"success":true,"settings":{"x":1}}`},
	} {
		if tt.method == "POST" || tt.method == "PUT" || tt.method == "DELETE" {
			before := text(t, s.call(t, "GET", "", s.as(t, tt.user)...))
			r := s.callAt(t, tt.method, "/preview", tt.body, s.as(t, tt.user)...)
			if got := text(t, r); r.StatusCode != tt.status || tt.status == 400 && got != tt.want {
				t.Errorf("%s: preview of %s %s answers %d %s, want %d %s", tt.user, tt.method, tt.body, r.StatusCode, got, tt.status, tt.want)
			}
			if after := text(t, s.call(t, "GET", "", s.as(t, tt.user)...)); after != before {
				t.Errorf("%s: preview of %s %s has stored %s", tt.user, tt.method, tt.body, after)
			}
		}
		s.expect(t, tt.user, tt.method, tt.body, tt.status, tt.want)
	}
	if strings.Contains(s.log.String(), "sessionTimeout") {
		t.Error("a name of a document is in the log")
	}
}

// A restore makes an old document the current one, so it must obey too.
func (s shared) testSchemaOfRestore(t *testing.T) {
	const old, older = "01KDXZT9JE0000000000000000", "01KDXZR7F60000000000000000"
	s.member(t, "ann", item{"settings": str(`{"theme":"dark"}`), "revision": str(old)})
	s.put(t, "HistoryTable", item{"orgId": str("ann"), "revision": str(older), "settings": str(`{"theme":"blue"}`)})
	r := s.callAt(t, "POST", "/history/"+older+"/restore", "", s.as(t, "ann")...)
	want := violation("Failed to restore organization settings", `/theme: must be one of "dark", "light"`)
	if got := text(t, r); r.StatusCode != 400 || got != want {
		t.Errorf("%d %s, want 400 %s", r.StatusCode, got, want)
	}
	s.expect(t, "ann", "GET", "", 200, `{"success":true,"settings":{"theme":"dark"}}`)
	if r := s.callAt(t, "GET", "/history/"+older, "", s.as(t, "ann")...); r.StatusCode != 200 {
		t.Errorf("the old state cannot be read: %d", r.StatusCode)
	}
	if r := s.callAt(t, "POST", "/history/"+old+"/restore", "", s.as(t, "ann")...); r.StatusCode != 200 {
		t.Errorf("a restore that obeys: %d", r.StatusCode)
	}
}

// Each of many writers checks the document that it stores, and not one that it has read before another writer.
func (s shared) testSchemaAndOtherWriters(t *testing.T) {
	const writers, room = 12, 4
	var wg sync.WaitGroup
	statuses := make([]int, writers)
	for i := range writers {
		wg.Go(func() {
			r := s.call(t, "PUT", fmt.Sprintf(`{"key%d":1}`, i), s.as(t, "carol")...)
			statuses[i] = r.StatusCode
		})
	}
	wg.Wait()
	written := 0
	for i, status := range statuses {
		if status == 200 {
			written++
		} else if status != 400 {
			t.Errorf("writer %d: status %d", i, status)
		}
	}
	stored := text(t, s.call(t, "GET", "", s.as(t, "carol")...))
	if n := strings.Count(stored, `"key`); written != room || n != room {
		t.Errorf("%d writers have succeeded, and %s is stored, want %d members", written, stored, room)
	}
}

func TestReadSchema(t *testing.T) {
	t.Parallel()
	s := newService(t, withSchema(t))
	const link = `</settings/organization/schema>; rel="describedby"`
	if got := s.call(t, "GET", "", s.as(t, "dave")...).Header.Get("Link"); got != link {
		t.Errorf("Link is %s, want %s", got, link)
	}
	r := s.callAt(t, "GET", "/schema", "", s.as(t, "dave")...) // a member who may not write
	etag := r.Header.Get("ETag")
	if got := text(t, r); r.StatusCode != 200 || got != documentSchema || r.Header.Get("Content-Type") != "application/json" || len(etag) != 66 {
		t.Errorf("%d %s, header %v", r.StatusCode, got, r.Header)
	}
	for sent, status := range map[string]int{
		etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, strings.Trim(etag, `"`): 200, "": 200,
	} {
		r := s.callAt(t, "GET", "/schema", "", append(s.as(t, "dave"), "If-None-Match", sent)...)
		if got := text(t, r); r.StatusCode != status || r.Header.Get("ETag") != etag || (got == "") != (status == 304) {
			t.Errorf("If-None-Match: %s: %d %s", sent, r.StatusCode, got)
		}
	}
	for user, want := range map[string]string{
		"bob": `{"success":false,"message":"User not associated with any organization"}`,
	} {
		if r := s.callAt(t, "GET", "/schema", "", s.as(t, user)...); r.StatusCode != 404 || text(t, r) != want {
			t.Errorf("%s: %d", user, r.StatusCode)
		}
	}
	if r := s.callAt(t, "GET", "/schema", ""); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", r.StatusCode)
	}
	s = newService(t)
	r = s.callAt(t, "GET", "/schema", "", s.as(t, "alice")...)
	if got, want := text(t, r), `{"success":false,"message":"Organization settings schema is not available"}`; r.StatusCode != 404 || got != want {
		t.Errorf("without a schema: %d %s, want 404 %s", r.StatusCode, got, want)
	}
	if got := s.call(t, "GET", "", s.as(t, "alice")...).Header.Get("Link"); got != "" {
		t.Errorf("without a schema, Link is %s", got)
	}
}
