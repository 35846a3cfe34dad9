package openapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
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
	name string // such as "POST /preview 400 tooDeep", or "PUT application/json change" for a request
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
	for path, item := range d.members(d.at("paths")) {
		for method, operation := range d.members(item) {
			name := strings.TrimSuffix(strings.ToUpper(method)+" "+strings.TrimPrefix(path, "/settings/organization"), " ")
			if body := d.member(operation, "requestBody"); body != nil {
				for mediaType, content := range d.members(d.member(body, "content")) {
					requests = append(requests, d.examples(name+" "+mediaType, content)...)
				}
			}
			for status, response := range d.members(d.member(operation, "responses")) {
				for _, content := range d.members(d.member(response, "content")) {
					answers = append(answers, d.examples(name+" "+status, content)...)
				}
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

const (
	document = `{"theme":"dark","limits":{"maxFileSize":"10GB","ratio":0.5}}`
	patch    = `{"theme":"light","limits":{"maxFiles":100,"ratio":null}}`
	changed  = `{"theme":"light","limits":{"maxFileSize":"10GB","maxFiles":100}}`
	unknown  = "01KDXZT9JE0000000000000000" // a revision that no organization has
)

// Every example of a request is answered 200 and has its effect. A preview has none, and answers it.
func TestRequestExamples(t *testing.T) {
	t.Parallel()
	after := map[string]string{
		"POST application/json document":           document,
		"POST application/json empty":              `{}`,
		"PUT application/json change":              changed,
		"PUT application/json nothing":             document,
		"PUT application/merge-patch+json change":  changed,
		"PUT application/merge-patch+json nothing": document,
		"DELETE application/json keys":             `{"limits":{"ratio":0.5}}`,
	}
	s := newService(t, newIssuer(t), faults{})
	requests, _ := examples(t)
	seen := make(map[string]bool)
	for _, e := range requests {
		seen[e.name] = true
		s.send(t, request{method: "POST", body: `{"settings":` + document + `}`})
		r := request{body: e.body}
		var what string
		r.method, what, _ = strings.Cut(e.name, " ")
		what, isPreview := strings.CutPrefix(what, "/preview ")
		mediaType, _, _ := strings.Cut(what, " ")
		r.header = map[string]string{"Content-Type": mediaType}
		want := `{"success":true,"settings":` + after[r.method+" "+what]
		if isPreview {
			r.path = "/preview"
		}
		response, got := s.send(t, r)
		if response.StatusCode != 200 || isPreview && !strings.HasPrefix(got, want+`,"changes":[`) {
			t.Errorf("%s: %d %s", e.name, response.StatusCode, got)
		}
		if isPreview {
			want = `{"success":true,"settings":` + document
		}
		if _, got := s.send(t, request{method: "GET"}); got != want+"}" {
			t.Errorf("%s: %s is stored, want %s}", e.name, got, want)
		}
	}
	for name := range after {
		for _, name := range []string{name, strings.Replace(name, " ", " /preview ", 1)} {
			if !seen[name] {
				t.Errorf("there is no example %s", name)
			}
		}
	}
}

// scenario is the request that gets the answer of an example.
type scenario struct {
	faults faults
	before []request // what comes before; {1} in a later path is the revision of the first answer, and so on
	request
}

// Every example of an answer is what the service sends, byte for byte but for revisions and times.
func TestAnswerExamples(t *testing.T) {
	t.Parallel()
	scenarios, issuer := scenarios(), newIssuer(t)
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
			s := newService(t, issuer, sc.faults)
			var revisions []string
			send := func(r request) (*http.Response, string) {
				for i, revision := range revisions {
					r.path = strings.ReplaceAll(r.path, "{"+strconv.Itoa(i+1)+"}", revision)
				}
				return s.send(t, r)
			}
			for _, r := range sc.before {
				answer, _ := send(r)
				written := unknown
				if etag := answer.Header.Get("ETag"); etag != "" {
					written = strings.Trim(etag, `"`)
				}
				revisions = append(revisions, written)
			}
			s.rivals.Store(true)
			parts := strings.Fields(e.name)
			sc.method = parts[0]
			r, got := send(sc.request)
			if strconv.Itoa(r.StatusCode) != parts[len(parts)-2] {
				t.Errorf("status %d", r.StatusCode)
			}
			if diff := cmp.Diff(numbered(e.body), numbered(got)); diff != "" {
				t.Errorf("body (-description +service):\n%s", diff)
			}
		})
	}
	if left := slices.Sorted(maps.Keys(scenarios)); len(left) > 0 {
		t.Errorf("there is no example %q", left)
	}
}

