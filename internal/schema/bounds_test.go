package schema

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func nested(open, inner, end string, n int) string {
	return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
}

// Hostile schemas and documents end in bounded steps, with bounded memory and stack.
func TestBounds(t *testing.T) {
	deep := nested(`{"a":`, "1", "}", 1_000)
	numbers := `{"a":[` + strings.Repeat("1,", 190_000) + `1]}`
	belowDeep := nested(`{"a":`, "["+strings.Repeat("1,", 190_000)+"1]", "}", 990)
	const tooLong = "the settings are too large for the schema"
	for name, tt := range map[string]struct{ schema, document, want string }{
		"deep":                {`{"additionalProperties":{"$ref":"#"}}`, deep, ""},
		"deep violation":      {`{"properties":{"a":{"anyOf":[{"$ref":"#"}]}},"type":"object"}`, deep, "/a: must match at least one of 1 alternatives"},
		"deep place":          {`{"properties":{"a":{"$ref":"#"}},"type":"object"}`, deep, strings.Repeat("/a", 100) + "…: must be an object"},
		"many violations":     {`{"properties":{"a":{"items":{"type":"string"}}}}`, numbers, "/a/0: must be a string (and at least 99 more)"},
		"deep, many of them":  {`{"properties":{"a":{"$ref":"#"}},"items":{"type":"null"}}`, belowDeep, strings.Repeat("/a", 100) + "…: must be null (and at least 99 more)"},
		"many items":          {`{"properties":{"a":{"items":{"type":"number","minimum":0,"multipleOf":1}}}}`, numbers, ""},
		"equal hashes":        {`{"properties":{"a":{"uniqueItems":true}}}`, `{"a":[` + ambiguous(14_000) + `]}`, ""},
		"huge exponents":      {`{"properties":{"a":{"items":{"minimum":0,"multipleOf":7,"enum":[7,14]}}}}`, `{"a":[` + strings.Repeat("7e999999,", 40_000) + `7]}`, "/a/0: must be one of 7, 14 (and at least 99 more)"},
		"long number":         {`{"properties":{"a":{"multipleOf":0.7,"maximum":1}}}`, `{"a":0.` + strings.Repeat("7", 390_000) + `}`, "/a: must be a multiple of 0.7"},
		"deep unique items":   {`{"properties":{"a":{"$ref":"#/$defs/l"}},"$defs":{"l":{"uniqueItems":true,"items":{"$ref":"#/$defs/l"}}}}`, `{"a":` + nested("[", `"`+strings.Repeat("x", 390_000)+`"`, ",0]", 900) + `}`, tooLong},
		"exponential":         {doubled("anyOf", 40), `{"a":1}`, tooLong},
		"exponential, failed": {doubled("oneOf", 40), `{}`, tooLong},
		"exponential, not":    {`{"not":` + strings.ReplaceAll(doubled("anyOf", 40), "#/", "#/not/") + `}`, `{}`, tooLong},
		"long pattern":        {`{"properties":{"a":{"pattern":"(x{1,900}y?){1}$"}}}`, `{"a":"` + strings.Repeat("x", 390_000) + `"}`, tooLong},
		"many patterns":       {`{"patternProperties":{` + numbered(1_000, `"^k[0-9]*%d$":true`) + `}}`, `{` + numbered(20_000, `"k%d":1`) + `}`, tooLong},
		"regex format":        {`{"properties":{"a":{"items":{"format":"regex"}}}}`, `{"a":[` + numbered(390, `"`+strings.Repeat(`\\pL`, 249)+`%d"`) + `]}`, tooLong},
		"long regex format":   {`{"properties":{"a":{"format":"regex"}}}`, `{"a":"` + strings.Repeat(`\\pL`, 90_000) + `"}`, "/a: must have the format regex"},
		"many required":       {`{"required":[` + numbered(5_000, `"r%d"`) + `]}`, `{` + numbered(30_000, `"r%d":1`) + `}`, tooLong},
		"empty names":         {`{"properties":{"a":{"items":{"patternProperties":{` + numbered(2_000, `"^k%d$":true`) + `}}}}}`, `{"a":[` + strings.TrimSuffix(strings.Repeat(`{"":0},`, 55_000), ",") + `]}`, tooLong},
		"empty objects":       {`{"properties":{"a":{"items":{"dependentRequired":{` + numbered(5_000, `"k%d":["a"]`) + `}}}}}`, `{"a":[` + strings.TrimSuffix(strings.Repeat(`{},`, 130_000), ",") + `]}`, tooLong},
		"many alternatives":   {`{"additionalProperties":{"anyOf":[` + numbered(3_000, `{"required":["r%d"]}`) + `]}}`, `{` + numbered(10_000, `"%d":{}`) + `}`, "/0: must match at least one of 3000 alternatives (and at least 99 more)"},
		"unevaluated":         {`{"properties":{"a":{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{"prefixItems":[true]},`, 3_000), ",") + `],"unevaluatedItems":false}}}`, numbers, tooLong},
		"long names":          {sortsOfTree(`{"type":"null"}`), nested(`{"n":`, `{"`+strings.Repeat("y", 380_000)+`":[]}`, "}", 13), tooLong},
		"long required":       {strings.Replace(doubled("anyOf", 16), `["b"]`, `["`+strings.Repeat("x", 190_000)+`a"]`, 1), `{"` + strings.Repeat("x", 190_000) + `b":1,"` + strings.Repeat("x", 190_000) + `c":1}`, tooLong},
		"required, all told":  {strings.Replace(doubled("allOf", 14), `["b"]`, `[`+numbered(95, `"`+strings.Repeat("x", 190)+`%d"`)+`]`, 1), `{}`, tooLong},
		"dependent, all told": {strings.Replace(doubled("allOf", 14), `"required":["b"]`, `"dependentRequired":{"a":[`+numbered(95, `"`+strings.Repeat("x", 190)+`%d"`)+`]}`, 1), `{"a":1}`, tooLong},
		"dynamic references":  {`{"$dynamicAnchor":"n","additionalProperties":{"$dynamicRef":"#n"},"items":{"$dynamicRef":"#n"}}`, belowDeep, ""},
	} {
		got := message(mustCompile(t, tt.schema).Validate([]byte(tt.document)))
		if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.300q, want %.300q", name, got, tt.want)
		}
		checkHeap(t, name)
	}
}

