package settings_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/settings"
)

// list writes changes as one text: "path before > after", with - for what is absent and its size for what is not told.
func list(t testing.TB, before, after string) string {
	t.Helper()
	changes, err := settings.Diff(document(before), document(after))
	if err != nil {
		t.Fatal(err)
	}
	side := func(v settings.Value) string {
		switch {
		case v.Size == 0:
			return "-"
		case v.Text == nil:
			return fmt.Sprint(v.Size)
		}
		return string(v.Text)
	}
	var lines []string
	for _, c := range changes.List {
		lines = append(lines, c.Path+" "+side(c.Before)+" > "+side(c.After))
	}
	if changes.Truncated {
		lines = append(lines, "truncated")
	}
	return strings.Join(lines, "\n")
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, after, want string }{
		{"nothing", `{}`, `{}`, ``},
		{"order", `{"a":1,"b":[{"c":1,"d":2}]}`, `{"b":[{"d":2,"c":1}],"a":1}`, ``},
		{"escapes", `{"a\u0062":"\u00e9\/","c":1}`, `{"ab":"é/","c":1}`, ``},
		{"a member comes", `{}`, `{"a":null}`, `/a - > null`},
		{"a member goes", `{"a":null}`, `{}`, `/a null > -`},
		{"null is a value", `{"a":null}`, `{"a":false}`, `/a null > false`},
		{"the text of a number", `{"a":1.0,"b":9007199254740993,"c":1e400,"d":-0}`, `{"a":1,"b":9007199254740992,"c":1E400,"d":-0}`,
			"/a 1.0 > 1\n/b 9007199254740993 > 9007199254740992\n/c 1e400 > 1E400"},
		{"another type", `{"a":"1","b":{},"c":[]}`, `{"a":1,"b":[],"c":{}}`, "/a \"1\" > 1\n/b {} > []\n/c [] > {}"},
		{"objects recurse", `{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"d":2,"c":3}}}`, `/a/b/c 1 > 3`},
		{"elements", `{"a":[1,{"b":2},[3]]}`, `{"a":[1,{"b":4},[5]]}`, "/a/1/b 2 > 4\n/a/2/0 3 > 5"},
		{"another length", `{"a":[1,2]}`, `{"a":[0,1,2]}`, `/a [1,2] > [0,1,2]`},
		{"the order of after, then what is removed", `{"x":1,"a":1,"y":1,"b":1}`, `{"new":0,"b":2,"a":2}`,
			"/new - > 0\n/b 1 > 2\n/a 1 > 2\n/x 1 > -\n/y 1 > -"},
		{"an empty name, a slash and a tilde", `{"":1,"a/b":1,"m~n":1,"~1":1}`, `{"":2,"a/b":2,"m~n":2,"~1":2}`,
			"/ 1 > 2\n/a~1b 1 > 2\n/m~0n 1 > 2\n/~01 1 > 2"},
		{"the name of an element", `{"a":[0],"0":0}`, `{"a":[1],"0":1}`, "/a/0 0 > 1\n/0 0 > 1"},
		{"a name in escapes", `{"é":1}`, `{"\u00e9":2}`, `/é 1 > 2`},
		{"a large value", `{"a":"` + strings.Repeat("x", 4094) + `"}`, `{"a":"` + strings.Repeat("x", 4095) + `"}`,
			`/a "` + strings.Repeat("x", 4094) + `" > 4097`},
		{"a large array", `{"a":[` + strings.Repeat("0,", 2999) + `0]}`, `{}`, `/a 6001 > -`},
	} {
		if got := list(t, tt.before, tt.after); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// A diff has at most 1,000 changes and 1 MB.
func TestDiffBounds(t *testing.T) {
	t.Parallel()
	members := func(n int, value, name string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%s%d":%s`, name, i, value)
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, n := range []int{1000, 1001} {
		changes, err := settings.Diff(document(members(n, "0", "")), document(members(n, "1", "")))
		if err != nil || len(changes.List) != 1000 || changes.Truncated != (n > 1000) {
			t.Errorf("%d members: %d changes, truncated %v, %v", n, len(changes.List), changes.Truncated, err)
		}
	}
	// 30 values of 4,000 bytes on both sides and 1,500 more: the paths count as they are escaped in JSON.
	long := strings.Repeat(`\u0001`, 2000)
	changes, err := settings.Diff(document(members(25, `0`, long)), document(members(25, `1`, long)))
	if err != nil || len(changes.List) != 25 || changes.Truncated {
		t.Errorf("25 paths of 12,000 bytes: %d changes, truncated %v, %v", len(changes.List), changes.Truncated, err)
	}
	under := `{"` + strings.Repeat(`\u0001`, 10_000) + `":`
	changes, err = settings.Diff(document(under+members(100, `0`, "")+"}"), document(under+members(100, `1`, "")+"}"))
	if err != nil || len(changes.List) != 17 || !changes.Truncated {
		t.Errorf("100 paths of 60,000 bytes: %d changes, truncated %v, %v", len(changes.List), changes.Truncated, err)
	}
}

// The worst documents cost less than a tenth of a second, and the memory of a few documents.
func worstDocuments() map[string][2]string {
	nested := func(leaf string) string {
		return strings.Repeat(`{"a":`, 999) + leaf + strings.Repeat("}", 999)
	}
	names := func(value string) string {
		var b strings.Builder
		for i := range 44_000 {
			fmt.Fprintf(&b, `,"%x":%s`, i, value)
		}
		return "{" + b.String()[1:] + "}"
	}
	large := strings.Repeat("x", 394_000)
	path := `{"` + strings.Repeat("y", 200_000) + `":{`
	return map[string][2]string{
		"deep, a large leaf":     {nested(`"` + large + `0"`), nested(`"` + large + `1"`)},
		"deep and wide":          {nested(`[` + strings.Repeat("0,", 196_000) + `0]`), nested(`[` + strings.Repeat("1,", 196_000) + `1]`)},
		"many elements":          {`{"a":[` + strings.Repeat("0,", 199_990) + `0]}`, `{"a":[` + strings.Repeat("0,", 199_990) + `1]}`},
		"many members":           {names("0"), names("1")},
		"many members come":      {`{}`, names("1")},
		"many members go":        {names("0"), `{}`},
		"below a long path":      {path + names("0")[1:195_000] + `,"z":0}}`, path + names("1")[1:195_000] + `,"z":0}}`},
		"many arrays of nothing": {`{"a":[` + strings.Repeat("[],", 130_000) + `[]]}`, `{"a":[` + strings.Repeat("{},", 130_000) + `[]]}`},
	}
}

func BenchmarkDiff(b *testing.B) {
	for name, documents := range worstDocuments() {
		before, after := document(documents[0]), document(documents[1])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := settings.Diff(before, after); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whoever applies the changes to the document before gets the one after.
func TestDiffApplies(t *testing.T) {
	t.Parallel()
	const seeds = 3000
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		before := randomObject(r, 3)
		after := changed(r, before)
		if r.IntN(4) == 0 {
			after = randomObject(r, 3)
		}
		b, a := encoded(before), encoded(after)
		changes, err := settings.Diff(document(b), document(a))
		if err != nil || changes.Truncated {
			t.Fatal(err)
		}
		got := decoded(t, document(b))
		for _, c := range changes.List {
			apply(t, got, c)
		}
		if diff := cmp.Diff(decoded(t, document(a)), got); diff != "" {
			t.Fatalf("seed %d: %s to %s (-want +got):\n%s", seed, b, a, diff)
		}
		for _, c := range changes.List {
			if bytes.Equal(c.Before.Text, c.After.Text) {
				t.Errorf("seed %d: %s does not change", seed, c.Path)
			}
		}
	}
}

// apply changes a value in document, whose containers are maps and slices.
func apply(t *testing.T, document any, c settings.Change) {
	t.Helper()
	names := strings.Split(c.Path, "/")[1:]
	for i, name := range names {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		last := i == len(names)-1
		switch parent := document.(type) {
		case map[string]any:
			was, found := parent[name]
			switch {
			case !last:
				document = was
			case found != (c.Before.Text != nil):
				t.Errorf("%s: there %v, before %q", c.Path, found, c.Before.Text)
			case c.After.Text == nil:
				delete(parent, name)
			default:
				parent[name] = value(t, c.After.Text)
			}
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(parent) || last && (c.Before.Text == nil || c.After.Text == nil) {
				t.Fatalf("%s is no change of an element", c.Path)
			}
			if last {
				parent[n] = value(t, c.After.Text)
			}
			document = parent[n]
		default:
			t.Fatalf("%s leads through a %T", c.Path, parent)
		}
	}
}

// value keeps the text of numbers.
func value(t *testing.T, text []byte) any {
	t.Helper()
	return decoded(t, document(`{"v":`+string(text)+`}`)).(map[string]any)["v"]
}

func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func randomObject(r *rand.Rand, depth int) map[string]any {
	object := make(map[string]any)
	for range r.IntN(5) {
		object[[]string{"a", "b", "", "~", "/", "~1", "é", "0", "1"}[r.IntN(9)]] = randomValue(r, depth)
	}
	return object
}

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case n == 0 && depth > 0:
		return randomObject(r, depth-1)
	case n == 1 && depth > 0:
		array := make([]any, r.IntN(4))
		for i := range array {
			array[i] = randomValue(r, depth-1)
		}
		return array
	case n < 4:
		return json.Number([]string{"0", "-0", "1.0", "1", "9007199254740993", "9007199254740992", "1e400"}[r.IntN(7)])
	case n < 6:
		return []string{"", "a", "\u2028", "<", "\x01"}[r.IntN(5)]
	default:
		return []any{nil, true, false}[r.IntN(3)]
	}
}

// changed returns v with a few changes.
func changed(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any)
		for name, value := range v {
			switch r.IntN(6) {
			case 0:
			case 1:
				object[name] = randomValue(r, 2)
			default:
				object[name] = changed(r, value)
			}
		}
		if r.IntN(4) == 0 {
			object["new"] = randomValue(r, 2)
		}
		return object
	case []any:
		array := make([]any, 0, len(v))
		for _, value := range v {
			array = append(array, changed(r, value))
		}
		if r.IntN(4) == 0 {
			array = append(array, randomValue(r, 1))
		}
		return array
	default:
		if r.IntN(4) == 0 {
			return randomValue(r, 2)
		}
		return v
	}
}
