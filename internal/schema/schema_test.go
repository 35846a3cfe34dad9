package schema

import (
	"fmt"
	"strings"
	"testing"
)

func mustCompile(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Compile([]byte(text))
	if err != nil {
		t.Fatalf("Compile(%.200s): %v", text, err)
	}
	return s
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schema, want string }{
		{`{"type":"objekt"}`, `/type: value must be one of `},
		{`{"properties":{"a":{"minimum":"1"}}}`, `/properties/a/minimum: got string, want number`},
		{`{"properties":{"a/b":{"minimun":1}}}`, `/properties/a~1b/minimun: unknown keyword; notes belong in $comment or description`},
		{`{"$defs":{"unused":{"x":1}}}`, `/$defs/unused/x: unknown keyword; notes belong in $comment or description`},
		{`{"dependencies":{}}`, `/dependencies: unknown keyword; notes belong in $comment or description`},
		{`{"items":{"format":"idn-email"}}`, `/items/format: unknown format "idn-email"`},
		{`{"pattern":"(?=a)"}`, "/pattern: not a pattern of RE2: error parsing regexp: invalid or unsupported Perl syntax"},
		{`{"patternProperties":{"(/":{}}}`, "/patternProperties/(~1: not a pattern of RE2: error parsing regexp: missing closing )"},
		{`{"pattern":"` + strings.Repeat("a", 1001) + `"}`, "/pattern: the pattern is longer than 1000 bytes"},
		{`{"$ref":"https://example.com/other.json"}`, `/$ref: refers to "https://example.com/other.json": that is another document, and none is fetched`},
		{`{"allOf":[{"$ref":"other.json#/a"}]}`, `/allOf/0/$ref: refers to "other.json#/a": that is another document, and none is fetched`},
		{`{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, `/$ref: refers to "https://json-schema.org/draft/2020-12/schema": that is another document, and none is fetched`},
		{`{"$ref":"file:///etc/passwd"}`, `/$ref: refers to "file:///etc/passwd": that is another document, and none is fetched`},
		{`{"items":{"$dynamicRef":"#/$defs/a"}}`, `/items/$dynamicRef: refers to "#/$defs/a": no schema is there`},
		{`{"$ref":"#/const","const":{}}`, `/$ref: refers to "#/const": no schema is there`},
		{`{"items":{"format":"uri-template"}}`, `/items/format: unknown format "uri-template"`},
		{`{"properties":{"a":{"enum":[]}}}`, `/properties/a/enum: allows no value`},
		{`{"properties":{"a":{"$id":""}}}`, `/properties/a/$id: is not a URI reference of its own`},
		{`{"anyOf":[` + strings.Repeat(`{},`, 10_000) + `{}]}`, `/anyOf/9999: the schema has more than 10000 subschemas`},
		{`{"properties":{"` + strings.Repeat("n", 50_000) + `":{"properties":{` + numbered(4_000, `"%d":{}`) + `}}}}`, `/properties/nn`},
		{nested(`{"$id":"x","not":`, `{"properties":{`+numbered(9_000, `"%d":{}`)+`}}`, "}", 180), `/not/not`},
		{`{"patternProperties":{` + numbered(300, `"x{1000}%d":{}`) + `}}`, `/patternProperties/x{1000}`},
		{`{"type":["array","null"]}`, `/type: no document can obey it, because every document is an object`},
		{`{"minLength":-1}`, `/minLength: minimum: got -1, want 0`},
		{`{"$ref":"#"}`, `schema: a reference leads back to this schema, so that no check would end`},
		{`{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}`, `/$defs/a: a reference leads back to this schema, so that no check would end`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#"}`, `/$schema: "http://json-schema.org/draft-07/schema#" is another dialect than https://json-schema.org/draft/2020-12/schema`},
		{`{"properties":{"a":{"$schema":"https://example.com/dialect"}}}`, `/properties/a/$schema: "https://example.com/dialect" is another dialect than https://json-schema.org/draft/2020-12/schema`},
		{`{"maximum":1e1001}`, `/maximum: the number has more than 1000 digits`},
		{`{"enum":[1e-99999999999999999999]}`, `/enum/0: the number has more than 1000 digits`},
		{`{"maxLength":1e30}`, `/maxLength: is more than 1000000`},
		{"{\n \"type\":\"object\",\n \"type\":1}", `schema is not a JSON object: duplicate name at /type (line 3, column 2, byte 21)`},
		{`{} {}`, `schema is not a JSON object: text after the JSON value at byte 3`},
		{"\xef\xbb\xbf{}", `schema is not a JSON object: `},
		{`{"title":"` + "\xff" + `"}`, `schema is not a JSON object: `},
		{``, `schema is not a JSON object: `},
		{`true`, `schema is not a JSON object: an object is needed, this is a boolean at byte 0`},
		{`{"title":"` + strings.Repeat("a", MaxBytes) + `"}`, "schema has 200012 bytes, the limit is 200000"},
		{strings.Repeat(`{"not":`, 200) + "{}" + strings.Repeat("}", 200), "/not/not"},
		{strings.Repeat("[", 100_000), ""},
	} {
		if _, err := Compile([]byte(tt.schema)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Compile(%.100s) = %.300v, want %s", tt.schema, err, tt.want)
		}
	}
}

