package api_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/internal/app"
)

// shared is a service and what another program sees of its tables.
type shared struct {
	*service
	client *dynamodb.Client
}

// Other programs write the tables too: people with boto3 or the console, imports, seeds.
func TestOtherPrograms(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s shared) {
		t.Run("documents", s.testDocuments)
		t.Run("corrupt settings", s.testCorruptSettings)
		t.Run("revisions", s.testRevisions)
		t.Run("memberships", s.testMemberships)
	}
	for name, history := range map[string]string{"": "", " with history": "HistoryTable"} {
		onBothEngines(t, name, test, func(c *app.Config) { c.Tables.History = history })
	}
}

// onBothEngines runs test over the embedded engine and over DynamoDB Local.
func onBothEngines(t *testing.T, name string, test func(*testing.T, shared), change ...func(*app.Config)) {
	t.Run("embedded"+name, func(t *testing.T) {
		t.Parallel()
		s := newService(t, change...)
		test(t, shared{s, newClient(s.database.URL)})
	})
	t.Run("DynamoDB Local"+name, func(t *testing.T) {
		t.Parallel()
		endpoint := dynamodblocal.Start(t)
		fill(t, endpoint)
		s := newService(t, append(change, func(c *app.Config) { c.AWS.BaseEndpoint = &endpoint })...)
		test(t, shared{s, newClient(endpoint)})
	})
}

func fill(t testing.TB, endpoint string) {
	t.Helper()
	tmpl, err := template.Load("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.FillDatabase(t.Context(), endpoint, tmpl.Tables); err != nil {
		t.Fatal(err)
	}
}

func newClient(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		DisableValidateResponseChecksum: true,
	})
}

type item = map[string]types.AttributeValue

