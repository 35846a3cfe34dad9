package openapi_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"orgsettings/infra"
	"orgsettings/infra/check/openapi"
	"orgsettings/infra/local/template"
	"orgsettings/internal/api"
	"orgsettings/internal/settings"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi.Load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The document is valid by the schema of the OpenAPI 3.1 specification.
// https://spec.openapis.org/oas/3.1/schema/2022-10-07
func TestValid(t *testing.T) {
	t.Parallel()
	load(t)
	file, err := os.ReadFile("testdata/oas-3.1-schema-2022-10-07.json")
	if err != nil {
		t.Fatal(err)
	}
	specification, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("oas.json", specification); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("oas.json")
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := yaml.Unmarshal([]byte(infra.OpenAPI()), &document); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(document) // so that it holds what JSON can hold
	if err != nil {
		t.Fatal(err)
	}
	if document, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Error(err)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	var routes []string
	for path, item := range load(t).Paths.Map() {
		for method := range item.Operations() {
			routes = append(routes, method+" "+path)
		}
	}
	slices.Sort(routes)
	if diff := cmp.Diff(api.Routes(), routes); diff != "" {
		t.Errorf("routes (-code +description):\n%s", diff)
	}
	tmpl, err := template.Load("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tmpl.Routes, routes); diff != "" {
		t.Errorf("routes (-template +description):\n%s", diff)
	}
}