// A number is read once, however many subschemas ask for an integer.
func TestLongNumberIsReadOnce(t *testing.T) {
	s := mustCompile(t, `{"properties":{"a":{"anyOf":[`+strings.TrimSuffix(strings.Repeat(`{"type":"integer"},`, 9_000), ",")+`]}}}`)
	document := []byte(`{"a":` + strings.Repeat("7", 390_000) + `.5}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const want = "/a: must match at least one of 9000 alternatives"
	if got := message(s.Validate(document)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	runtime.ReadMemStats(&after)
	if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 20 {
		t.Errorf("%d MB were allocated", used)
	}
}

func checkHeap(t *testing.T, after string) {
	t.Helper()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapSys > 120<<20 { // the largest size that the heap has had
		t.Fatalf("%s: the heap has grown to %d MB", after, memory.HeapSys>>20)
	}
}

// sortsOfTree returns the schema of a tree whose values obey leaf or are objects of either kind.
func sortsOfTree(leaf string) string {
	kind := `{"type":"object","properties":{"kind":{"const":"%s"}},"additionalProperties":{"$ref":"#/$defs/node"}}`
	return `{"$ref":"#/$defs/node","$defs":{"node":{"anyOf":[` + leaf + `,` + fmt.Sprintf(kind, "leaf") + `,` + fmt.Sprintf(kind, "tree") + `]}}}`
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+",", i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// doubled returns a schema of n levels, each of which asks for the next one twice.
func doubled(keyword string, n int) string {
	var defs []string
	for i := range n {
		defs = append(defs, fmt.Sprintf(`"d%d":{"%s":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, keyword, i+1, i+1))
	}
	return fmt.Sprintf(`{"$ref":"#/$defs/d0","$defs":{%s,"d%d":{"required":["b"]}}}`, strings.Join(defs, ","), n)
}

// ambiguous returns different arrays of strings that are the same text if the ends of the strings are not marked.
func ambiguous(n int) string {
	var items []string
	for i := range n {
		var item strings.Builder
		item.WriteString(`["`)
		for bit := range 14 {
			item.WriteString("x")
			if i>>bit&1 == 1 {
				item.WriteString(`","`)
			}
		}
		items = append(items, item.String()+`"]`)
	}
	return strings.Join(items, ",")
}

// The largest schemas compile while the function starts, in the memory that it has.
func TestLargeSchemas(t *testing.T) {
	for name, text := range map[string]string{
		"properties":   `{"properties":{` + numbered(2_500, `"p%d":{"type":"string","maxLength":9}`) + `}}`,
		"alternatives": `{"anyOf":[` + numbered(3_000, `{"required":["r%d"],"minProperties":2}`) + `]}`,
		"references":   `{"properties":{` + numbered(1_500, `"p%[1]d":{"$ref":"#/$defs/d%[1]d"}`) + `},"$defs":{` + numbered(1_500, `"d%d":{"type":"null"}`) + `}}`,
		"ids":          `{"$defs":{` + numbered(2_000, `"d%[1]d":{"$id":"https://example.com/%[1]d"}`) + `}}`,
		"levels":       nested(`{"not":`, "{}", "}", 190),
		"wide levels":  nested(`{"anyOf":[{"type":"null","maxLength":1,"minLength":1},{"type":"string","maxLength":1},`, "{}", "]}", 90),
		"subschemas":   `{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{},`, 9_999), ",") + `]}`,
		"long name":    `{"properties":{"` + strings.Repeat("n", 10_000) + `":{"properties":{` + numbered(780, `"%d":{}`) + `}}}}`,
		"patterns":     `{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{"pattern":"\\pL{1000}"},`, 190), ",") + `]}`,
		"steps":        `{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{"multipleOf":1e-999},`, 8_600), ",") + `]}`,
		"enum":         `{"enum":[` + numbered(15_000, `"v%d"`) + `]}`,
	} {
		if len(text) > MaxBytes {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		s := mustCompile(t, text)
		s.Validate([]byte(`{}`))
		checkHeap(t, name)
	}
}
