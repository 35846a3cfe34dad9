package schema

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The library evaluates small documents itself. It agrees about those of the other test, and about random ones.
func TestLibraryAgrees(t *testing.T) {
	t.Parallel()
	compare := func(schema, document string) {
		t.Helper()
		s, err := Compile([]byte(schema))
		if err != nil {
			return
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(document)))
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := s.Validate([]byte(document)), s.root.Schema.Validate(value)
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%s with %s: %v, and the library says %v", schema, document, ours, theirs)
		}
	}
	for _, tt := range cases() {
		if !strings.Contains(tt.document, "99999999") && !strings.Contains(tt.document, "00000000") { // exponents: it does not return, or panics
			compare(tt.schema, tt.document)
		}
	}
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range 1_000 {
		schema := text(t, g.schema(3))
		for range 5 {
			compare(schema, text(t, g.object(3)))
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// generator makes schemas and documents of few names and values, so that they often meet.
type generator struct{ *rand.Rand }

func (g generator) pick(values ...any) any { return values[g.IntN(len(values))] }
func (g generator) name() string           { return string(rune('a' + g.IntN(3))) }

func (g generator) object(depth int) any {
	object := make(map[string]any)
	for range g.IntN(4) {
		object[g.name()] = g.value(depth - 1)
	}
	return object
}

func (g generator) array(depth int) any {
	array := make([]any, g.IntN(4))
	for i := range array {
		array[i] = g.value(depth - 1)
	}
	return array
}

func (g generator) value(depth int) any {
	switch kind := g.IntN(6); {
	case kind < 2 && depth > 0:
		return g.object(depth)
	case kind == 2 && depth > 0:
		return g.array(depth)
	}
	return g.pick(nil, true, false, 0, 1, json.Number("1.0"), json.Number("10e-1"), 2, 1.5, -3, "", "a", "ab", "1", "é")
}

func (g generator) schemas(depth int) []any {
	list := make([]any, 1+g.IntN(2))
	for i := range list {
		list[i] = g.schema(depth)
	}
	return list
}

func (g generator) schema(depth int) any {
	if depth == 0 {
		return g.pick(true, false, map[string]any{}, map[string]any{"type": g.pick("string", "number", "integer", "object", "array", "null", "boolean")})
	}
	s := make(map[string]any)
	for range 1 + g.IntN(4) {
		sub := func() any { return g.schema(depth - 1) }
		small := g.IntN(3)
		number := g.pick(-4, -2.5, 0, 1, 1.5, 2)
		for name, value := range map[string]any{g.pick("type", "const", "enum", "properties", "patternProperties", "additionalProperties", "required",
			"propertyNames", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "items", "prefixItems",
			"contains", "minContains", "maxContains", "unevaluatedItems", "uniqueItems", "minItems", "maxItems", "minLength", "maxLength", "pattern",
			"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "allOf", "anyOf", "oneOf", "not", "if", "then", "else").(string): nil} {
			switch name {
			case "type":
				value = []any{g.pick("object", "array"), g.pick("string", "number", "integer", "null", "boolean")}
			case "const":
				value = g.value(1)
			case "enum":
				value = []any{g.value(1), g.value(1)}
			case "properties", "dependentSchemas":
				value = map[string]any{g.name(): sub(), "a": sub()}
			case "patternProperties":
				value = map[string]any{"[ab]": sub(), "^c": sub()}
			case "required":
				value = []any{g.name()}
			case "dependentRequired":
				value = map[string]any{g.name(): []any{g.name()}}
			case "prefixItems", "allOf", "anyOf", "oneOf":
				value = g.schemas(depth - 1)
			case "uniqueItems":
				value = true
			case "pattern":
				value = "^[a1]"
			case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
				value = number
			case "multipleOf":
				value = g.pick(1, 1.5, 0.5)
			case "minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength", "minContains", "maxContains":
				value = small
			default:
				value = sub()
			}
			s[name] = value
		}
	}
	return s
}
