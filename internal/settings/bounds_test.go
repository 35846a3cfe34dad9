package settings_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"orgsettings/internal/settings"
)

func TestKeysBounds(t *testing.T) {
	t.Parallel()
	dots := func(n int) string { return strings.Repeat(".", n) }
	const half = settings.MaxKeyBytes / 2
	for _, tt := range []struct{ name, keys, detail string }{
		{"one key as long as may be", `"` + dots(2*half) + `"`, ""},
		{"one key too long", `"` + dots(2*half+1) + `"`, "the keys have 400001 bytes together, the limit is 400000"},
		{"two keys as long as may be", `"` + dots(half) + `","` + dots(half) + `"`, ""},
		{"two keys too long", `"` + dots(half) + `","` + dots(half+1) + `"`, "the keys have 400001 bytes together, the limit is 400000"},
		{"escapes count as what they stand for", `"` + strings.Repeat(`\u002e`, 2*half) + `"`, ""},
		{"two keys, then many", `"` + dots(half) + `","` + dots(half+1) + `"` + strings.Repeat(`,""`, 999), "1001 keys are given, 1 to 1000 are allowed"},
		{"a million keys", `""` + strings.Repeat(`,""`, 999_999), "1000000 keys are given, 1 to 1000 are allowed"},
	} {
		keys, err := settings.ParseKeysMember([]byte(`{"keys":[`+tt.keys+`]}`), "keys")
		invalid, ok := errors.AsType[*settings.InvalidError](err)
		if tt.detail == "" && (err != nil || len(keys) == 0) || tt.detail != "" && (!ok || invalid.Detail() != tt.detail) {
			t.Errorf("%s: %d keys, %v, want %q", tt.name, len(keys), err, tt.detail)
		}
	}
}

func TestNamesBound(t *testing.T) {
	t.Parallel()
	members := func(n int) string { return "{" + strings.TrimSuffix(strings.Repeat(`"":0,`, n), ",") + "}" } // of as many names
	objects := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(`{"":0},`, n), ",") + "]" }
	name := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	const limit = "the limit is 100000 names with 500000 bytes"
	for _, tt := range []struct{ name, body, want string }{
		{"as many as may be", `{"settings":{},"keys":["a"],"b":` + objects(99_997) + `}`, ""},
		{"one too many", `{"settings":{},"keys":["a"],"b":` + objects(99_998) + `}`, "body has 100001 names of members with 13 bytes together, " + limit},
		{"too many of one object", `{"settings":{},"keys":["a"],"b":` + members(99_998) + `}`, "body has 100001 names of members with 13 bytes together, " + limit},
		{"as long as may be", `{"settings":{},"keys":["a"],` + name(499_988) + `:0}`, ""},
		{"too long", `{"settings":{},"keys":["a"],` + name(499_989) + ` : 0}`, "body has 3 names of members with 500001 bytes together, " + limit},
		{"colons in strings", `{"settings":{},"keys":["a"],"b":"` + strings.Repeat(`:\":`, 200_000) + `"}`, ""},
		{"strings that are no names", `{"settings":{},"keys":["a"],"b":[` + name(600_000) + `,` + name(600_000) + `]}`, ""},
		{"no JSON", strings.Repeat(":", 100_001), "body has 100001 names of members with 0 bytes together, " + limit},
	} {
		for what, err := range map[string]error{
			"POST":   second(settings.ParseDocumentMember([]byte(tt.body), "settings")),
			"DELETE": second(settings.ParseKeysMember([]byte(tt.body), "keys")),
		} {
			large, ok := errors.AsType[*settings.TooLargeError](err)
			if tt.want == "" && err != nil || tt.want != "" && (!ok || large.Error() != tt.want) {
				t.Errorf("%s of %s: %v, want %q", what, tt.name, err, tt.want)
			}
		}
	}
	// A document of 400,000 bytes with as many names as there can be, and one with the longest name.
	chain := strings.Repeat(`{"":`, 997) + "{}" + strings.Repeat("}", 997)
	for _, doc := range []string{
		`{"a":[` + strings.Repeat(chain+",", 79) + chain + `]}`,
		fmt.Sprintf(`{%s:0}`, name(settings.MaxDocumentBytes-6)),
	} {
		if d, err := parse(`{"settings":` + doc + `}`); err != nil || len(d.Text()) < 399_000 {
			t.Errorf("document %.50s of %d bytes: %v", doc, len(doc), err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
