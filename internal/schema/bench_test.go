package schema

import (
	"strings"
	"testing"
)

const orders = `{
	"type": "object",
	"additionalProperties": {"$ref": "#/$defs/section"},
	"$defs": {
		"section": {
			"type": "object",
			"required": ["name", "limits"],
			"properties": {
				"name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[a-z]+$"},
				"limits": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 100000}},
				"contact": {"type": "string", "format": "email"},
				"theme": {"enum": ["dark", "light"]},
				"hosts": {"type": "array", "uniqueItems": true, "items": {"type": "string", "format": "hostname"}}
			},
			"unevaluatedProperties": false
		}
	}
}`

// A document of 10 KB takes at most 1 ms.
func BenchmarkValidate(b *testing.B) {
	section := `{"name":"billing","limits":{"users":10,"files":100},"contact":"ann@example.com","theme":"dark","hosts":["a.example","b.example"]}`
	document := []byte(`{` + numbered(72, `"s%d":`+strings.ReplaceAll(section, "%", "%%")) + `}`)
	s := mustCompile(b, orders)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Validate(document); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for name, text := range map[string]string{"1 KB": orders, "100 KB": `{"properties":{` + numbered(2_000, `"p%d":{"type":"string","maxLength":9}`) + `}}`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Compile([]byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
