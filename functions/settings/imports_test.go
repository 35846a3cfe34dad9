package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "orgsettings/"

type listedPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

// list returns the packages that pattern names and, with deps, all that they
// link, as they are built for Lambda with these further tags.
func list(t *testing.T, tags string, args ...string) map[string]listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-tags=lambda.norpc,nethttpomithttp2," + tags, "-json=ImportPath,Standard,Imports"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	packages := make(map[string]listedPackage)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

// Imports among our packages run one way, and each foreign world has one door.
func TestImports(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"functions/settings": {"internal/api", "internal/apigw", "internal/app", "internal/auth", "internal/dynamo", "internal/schema", "internal/settings"},
		"internal/app":       {"internal/api", "internal/auth", "internal/dynamo", "internal/settings"},
		"internal/api":       {"internal/auth", "internal/settings"},
		"internal/dynamo":    {"internal/settings"},
		"internal/settings":  {},
		"internal/auth":      {},
		"internal/apigw":     {},
		"internal/schema":    {"internal/settings"},
	}
	doors := map[string]string{ // by import path or a prefix of it
		"github.com/aws/aws-sdk-go-v2/":               "internal/dynamo",
		"github.com/aws/aws-lambda-go/lambda":         "functions/settings",
		"github.com/aws/aws-lambda-go/lambdacontext":  "internal/apigw",
		"github.com/golang-jwt/":                      "internal/auth",
		"github.com/MicahParks/":                      "internal/auth",
		"golang.org/x/sync/semaphore":                 "internal/auth",
		"github.com/klauspost/":                       "internal/dynamo",
		"github.com/go-json-experiment/json/jsontext": "internal/api internal/apigw internal/auth internal/schema internal/settings",
		"github.com/aws/aws-sdk-go-v2/aws":            "internal/app internal/dynamo",
		"github.com/aws/smithy-go":                    "internal/dynamo",
		"github.com/santhosh-tekuri/jsonschema/v6":    "internal/schema",
	}
	packages := list(t, "schema", "./functions/...", "./internal/...")
	if len(packages) != len(allowed) {
		t.Errorf("%d packages, want the %d of this test", len(packages), len(allowed))
	}
	for path, p := range packages {
		name := strings.TrimPrefix(path, module)
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok {
				if !slices.Contains(allowed[name], ours) {
					t.Errorf("%s imports %s", name, ours)
				}
				continue
			}
			if !strings.Contains(strings.Split(imported, "/")[0], ".") {
				continue // standard library
			}
			var found bool
			for prefix, importers := range doors {
				if strings.HasPrefix(imported, prefix) && slices.Contains(strings.Fields(importers), name) {
					found = true
				}
			}
			if !found {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// The deployed program links nothing of the local stack, nothing made for tests
// and nothing that serves or debugs. Only with the tag schema it links the library, which initializes itself at each start.
func TestShippedProgramLinks(t *testing.T) {
	t.Parallel()
	const library = "github.com/santhosh-tekuri/jsonschema/v6"
	packages := list(t, "", "-deps", "./functions/settings")
	if _, ok := packages[library]; ok {
		t.Errorf("the program without a schema links %s", library)
	}
	packages = list(t, "schema", "-deps", "./functions/settings")
	if _, ok := packages[library]; !ok {
		t.Errorf("the program with a schema does not link %s", library)
	}
	if _, ok := packages[module+"internal/settings"]; !ok {
		t.Fatal("the list of linked packages lacks the domain")
	}
	for path := range packages {
		for _, unwanted := range []string{module + "infra/", "orgsettings/infra", "testing", "net/http/httptest", "net/http/pprof", "net/rpc", "expvar", "github.com/google/go-cmp", "go.yaml.in/", "plugin", "html/template", "text/template"} {
			if path == unwanted || strings.HasSuffix(unwanted, "/") && strings.HasPrefix(path, unwanted) {
				t.Errorf("the deployed program links %s", path)
			}
		}
	}
}
