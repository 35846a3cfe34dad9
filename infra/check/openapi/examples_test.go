package openapi_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"orgsettings/infra"
	"orgsettings/infra/local/lambda"
)

// example is an example of a request or an answer in the description.
type example struct {
	name string // such as "POST 400 tooDeep", or "PUT application/json change" for a request
	body string // JSON without white space, members in their order
}

// examples returns all examples of requests and of answers in the description.
func examples(t *testing.T) (requests, answers []example) {
	t.Helper()
	var file yaml.Node
	if err := yaml.Unmarshal([]byte(infra.OpenAPI()), &file); err != nil {
		t.Fatal(err)
	}
	d := description{t, file.Content[0]}
	for method, operation := range d.members(d.at("paths", "/settings/organization")) {
		method = strings.ToUpper(method)
		if body := d.member(operation, "requestBody"); body != nil {
			for mediaType, content := range d.members(d.member(body, "content")) {
				requests = append(requests, d.examples(method+" "+mediaType, content)...)
			}
		}
		for status, response := range d.members(d.member(operation, "responses")) {
			for _, content := range d.members(d.member(response, "content")) {
				answers = append(answers, d.examples(method+" "+status, content)...)
			}
		}
	}
	return requests, answers
}

// description is the file with its order of members.
type description struct {
	t    *testing.T
	root *yaml.Node
}

func (d description) at(path ...string) *yaml.Node {
	node := d.root
	for _, name := range path {
		node = d.member(node, name)
	}
	return node
}

// member returns a member, or what its $ref refers to. It returns nil if there is none.
func (d description) member(object *yaml.Node, name string) *yaml.Node {
	if object == nil {
		return nil
	}
	for i := 0; i < len(object.Content); i += 2 {
		if object.Content[i].Value == name {
			return d.resolve(object.Content[i+1])
		}
	}
	return nil
}

func (d description) members(object *yaml.Node) map[string]*yaml.Node {
	members := make(map[string]*yaml.Node)
	if object != nil {
		for i := 0; i < len(object.Content); i += 2 {
			members[object.Content[i].Value] = d.resolve(object.Content[i+1])
		}
	}
	return members
}

func (d description) resolve(node *yaml.Node) *yaml.Node {
	if len(node.Content) == 2 && node.Content[0].Value == "$ref" {
		return d.at(strings.Split(strings.TrimPrefix(node.Content[1].Value, "#/"), "/")...)
	}
	return node
}

func (d description) examples(place string, content *yaml.Node) []example {
	var found []example
	for name, node := range d.members(d.member(content, "examples")) {
		found = append(found, example{name: place + " " + name, body: d.json(d.member(node, "value"))})
	}
	if len(found) == 0 {
		d.t.Errorf("%s has no example", place)
	}
	return found
}