var (
	revision = regexp.MustCompile(`\b[0-9A-Z]{26}\b`)
	instant  = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`)
)

// numbered returns an answer with numbers in place of its revisions, as they differ each time, and no times.
func numbered(answer string) string {
	numbers := make(map[string]string)
	answer = instant.ReplaceAllString(answer, `"a time"`)
	return revision.ReplaceAllStringFunc(answer, func(r string) string {
		if numbers[r] == "" {
			numbers[r] = fmt.Sprint("revision ", len(numbers)+1)
		}
		return numbers[r]
	})
}

func scenarios() map[string]scenario {
	field := func(name, value string) map[string]string { return map[string]string{name: value} }
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	// posted is the first write.
	posted := func(document string) []request {
		return []request{{method: "POST", header: field("If-None-Match", "*"), body: `{"settings":` + document + `}`}}
	}
	history := append(posted(document), request{method: "PUT", body: patch}, request{method: "POST", path: "/history/{1}/restore"})
	all := map[string]scenario{
		"GET 200 written":      {before: posted(document)},
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
		"PUT 413 resultTooLarge": {before: posted(`{"a":` + text(399_992) + `}`), request: request{body: `{"b":10}`}},
		"PUT 415 contentType":    {request: request{header: field("Content-Type", "text/plain"), body: `{}`}},

		"DELETE 200 deleted":      {request: request{path: "?keys=theme&keys=limits.maxFileSize"}},
		"DELETE 400 noKeys":       {},
		"DELETE 400 emptyList":    {request: request{body: `{"keys":[]}`}},
		"DELETE 400 keysMissing":  {request: request{body: `{}`}},
		"DELETE 400 notAList":     {request: request{body: `{"keys":"theme"}`}},
		"DELETE 400 notAString":   {request: request{body: `{"keys":["a",1]}`}},
		"DELETE 400 tooManyKeys":  {request: request{body: `{"keys":["a"` + strings.Repeat(`,"a"`, 1000) + `]}`}},
		"DELETE 400 tooManyBytes": {request: request{body: `{"keys":[` + text(400_001) + `]}`}},
		"DELETE 413 tooManyNames": {request: request{body: `{"keys":["a"],` + text(500_001) + `:0}`}},
		"DELETE 415 contentType":  {request: request{header: field("Content-Type", "text/plain"), body: `{"keys":["a"]}`}},

		"POST /preview 200 first":     {request: request{path: "/preview", body: `{"settings":` + document + `}`}},
		"POST /preview 200 large":     {before: posted(`{"theme":` + text(5_000) + `}`), request: request{path: "/preview", body: `{"settings":{"theme":"dark"}}`}},
		"PUT /preview 200 changed":    {before: posted(document), request: request{path: "/preview", body: patch}},
		"PUT /preview 200 nothing":    {before: posted(document), request: request{path: "/preview", body: `{}`}},
		"DELETE /preview 200 removed": {before: posted(document), request: request{path: "/preview?keys=theme&keys=limits.maxFileSize"}},

		"GET /schema 200 schema":    {faults: faults{schema: true}, request: request{path: "/schema"}},
		"GET /schema 404 noSchema":  {request: request{path: "/schema"}},
		"POST 400 violatesSchema":   {faults: faults{schema: true}, request: request{body: `{"settings":{"security":{"sessionTimeout":59},"theme":"blue"}}`}},
		"PUT 400 violatesSchema":    {faults: faults{schema: true}, before: posted(document), request: request{body: `{"security":{"sessionTimeout":30}}`}},
		"DELETE 400 violatesSchema": {faults: faults{schema: true}, before: posted(document), request: request{body: `{"keys":["theme"]}`}},
		"POST /history/{revision}/restore 400 violatesSchema": {
			faults: faults{schema: true}, before: posted(`{"theme":"blue"}`), request: request{path: "/history/{1}/restore"},
		},

		"GET /history 200 page":         {before: history, request: request{path: "/history?limit=2"}},
		"GET /history 200 neverWritten": {request: request{path: "/history"}},
		"GET /history 400 limit":        {request: request{path: "/history?limit=101"}},
		"GET /history 400 before":       {request: request{path: "/history?before=yesterday"}},
		"GET /history 400 twice":        {request: request{path: "/history?limit=1&limit=2"}},

		"GET /history/{revision} 200 changed":  {before: history, request: request{path: "/history/{2}"}},
		"GET /history/{revision} 200 first":    {before: history, request: request{path: "/history/{1}"}},
		"GET /history/{revision} 200 restored": {before: history, request: request{path: "/history/{3}"}},

		"POST /history/{revision}/restore 200 restored": {before: history, request: request{path: "/history/{2}/restore"}},
	}
	for operation, good := range map[string]scenario{
		"GET": {}, "POST": {request: request{body: `{"settings":{"a":1}}`}}, "PUT": {request: request{body: `{"a":1}`}}, "DELETE": {request: request{body: `{"keys":["a"]}`}},
		"GET /schema":                      {faults: faults{schema: true}, request: request{path: "/schema"}},
		"GET /history":                     {request: request{path: "/history"}},
		"GET /history/{revision}":          {before: posted(`{"a":1}`), request: request{path: "/history/{1}"}},
		"POST /history/{revision}/restore": {before: posted(`{"a":1}`), request: request{path: "/history/{1}/restore"}},
	} {
		add := func(name string, change func(*scenario)) {
			sc := good
			change(&sc)
			all[operation+" "+name] = sc
		}
		fails := func(name string, f faults) {
			f.schema = good.faults.schema
			add(name, func(sc *scenario) { sc.faults = f })
		}
		has := func(name, field, value string) {
			add(name, func(sc *scenario) { sc.header = map[string]string{field: value} })
		}
		isOf := func(name, user string) { add(name, func(sc *scenario) { sc.user = user }) }
		has("401 noToken", "Authorization", "")
		has("401 invalidToken", "Authorization", "Bearer a.b.c")
		fails("403 scope", faults{scope: "settings"})
		isOf("404 noOrganization", "mallory")
		has("431 gateway", "X-Large", strings.Repeat("x", 10_240))
		fails("500 database", faults{database: true})
		fails("500 other", faults{store: errors.New("inner cause")})
		fails("500 gateway", faults{function: errors.New("it panicked")})
		fails("503 signingKeys", faults{keys: true})
		fails("503 gateway", faults{function: lambda.ErrTimeout})
		if operation != "GET" && operation != "GET /schema" {
			isOf("403 role", "dave")
		}
		if operation != "GET /history" && operation != "GET /schema" {
			has("412 changed", "If-Match", `"`+unknown+`"`)
			has("412 weakTag", "If-Match", `W/"`+unknown+`"`)
			has("400 ifMatch", "If-Match", unknown)
		}
		if strings.Contains(operation, "/history") {
			fails("404 noHistory", faults{forgets: true})
		}
		if strings.Contains(operation, "{revision}") {
			add("404 noRevision", func(sc *scenario) { sc.before = nil; sc.path = strings.Replace(sc.path, "{1}", unknown, 1) })
		}
		if !strings.HasPrefix(operation, "GET") {
			add("413 gateway", func(sc *scenario) { sc.body = text(7_000_000) })
			fails("428 noCondition", faults{demands: true})
			add("503 otherWriters", func(sc *scenario) {
				sc.faults.rivals = true
				sc.before = append(posted(`{"a":1}`), request{method: "POST", body: `{"settings":{"a":0}}`})
			})
		}
	}
	for name, sc := range all {
		method, what, _ := strings.Cut(name, " ")
		if method != "GET" && !strings.HasPrefix(what, "/") && !strings.HasPrefix(what, "200") && what != "503 otherWriters" {
			sc.path = "/preview" + sc.path
			all[method+" /preview "+what] = sc
		}
	}
	return all
}

// An answer without a body has no example, so the test is separate.
func TestNotModified(t *testing.T) {
	t.Parallel()
	s := newService(t, newIssuer(t), faults{})
	written, _ := s.send(t, request{method: "POST", body: `{"settings":{}}`})
	etag := written.Header.Get("ETag")
	for _, path := range []string{"", "/history/" + strings.Trim(etag, `"`)} {
		r, body := s.send(t, request{method: "GET", path: path, header: map[string]string{"If-None-Match": etag}})
		if r.StatusCode != 304 || body != "" {
			t.Errorf("%s: %d %s, want 304", path, r.StatusCode, body)
		}
	}
}
