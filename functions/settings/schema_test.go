package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/stack"
)

// schemaFile writes a schema into a file and returns its path.
func schemaFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.schema.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The program that is built with the tag obeys the schema of SCHEMA_FILE, and serves it.
func TestProgramWithSchema(t *testing.T) {
	t.Parallel()
	const text = "{\n  \"properties\": {\"timeout\": {\"minimum\": 60, \"description\": \"é\"}}\n}\n"
	s := start(t, func(o *stack.Options) { o.Bootstrap, o.Schema, o.Environments = "", schemaFile(t, text), 1 })
	alice := s.token(t, "alice")
	if a := s.call(t, "PUT", alice, `{"timeout":60}`); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	const refused = `{"success":false,"message":"Failed to partially update organization settings","error":"/timeout: must be at least 60"}`
	if a := s.call(t, "PUT", alice, `{"timeout":59}`); a.status != 400 || a.body != refused {
		t.Errorf("%d %s, want 400 %s", a.status, a.body, refused)
	}
	if a := s.call(t, "GET", alice, ""); a.header.Get("Link") != `</settings/organization/schema>; rel="describedby"` {
		t.Errorf("Link: %s", a.header.Get("Link"))
	}
	event := `{"version":"2.0","routeKey":"GET /settings/organization/schema","rawPath":"/settings/organization/schema","headers":{"authorization":"Bearer ` +
		alice + `"},"requestContext":{"stage":"$default","http":{"method":"GET"}}}`
	if status, body := s.invoke(t, event); status != 200 || body != text {
		t.Errorf("the schema: %d %s, want 200 %s", status, body, text)
	}
}

// A schema that cannot be used is a broken configuration, with the reason in the log.
func TestBrokenSchema(t *testing.T) {
	t.Parallel()
	withTag, err := stack.Build(t.Context(), t.TempDir(), stack.SchemaTag)
	if err != nil {
		t.Fatal(err)
	}
	bad := schemaFile(t, `{"properties":{"a":{"$ref":"https://example.com/other"}}}`)
	for name, tt := range map[string]struct{ bootstrap, file, problem string }{
		"unusable":      {withTag, bad, `SCHEMA_FILE cannot be used: /properties/a/$ref: refers to \"https://example.com/other\": that is another document, and none is fetched`},
		"not built for": {bootstrap, schemaFile(t, `{}`), "SCHEMA_FILE cannot be used: the program was built without the tag schema; make deploy SCHEMA=FILE sets it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *stack.Options) { o.Bootstrap, o.Schema, o.Environments = tt.bootstrap, tt.file, 1 })
			if a := s.call(t, "GET", s.token(t, "alice"), ""); a.status != 500 || a.body != ours {
				t.Errorf("%d %s", a.status, a.body)
			}
			eventually(t, 5*time.Second, fmt.Sprintf("%q is logged", tt.problem), func() bool { return strings.Contains(s.log.String(), tt.problem) })
		})
	}
}