// cases are schemas with documents and the errors for them; an empty one means that the document obeys.
func cases() []struct{ schema, document, want string } {
	return []struct{ schema, document, want string }{
		{`{}`, `{"a":[1e999999,null]}`, ""},
		{`{"type":"object"}`, `{}`, ""},
		{`{"properties":{"a":{"type":"string"}}}`, `{"a":1}`, "/a: must be a string"},
		{`{"properties":{"a":{"type":["integer","null"]}}}`, `{"a":1.5}`, "/a: must be null or an integer"},
		{`{"properties":{"a":{"type":"integer"}}}`, `{"a":1.50e1}`, ""},
		{`{"properties":{"a":{"type":"integer"}}}`, `{"a":1e999999999999999999999}`, ""},
		{`{"properties":{"a":{"type":"boolean"}}}`, `{"a":null}`, "/a: must be true or false"},
		{`{"properties":{"theme":{"enum":["dark","light"]}}}`, `{"theme":"secret"}`, `/theme: must be one of "dark", "light"`},
		{`{"properties":{"theme":{"const":"<a>"}}}`, `{"theme":"secret"}`, `/theme: must be "<a>"`},
		{`{"properties":{"a":{"const":{"x":1.0,"y":[true]}}}}`, `{"a":{"y":[true],"x":10e-1}}`, ""},
		{`{"properties":{"a":{"enum":[0]}}}`, `{"a":-0.0}`, ""},
		{`{"properties":{"a":{"enum":["1"]}}}`, `{"a":1}`, `/a: must be "1"`},
		{`{"required":["a","b"]}`, `{"a":1}`, `settings: must have the member "b"`},
		{`{"required":["b","a"]}`, `{}`, `settings: must have the member "a" (and 1 more)`},
		{`{"properties":{"a":{"properties":{"b":{"required":["c"]}}}}}`, `{"a":{"b":{}}}`, `/a/b: must have the member "c"`},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, `settings: must have the member "b", as it has "a"`},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"b":1,"a":1,"c":1}`, "/b: is not allowed (and 1 more)"},
		{`{"patternProperties":{"^a":{"type":"string"}},"additionalProperties":{"type":"number"}}`, `{"a1":"x","b":2,"ab":3}`, "/ab: must be a string"},
		{`{"propertyNames":{"pattern":"^[a-z]+$"}}`, `{"ok":1,"NO":1}`, `/NO: its name must match the pattern ^[a-z]+$`},
		{`{"minProperties":2}`, `{"a":1}`, "settings: must have at least 2 members"},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, "settings: must have at most 1 member"},
		{`{"properties":{"a~/b":{"items":{"minLength":2}}}}`, `{"a~/b":["xx","y"]}`, "/a~0~1b/1: must have at least 2 characters"},
		{`{"properties":{"":{"type":"null"}}}`, `{"":1}`, "/: must be null"},
		{`{"properties":{"ü\n":{"type":"null"}}}`, `{"\u00fc\n":1}`, "/ü\n: must be null"},
		{`{"properties":{"a":{"maxLength":2}}}`, `{"a":"\ud83d\ude00é"}`, ""},
		{`{"properties":{"a":{"maxLength":2}}}`, `{"a":"\ud83d\ude00é."}`, "/a: must have at most 2 characters"},
		{`{"properties":{"security":{"properties":{"sessionTimeout":{"minimum":60}}},"a":{"minimum":1},"b":{"minimum":1}}}`, `{"security":{"sessionTimeout":59},"b":0,"a":0}`,
			"/security/sessionTimeout: must be at least 60 (and 2 more)"},
		{`{"properties":{"a":{"minimum":60}}}`, `{"a":60}`, ""},
		{`{"properties":{"a":{"minimum":60}}}`, `{"a":59.999999999999999999999999999999}`, "/a: must be at least 60"},
		{`{"properties":{"a":{"maximum":1e400}}}`, `{"a":1e400}`, ""},
		{`{"properties":{"a":{"maximum":1e400}}}`, `{"a":1.0000000000000000000000001e400}`, "/a: must be at most 1" + strings.Repeat("0", 199) + "…"},
		{`{"properties":{"a":{"maximum":100}}}`, `{"a":1e99999999999999999999}`, "/a: must be at most 100"},
		{`{"properties":{"a":{"minimum":-5}}}`, `{"a":-5.5}`, "/a: must be at least -5"},
		{`{"properties":{"a":{"maximum":100}}}`, `{"a":-1e99999999999999999999}`, ""},
		{`{"properties":{"a":{"exclusiveMinimum":0}}}`, `{"a":1e-99999999999999999999}`, ""},
		{`{"properties":{"a":{"exclusiveMinimum":0}}}`, `{"a":0e99999999999999999999}`, "/a: must be more than 0"},
		{`{"properties":{"a":{"exclusiveMaximum":0.5}}}`, `{"a":5e-1}`, "/a: must be less than 0.5"},
		{`{"properties":{"a":{"const":9007199254740993}}}`, `{"a":9007199254740992}`, "/a: must be 9007199254740993"},
		{`{"properties":{"a":{"multipleOf":0.01}}}`, `{"a":4.35}`, ""},
		{`{"properties":{"a":{"multipleOf":0.01}}}`, `{"a":4.355}`, "/a: must be a multiple of 0.01"},
		{`{"properties":{"a":{"multipleOf":3}}}`, `{"a":12345678901234567890123456784e99999999}`, "/a: must be a multiple of 3"},
		{`{"properties":{"a":{"multipleOf":7}}}`, `{"a":-700e99999999}`, ""},
		{`{"properties":{"a":{"multipleOf":1e3}}}`, `{"a":1500}`, "/a: must be a multiple of 1000"},
		{`{"properties":{"a":{"pattern":"b"}}}`, `{"a":"abc"}`, ""},
		{`{"properties":{"a":{"pattern":"^b"}}}`, `{"a":"abc"}`, "/a: must match the pattern ^b"},
		{`{"properties":{"a":{"format":"date-time"}}}`, `{"a":"2026-01-01"}`, "/a: must have the format date-time"},
		{`{"properties":{"a":{"format":"email"}}}`, `{"a":"ann@example.com"}`, ""},
		{`{"properties":{"a":{"format":"regex"}}}`, `{"a":"("}`, "/a: must have the format regex"},
		{`{"properties":{"a":{"format":"regex"}}}`, `{"a":"(a|b)*"}`, ""},
		{`{"properties":{"a":{"format":"email"}}}`, `{"a":1}`, ""},
		{`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[1,[1],{"a":1,"b":2},1.5,{"b":2,"a":1.0}]}`, "/a/4: must differ from the items before it"},
		{`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[["a","b"],["ab"],["a\u0004b"],"1",1,-1,10,true,null,false]}`, ""},
		{`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[1e1000000000000000000,10e1000000000000000000,-1e-1000000000000000000]}`, ""},
		{`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[1e1000000000000000000,10e999999999999999999]}`, "/a/1: must differ from the items before it"},
		{`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[1e1000000000000000000,1.0e+01000000000000000000]}`, "/a/1: must differ from the items before it"},
		{`{"properties":{"a":{"minItems":1,"maxItems":2}}}`, `{"a":[]}`, "/a: must have at least 1 item"},
		{`{"properties":{"a":{"prefixItems":[{"type":"string"}],"items":false}}}`, `{"a":["x",1]}`, "/a/1: is not allowed"},
		{`{"properties":{"a":{"contains":{"const":1}}}}`, `{"a":[2,3]}`, "/a: must contain at least 1 item that the schema asks for by contains"},
		{`{"properties":{"a":{"contains":{"const":1},"maxContains":1}}}`, `{"a":[1,1]}`, "/a: must contain at most 1 item that the schema limits by contains"},
		{`{"properties":{"a":{"contains":{"const":1},"minContains":0}}}`, `{"a":[]}`, ""},
		{`{"properties":{"a":{"anyOf":[{"type":"string"},{"minimum":3}]}}}`, `{"a":2}`, "/a: must match at least one of 2 alternatives"},
		{`{"properties":{"a":{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}}}`, `{"a":6}`, "/a: must match exactly one of 2 alternatives, and matches 2"},
		{`{"not":{"required":["a"]}}`, `{"a":1}`, "settings: must not match what the schema excludes by not"},
		{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, `{"a":1}`, `settings: must have the member "b"`},
		{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, `{"c":1}`, ""},
		{`{"dependentSchemas":{"a":{"maxProperties":1}}}`, `{"a":1,"b":1}`, "settings: must have at most 1 member"},
		{`{"allOf":[{"properties":{"a":true}}],"properties":{"b":true},"unevaluatedProperties":false}`, `{"a":1,"b":1,"c":1}`, "/c: is not allowed"},
		{`{"anyOf":[{"properties":{"a":true},"required":["a"]},{"properties":{"b":true}}],"unevaluatedProperties":false}`, `{"a":1,"b":1}`, ""},
		{`{"properties":{"a":{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}}}`, `{"a":[1,"x",2]}`, "/a/2: is not allowed"},
		{`{"$defs":{"name":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/name"}}}`, `{"a":1}`, "/a: must be a string"},
		{`{"$id":"https://example.com/s","$defs":{"x":{"$id":"x","$defs":{"y":{"$anchor":"y","type":"null"}}}},"properties":{"a":{"$ref":"x#y"},"b":{"$ref":"https://example.com/s#/$defs/x"}}}`,
			`{"a":1}`, "/a: must be null"},
		{`{"$defs":{"a b/c%":{"type":"null"}},"properties":{"a":{"$ref":"#/$defs/a%20b~1c%25"}}}`, `{"a":1}`, "/a: must be null"},
		{`{"$id":"https://example.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,` +
			`"$defs":{"tree":{"$id":"tree","$dynamicAnchor":"node","properties":{"children":{"items":{"$dynamicRef":"#node"}}}}}}`,
			`{"children":[{"children":[]},{"data":1}]}`, "/children/1/data: is not allowed"},
		{`{"properties":{"children":{"type":"object","additionalProperties":{"$ref":"#"}}}}`, `{"children":{"x":{"children":{"y":{"children":1}}}}}`,
			"/children/x/children/y/children: must be an object"},
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range cases() {
		s := mustCompile(t, tt.schema)
		if got := message(s.Validate([]byte(tt.document))); got != tt.want {
			t.Errorf("%s with %s: %q, want %q", tt.schema, tt.document, got, tt.want)
		}
	}
}

// What the library accepts as one of these formats, and their RFCs do not, is refused too.
func TestFormats(t *testing.T) {
	t.Parallel()
	for format, tt := range map[string]struct{ good, bad []string }{
		"ipv4":          {[]string{"127.0.0.1", "255.255.255.255"}, []string{"+1.-0.2.3", "256.0.0.1", "1.2.3", "1.2.3.04"}},
		"time":          {[]string{"10:00:00Z", "23:59:60.125+00:00", "10:00:00z"}, []string{"+1:+2:+3Z", "10:00Z", "10:00:00", "24:00:00Z"}},
		"date-time":     {[]string{"2026-11-27T10:00:00Z", "2026-11-27t10:00:00.5-08:00"}, []string{"2020-01-01T+1:+2:+3Z", "2026-02-30T10:00:00Z", "2026-11-27 10:00:00Z"}},
		"duration":      {[]string{"P1Y2M3DT4H5M6S", "P2W", "PT36H", "P1M", "P1D"}, []string{"P1Y2D", "PT1H2S", "P", "PT", "P1S", "1D"}},
		"email":         {[]string{"ann@example.com", "a.b+c@example.com"}, []string{"@example.com", "ann", `\"a\nb\"@example.com`}},
		"uri":           {[]string{"https://e.example/a?b=%20#c", "urn:isbn:1", "http://[::1]:80/"}, []string{"https://e/a b<script>", "http:", "/a", "https://é", "http://e/%zz"}},
		"uri-reference": {[]string{"", "/a", "#b", "https://e"}, []string{"a b", "é", "<"}},
	} {
		s := mustCompile(t, `{"additionalProperties":{"format":"`+format+`"}}`)
		for _, text := range tt.good {
			if got := message(s.Validate([]byte(`{"a":"` + text + `"}`))); got != "" {
				t.Errorf("%s %s: %s", format, text, got)
			}
		}
		for _, text := range tt.bad {
			if got := message(s.Validate([]byte(`{"a":"` + text + `"}`))); got != "/a: must have the format "+format {
				t.Errorf("%s %s: %s", format, text, got)
			}
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A violation shows where it is and nothing of the value, whatever kind it is.
func TestNoValueIsShown(t *testing.T) {
	t.Parallel()
	for _, tt := range cases() {
		s := mustCompile(t, fmt.Sprintf(`{"additionalProperties":{"$ref":"#/$defs/it"},"$defs":{"it":%s}}`, strings.ReplaceAll(tt.schema, `"#/$defs/`, `"#/$defs/it/$defs/`)))
		got := message(s.Validate([]byte(`{"x":"hunter2","y":424242.5,"z":["hunter2"],"v":{"k":"hunter2"}}`)))
		if strings.Contains(got, "hunter2") || strings.Contains(got, "424242") {
			t.Errorf("%s: %s", tt.schema, got)
		}
	}
}

func TestPointersAreCut(t *testing.T) {
	t.Parallel()
	s := mustCompile(t, `{"additionalProperties":false}`)
	name := strings.Repeat("é", 100_000)
	if got := message(s.Validate([]byte(`{"` + name + `":1}`))); len(got) > 300 || !strings.HasPrefix(got, "/éé") || strings.ContainsRune(got, '\ufffd') {
		t.Errorf("%.400s", got)
	}
}