// The schemas that clients know by name.
func TestPublishedNames(t *testing.T) {
	t.Parallel()
	doc := load(t)
	for name, members := range map[string]string{
		"UpdateSettingsRequest":         "settings",
		"PartialUpdateSettingsRequest":  "",
		"DeleteSettingsRequest":         "keys",
		"GetSettingsResponse":           "settings success",
		"UpdateSettingsResponse":        "message success",
		"PartialUpdateSettingsResponse": "message success",
		"DeleteSettingsResponse":        "message success",
		"GetSettingsSchemaResponse":     "",
		"ListSettingsHistoryResponse":   "history next success",
		"GetSettingsRevisionResponse":   "changes restoredFrom revision settings success truncated updatedAt updatedBy",
		"RestoreSettingsResponse":       "message success",
		"PreviewSettingsResponse":       "changes settings success truncated",
		"SettingsErrorResponse":         "error message success",
	} {
		schema := doc.Components.Schemas[name]
		if schema == nil {
			t.Errorf("there is no schema %s", name)
			continue
		}
		var got []string
		for member := range schema.Value.Properties {
			got = append(got, member)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != members {
			t.Errorf("%s has the members %q, want %q", name, got, members)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	schemas := load(t).Components.Schemas
	for _, name := range []string{"Settings", "PartialUpdateSettingsRequest"} {
		limits := schemas[name].Value.Extensions
		if got := limits["x-max-bytes"]; asInt(got) != settings.MaxDocumentBytes {
			t.Errorf("%s: x-max-bytes is %v, want %d", name, got, settings.MaxDocumentBytes)
		}
		if got := limits["x-max-depth"]; asInt(got) != settings.MaxDocumentDepth {
			t.Errorf("%s: x-max-depth is %v, want %d", name, got, settings.MaxDocumentDepth)
		}
	}
	keys := schemas["Keys"].Value
	if keys.MinItems != 1 || keys.MaxItems == nil || *keys.MaxItems != settings.MaxKeys {
		t.Errorf("keys: %d to %v, want 1 to %d", keys.MinItems, keys.MaxItems, settings.MaxKeys)
	}
}

func asInt(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case uint64:
		return int(v)
	case float64:
		return int(v)
	}
	return -1
}

// Validate finds wrong answers.
func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	const (
		etag     = `"01KDXZT9JE0000000000000000"`
		revision = "/settings/organization/history/01KDXZT9JE0000000000000000"
	)
	for name, tt := range map[string]struct {
		method, path string
		status       int
		fields       []string
		body         string
		good         bool
	}{
		"as it is":            {"GET", "/settings/organization", 200, []string{"ETag", etag, "Cache-Control", "private, no-cache"}, `{"success":true,"settings":{"n":1e400}}`, true},
		"other message":       {"POST", "/settings/organization", 200, []string{"ETag", etag}, `{"success":true,"message":"done"}`, false},
		"no ETag":             {"POST", "/settings/organization", 200, nil, `{"success":true,"message":"Organization settings updated successfully"}`, false},
		"weak ETag":           {"POST", "/settings/organization", 200, []string{"ETag", "W/" + etag}, `{"success":true,"message":"Organization settings updated successfully"}`, false},
		"one member more":     {"GET", "/settings/organization", 404, nil, `{"success":false,"message":"User not associated with any organization","orgId":"acme"}`, false},
		"error on a 404":      {"GET", "/settings/organization", 404, nil, `{"success":false,"message":"User not associated with any organization","error":"user alice"}`, false},
		"no error on a 400":   {"POST", "/settings/organization", 400, nil, `{"success":false,"message":"Failed to update organization settings"}`, false},
		"message of PUT":      {"POST", "/settings/organization", 400, nil, `{"success":false,"message":"Failed to partially update organization settings","error":"a"}`, false},
		"inner text":          {"GET", "/settings/organization", 500, nil, `{"success":false,"message":"Internal server error","error":"dial tcp"}`, false},
		"no challenge":        {"GET", "/settings/organization", 401, nil, `{"success":false,"message":"Authentication required"}`, false},
		"status":              {"GET", "/settings/organization", 418, nil, `{"success":false,"message":"teapot"}`, false},
		"content type":        {"GET", "/settings/organization", 404, []string{"Content-Type", "text/plain"}, `{"success":false,"message":"User not associated with any organization"}`, false},
		"not modified":        {"GET", "/settings/organization", 304, []string{"ETag", etag, "Cache-Control", "private, no-cache"}, "", true},
		"304 without ETag":    {"GET", "/settings/organization", 304, []string{"Cache-Control", "private, no-cache"}, "", false},
		"304 to a write":      {"PUT", "/settings/organization", 304, []string{"ETag", etag, "Cache-Control", "private, no-cache"}, "", false},
		"304 with a body":     {"GET", "/settings/organization", 304, []string{"ETag", etag, "Cache-Control", "private, no-cache"}, "{}", false},
		"revision":            {"GET", revision, 404, nil, `{"success":false,"message":"Organization settings revision not found"}`, true},
		"no change in it":     {"POST", "/settings/organization/preview", 200, nil, `{"success":true,"settings":{},"changes":[{"after":1}]}`, false},
		"below a revision":    {"GET", revision + "/restore/x", 404, nil, `{"message":"Not Found"}`, true},
		"no revision":         {"GET", "/settings/organization/history/", 404, nil, `{"message":"Not Found"}`, true},
		"no route":            {"GET", "/settings", 404, nil, `{"message":"Not Found"}`, true},
		"no method":           {"TRACE", "/settings/organization", 404, nil, `{"message":"Not Found"}`, true},
		"no route, our shape": {"GET", "/settings", 404, nil, `{"success":false,"message":"Not Found"}`, false},
		"no route, 200":       {"GET", "/settings", 200, nil, `{"message":"Not Found"}`, false},
	} {
		request := httptest.NewRequest(tt.method, tt.path, nil)
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(tt.fields); i += 2 {
			w.Header().Set(tt.fields[i], tt.fields[i+1])
		}
		w.WriteHeader(tt.status)
		w.WriteString(tt.body)
		r := new(recorder)
		openapi.Validate(r, request, w.Result())
		if r.failed == tt.good {
			t.Errorf("%s: failed is %v", name, r.failed)
		}
	}
}

// recorder is a test that records its failure.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