func str(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func num(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

// member makes name an OWNER of the organization of the same name, and writes the attributes of its settings.
func (s shared) member(t *testing.T, name string, attributes item) {
	t.Helper()
	s.put(t, "UsersTable", item{"userId": str(name), "orgId": str(name), "role": num("255")})
	it := item{"orgId": str(name)}
	for k, v := range attributes {
		it[k] = v
	}
	s.put(t, "SettingsTable", it)
}

func (s shared) put(t *testing.T, table string, it item) {
	t.Helper()
	if _, err := s.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatal(err)
	}
}

// stored returns the settings item of an organization.
func (s shared) stored(t *testing.T, org string) item {
	t.Helper()
	out, err := s.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("SettingsTable"), Key: item{"orgId": str(org)}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// expect sends a request and compares status and body; an empty body is not compared.
func (s shared) expect(t *testing.T, user, method, body string, status int, want string, fields ...string) *http.Response {
	t.Helper()
	r := s.call(t, method, body, append(s.as(t, user), fields...)...)
	if got := text(t, r); r.StatusCode != status || want != "" && got != want {
		t.Errorf("%s: %s %.80s answers %d %.200s, want %d %s", user, method, body, r.StatusCode, got, status, want)
	}
	return r
}

// What boto3, the console and imports write is read as the document that is meant, and edited without loss.
func (s shared) testDocuments(t *testing.T) {
	for name, it := range map[string]item{
		"boto3": {"settings": str(`{"a": {"b": [1.0, "x: y, z"]}, "c": "\u00e9"}`), "revision": str("01KDXZT9JE0000000000000000"), "updatedAt": str("2026-01-02 03:04:05.678901+00:00")},
		"console": {
			"settings": str("\r\n{\r\n\t\"a\": {\r\n\t\t\"b\": [ 1.0, \"x: y, z\" ]\r\n\t},\r\n\t\"c\": \"\\u00e9\"\r\n}\r\n"),
			"revision": str("01KDXZT9JE0000000000000000"), "updatedAt": num("1767323045"), "updatedBy": &types.AttributeValueMemberL{},
		},
		"import": {"settings": str(`{"a":{"b":[1.0,"x: y, z"]},"c":"\u00e9"}`), "revision": str(""), "updatedAt": str("02/01/2026"), "updatedBy": str(""), "ttl": str("0")},
		"seed":   {"settings": str(`{"a":{"b":[1.0,"x: y, z"]},"c":"\u00e9"}`)},
	} {
		s.member(t, name, it)
		s.expect(t, name, "GET", "", 200, `{"success":true,"settings":{"a":{"b":[1.0,"x: y, z"]},"c":"\u00e9"}}`)
		s.expect(t, name, "PUT", `{"a":{"d":2}}`, 200, "")
		s.expect(t, name, "DELETE", `{"keys":["c"]}`, 200, "")
		s.expect(t, name, "GET", "", 200, `{"success":true,"settings":{"a":{"b":[1.0,"x: y, z"],"d":2}}}`)
	}
}

// What is no document is never answered nor edited. The log tells why, and nothing of the text.
func (s shared) testCorruptSettings(t *testing.T) {
	for name, value := range map[string]types.AttributeValue{
		"half":      str(`{"secret":`),
		"text":      str(`"secret"`),
		"none":      str("None"),
		"python":    str(`{'secret': True}`),
		"duplicate": str(`{"secret":1,"secret":2}`),
		"map":       &types.AttributeValueMemberM{Value: item{"secret": str("a")}},
		"null":      &types.AttributeValueMemberNULL{Value: true},
		"gzip":      &types.AttributeValueMemberB{Value: []byte("\x1f\x8b\x08\x00secret")},
	} {
		s.member(t, name, item{"settings": value, "revision": str("01KDXZT9JE0000000000000000")})
		before := s.stored(t, name)
		for method, body := range map[string]string{"GET": "", "PUT": `{"a":1}`, "DELETE": `{"keys":["secret"]}`} {
			s.log.Take()
			s.expect(t, name, method, body, 500, internalError)
			if line := s.log.Take(); !strings.Contains(line, "read attribute settings of "+name+": ") || strings.Contains(line, "secret") || !strings.Contains(line, `"level":"ERROR"`) {
				t.Errorf("%s: %s: log line %s", name, method, line)
			}
		}
		s.expect(t, name, "PUT", `{"a":1}`, 412, "", "If-Match", `"01KDXZT9JE0000000000000001"`)
		if diff := cmp.Diff(before, s.stored(t, name), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
			t.Errorf("%s: the item has changed (-before +after):\n%s", name, diff)
		}
		s.expect(t, name, "POST", `{"settings":{"a":1}}`, 200, "", "If-Match", `"01KDXZT9JE0000000000000000"`)
		s.expect(t, name, "GET", "", 200, `{"success":true,"settings":{"a":1}}`)
	}
}

// A revision of another program is some revision: no header shows it, no tag names it, and the next write puts a proper
// one in its place without losing another's.
func (s shared) testRevisions(t *testing.T) {
	for name, revision := range map[string]types.AttributeValue{
		"absent": nil, "lower case": str("01kdxzt9je0000000000000000"), "quotes": str(`"01KDXZT9JE0000000000000000"`),
		"lines": str("z\r\nSet-Cookie: a=b"), "long": str(strings.Repeat("z", 300<<10)), "greatest": str("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
		"null": &types.AttributeValueMemberNULL{Value: true}, "number": num("1"), "bytes": &types.AttributeValueMemberB{Value: []byte("z")},
		"map": &types.AttributeValueMemberM{Value: item{"a": num("1")}},
	} {
		for _, write := range [][2]string{{"POST", `{"settings":{"a":1}}`}, {"PUT", `{"a":1}`}, {"DELETE", `{"keys":["b"]}`}} {
			user := name + " " + write[0]
			it := item{"settings": str(`{"a":1,"b":2}`), "revision": revision}
			if revision == nil {
				delete(it, "revision")
			}
			s.member(t, user, it)
			if r := s.expect(t, user, "GET", "", 200, `{"success":true,"settings":{"a":1,"b":2}}`, "If-Match", "*"); r.Header["Etag"] != nil {
				t.Errorf("%s: ETag is %.80q", user, r.Header["Etag"])
			}
			s.expect(t, user, "GET", "", 304, "", "If-None-Match", "*")
			for _, fields := range [][2]string{{"If-None-Match", "*"}, {"If-Match", `"7ZZZZZZZZZZZZZZZZZZZZZZZZZ"`}, {"If-Match", `"01KDXZT9JE0000000000000000", "", "1"`}} {
				s.expect(t, user, write[0], write[1], 412, "", fields[:]...)
			}
			if write[0] == "PUT" { // at once with others, of which none may be lost
				var wg sync.WaitGroup
				for n := range 4 {
					wg.Go(func() { s.expect(t, user, "PUT", fmt.Sprintf(`{"b":null,"%d":1}`, n), 200, "") })
				}
				wg.Wait()
				s.expect(t, user, "DELETE", `{"keys":["0","1","2","3"]}`, 200, "")
			}
			r := s.expect(t, user, write[0], write[1], 200, "", "If-Match", "*")
			if tag := r.Header.Get("ETag"); len(tag) != 28 || s.expect(t, user, "GET", "", 200, `{"success":true,"settings":{"a":1}}`, "If-Match", tag) == nil {
				t.Errorf("%s: the write has ETag %q", user, tag)
			}
		}
	}
}

// A role that cannot be read, or that nobody has, forbids writing and not reading. An organization that cannot be read
// is not an absent one.
func (s shared) testMemberships(t *testing.T) {
	for _, tt := range []struct {
		name   string
		role   types.AttributeValue
		reason string
	}{
		{"text", str("255"), "read attribute role: "},
		{"word", str("OWNER"), "read attribute role: "},
		{"list", &types.AttributeValueMemberL{}, "read attribute role: "},
		{"true", &types.AttributeValueMemberBOOL{Value: true}, "read attribute role: "},
		{"fraction", num("254.5"), "read attribute role: "},
		{"negative", num("-1"), "read attribute role: "},
		{"huge", num("99999999999999999999999999999999999999"), "read attribute role: "},
		{"unknown", num("3"), "role 0x03"},
		{"greater", num("256"), "role 0x100"},
	} {
		s.member(t, tt.name, item{"settings": str(`{"a":1}`)})
		s.put(t, "UsersTable", item{"userId": str(tt.name), "orgId": str(tt.name), "role": tt.role})
		s.expect(t, tt.name, "GET", "", 200, `{"success":true,"settings":{"a":1}}`)
		for method, body := range map[string]string{"POST": `{"settings":{}}`, "PUT": `{"a":2}`, "DELETE": `{"keys":["a"]}`} {
			s.log.Take()
			s.expect(t, tt.name, method, body, 403, "")
			if line := s.log.Take(); !strings.Contains(line, tt.reason) {
				t.Errorf("%s: %s: log line %s", tt.name, method, line)
			}
		}
	}
	s.put(t, "UsersTable", item{"userId": str("numeric"), "orgId": num("1"), "role": num("255")})
	for method, body := range map[string]string{"GET": "", "POST": `{"settings":{}}`, "PUT": `{"a":2}`, "DELETE": `{"keys":["a"]}`} {
		s.log.Take()
		s.expect(t, "numeric", method, body, 500, internalError)
		if line := s.log.Take(); !strings.Contains(line, "read attribute orgId: ") {
			t.Errorf("%s: log line %s", method, line)
		}
	}
}