func (d description) json(node *yaml.Node) string {
	var parts []string
	switch {
	case node.Kind == yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			parts = append(parts, quote(node.Content[i].Value)+":"+d.json(node.Content[i+1]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			parts = append(parts, d.json(item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case node.Tag == "!!str":
		return quote(node.Value)
	default:
		return node.Value
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

const document = `{"theme":"dark","limits":{"maxFileSize":"10GB","ratio":0.5}}`

// Every example of a request is answered 200 and has its effect.
func TestRequestExamples(t *testing.T) {
	t.Parallel()
	after := map[string]string{
		"POST application/json document":           document,
		"POST application/json empty":              `{}`,
		"PUT application/json change":              `{"theme":"light","limits":{"maxFileSize":"10GB","maxFiles":100}}`,
		"PUT application/json nothing":             document,
		"PUT application/merge-patch+json change":  `{"theme":"light","limits":{"maxFileSize":"10GB","maxFiles":100}}`,
		"PUT application/merge-patch+json nothing": document,
		"DELETE application/json keys":             `{"limits":{"ratio":0.5}}`,
	}
	s := newService(t, faults{})
	requests, _ := examples(t)
	for _, e := range requests {
		s.send(t, request{method: "POST", body: `{"settings":` + document + `}`})
		method, rest, _ := strings.Cut(e.name, " ")
		mediaType, _, _ := strings.Cut(rest, " ")
		if r, body := s.send(t, request{method: method, header: map[string]string{"Content-Type": mediaType}, body: e.body}); r.StatusCode != 200 {
			t.Errorf("%s: %d %s", e.name, r.StatusCode, body)
		}
		_, got := s.send(t, request{method: "GET"})
		if want := `{"success":true,"settings":` + after[e.name] + `}`; got != want {
			t.Errorf("%s: %s is stored, want %s", e.name, got, want)
		}
		delete(after, e.name)
	}
	for name := range after {
		t.Errorf("there is no example %s", name)
	}
}

// scenario is the request that gets the answer of an example.
type scenario struct {
	faults faults
	before string // what alice posts first; empty: nothing
	request
}

// Every example of an answer is what the service sends, byte for byte.
func TestAnswerExamples(t *testing.T) {
	t.Parallel()
	scenarios := scenarios()
	_, answers := examples(t)
	for _, e := range answers {
		if strings.HasSuffix(e.name, " 429 gateway") {
			continue // the gateway of the local stack does not throttle
		}
		sc, ok := scenarios[e.name]
		delete(scenarios, e.name)
		if !ok {
			t.Errorf("there is no scenario for the example %s", e.name)
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, sc.faults)
			if sc.before != "" {
				s.send(t, request{method: "POST", body: sc.before})
			}
			s.rivals.Store(true)
			parts := strings.Fields(e.name)
			sc.method = parts[0]
			r, got := s.send(t, sc.request)
			if strconv.Itoa(r.StatusCode) != parts[1] {
				t.Errorf("status %d", r.StatusCode)
			}
			if diff := cmp.Diff(e.body, got); diff != "" {
				t.Errorf("body (-description +service):\n%s", diff)
			}
		})
	}
	if left := slices.Sorted(maps.Keys(scenarios)); len(left) > 0 {
		t.Errorf("there is no example %q", left)
	}
}

func scenarios() map[string]scenario {
	field := func(name, value string) map[string]string { return map[string]string{name: value} }
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	all := map[string]scenario{
		"GET 200 written":      {before: `{"settings":` + document + `}`},
		"GET 200 neverWritten": {},

		"POST 200 updated":          {request: request{body: `{"settings":{}}`}},
		"POST 400 settingsMissing":  {request: request{body: `{"theme":"dark"}`}},
		"POST 400 settingsNull":     {request: request{body: `{"settings":null}`}},
		"POST 400 duplicateName":    {request: request{body: `{"settings":{"theme":"dark","theme":"light"}}`}},
		"POST 400 invalidJSON":      {request: request{body: `{`}},
		"POST 400 tooDeep":          {request: request{body: `{"settings":` + strings.Repeat(`{"a":`, 1000) + `{}` + strings.Repeat(`}`, 1001)}},
		"POST 400 noBody":           {},
		"POST 413 documentTooLarge": {request: request{body: `{"settings":{"a":` + text(399_993) + `}}`}},
		"POST 415 contentType":      {request: request{header: field("Content-Type", "text/plain"), body: `{"settings":{}}`}},
		"POST 415 mergePatch":       {request: request{header: field("Content-Type", "application/merge-patch+json"), body: `{"settings":{}}`}},
		"POST 415 contentEncoding":  {request: request{header: field("Content-Encoding", "gzip"), body: `{"settings":{}}`}},

		"PUT 200 updated":        {request: request{body: `{}`}},
		"PUT 400 notAnObject":    {request: request{body: `[]`}},
		"PUT 400 duplicateName":  {request: request{body: `{"limits":{"maxFiles":1,"maxFiles":2}}`}},
		"PUT 413 resultTooLarge": {before: `{"settings":{"a":` + text(399_992) + `}}`, request: request{body: `{"b":10}`}},
		"PUT 415 contentType":    {request: request{header: field("Content-Type", "text/plain"), body: `{}`}},

		"DELETE 200 deleted":      {request: request{query: "?keys=theme&keys=limits.maxFileSize"}},
		"DELETE 400 noKeys":       {},
		"DELETE 400 emptyList":    {request: request{body: `{"keys":[]}`}},
		"DELETE 400 keysMissing":  {request: request{body: `{}`}},
		"DELETE 400 notAList":     {request: request{body: `{"keys":"theme"}`}},
		"DELETE 400 notAString":   {request: request{body: `{"keys":["a",1]}`}},
		"DELETE 400 tooManyKeys":  {request: request{body: `{"keys":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`}},
		"DELETE 400 tooManyBytes": {request: request{body: `{"keys":[` + text(400_001) + `]}`}},
		"DELETE 413 tooManyNames": {request: request{body: `{"keys":["a"],` + text(500_001) + `:0}`}},
		"DELETE 415 contentType":  {request: request{header: field("Content-Type", "text/plain"), body: `{"keys":["a"]}`}},
	}
	for method, body := range map[string]string{"GET": "", "POST": `{"settings":{"a":1}}`, "PUT": `{"a":1}`, "DELETE": `{"keys":["a"]}`} {
		good := request{body: body}
		with := func(change func(*request)) request {
			r := good
			change(&r)
			return r
		}
		add := func(name string, sc scenario) { all[method+" "+name] = sc }
		add("401 noToken", scenario{request: with(func(r *request) { r.header = field("Authorization", "") })})
		add("401 invalidToken", scenario{request: with(func(r *request) { r.header = field("Authorization", "Bearer a.b.c") })})
		add("403 scope", scenario{faults: faults{scope: "settings"}, request: good})
		add("404 noOrganization", scenario{request: with(func(r *request) { r.user = "mallory" })})
		add("412 changed", scenario{request: with(func(r *request) { r.header = field("If-Match", `"01KDXZT9JE0000000000000000"`) })})
		add("412 weakTag", scenario{request: with(func(r *request) { r.header = field("If-Match", `W/"01KDXZT9JE0000000000000000"`) })})
		add("400 ifMatch", scenario{request: with(func(r *request) { r.header = field("If-Match", "01KDXZT9JE0000000000000000") })})
		add("431 gateway", scenario{request: with(func(r *request) { r.header = field("X-Large", strings.Repeat("x", 10_240)) })})
		add("500 database", scenario{faults: faults{database: true}, request: good})
		add("500 other", scenario{faults: faults{store: errors.New("inner cause")}, request: good})
		add("500 gateway", scenario{faults: faults{function: errors.New("it panicked")}, request: good})
		add("503 signingKeys", scenario{faults: faults{keys: true}, request: good})
		add("503 gateway", scenario{faults: faults{function: lambda.ErrTimeout}, request: good})
		if method == "GET" {
			continue
		}
		add("403 role", scenario{request: with(func(r *request) { r.user = "dave" })})
		add("413 gateway", scenario{request: with(func(r *request) { r.body = text(7_000_000) })})
		add("503 otherWriters", scenario{faults: faults{rivals: true}, before: `{"settings":{"a":0}}`, request: good})
	}
	return all
}

// An answer without a body has no example, so the test is separate.
func TestNotModified(t *testing.T) {
	t.Parallel()
	s := newService(t, faults{})
	written, _ := s.send(t, request{method: "POST", body: `{"settings":{}}`})
	r, body := s.send(t, request{method: "GET", header: map[string]string{"If-None-Match": written.Header.Get("ETag")}})
	if r.StatusCode != 304 || body != "" {
		t.Errorf("%d %s, want 304", r.StatusCode, body)
	}
}
