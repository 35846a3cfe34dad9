package settings_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/settings"
)

func document(text string) settings.Document {
	d, err := settings.ParseDocument([]byte(text))
	if err != nil {
		panic(err)
	}
	return d
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, target, patch, want string }{
		{"nothing", `{"b":1.0,"a":{"x":[]}}`, `{}`, `{"b":1.0,"a":{"x":[]}}`},
		{"into nothing", `{}`, `{"b":{"c":1e400},"a":"\u0000"}`, `{"b":{"c":1e400},"a":"\u0000"}`},
		{"replaces in place", `{"b":1,"a":2,"c":3}`, `{"a":2.0}`, `{"b":1,"a":2.0,"c":3}`},
		{"new members come last", `{"b":1}`, `{"z":1,"b":2,"a":3}`, `{"b":2,"z":1,"a":3}`},
		{"removes", `{"b":1,"a":2,"c":3}`, `{"b":null,"c":null,"x":null}`, `{"a":2}`},
		{"removes all", `{"b":1}`, `{"b":null}`, `{}`},
		{"at every depth", `{"a":{"b":{"c":1,"d":2},"e":[1]},"f":{}}`, `{"a":{"b":{"c":null,"x":{"y":1}}}}`, `{"a":{"b":{"d":2,"x":{"y":1}},"e":[1]},"f":{}}`},
		{"an object into no object", `{"a":[1],"b":null,"c":"x"}`, `{"a":{"x":{"y":null,"z":1}},"b":{},"c":{"n":null}}`, `{"a":{"x":{"z":1}},"b":{},"c":{}}`},
		{"no object into an object", `{"a":{"b":1}}`, `{"a":[{"b":null}]}`, `{"a":[{"b":null}]}`},
		{"empty names and escapes", `{"":1,"\u0061":2,"a\/b":3}`, `{"":{"":null},"a":5,"a/b":null,"\u0000":null}`, `{"":{},"\u0061":5}`},
		{"text of the untouched", `{"n":1234567890123456789012345678901234567890,"e":"\u00e9","s":{"x":-0}}`, `{"s":{"y":1}}`, `{"n":1234567890123456789012345678901234567890,"e":"\u00e9","s":{"x":-0,"y":1}}`},
		{"braces and quotes in strings", `{"a":"}\"{,","b":{"c":"]\\"}}`, `{"b":{"d":"\"}"}}`, `{"a":"}\"{,","b":{"c":"]\\","d":"\"}"}}`},
		{"true, false, number, null-like", `{"a":true}`, `{"a":false,"b":0,"c":"null","d":[null]}`, `{"a":false,"b":0,"c":"null","d":[null]}`},
	} {
		got, err := document(tt.target).Merge(document(tt.patch))
		if err != nil || string(got.Text()) != tt.want {
			t.Errorf("%s: %s merged with %s is %s, %v, want %s", tt.name, tt.target, tt.patch, got.Text(), err, tt.want)
		}
	}
}

// The test cases of RFC 7396, appendix A. A document is an object, so that each
// stands in a member here, as does what the examples with other values say.
func TestMergeAsTheRFCHasIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, ``},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		want := `{}`
		if tt.want != "" {
			want = `{"in":` + tt.want + `}`
		}
		got, err := document(`{"in":` + tt.target + `}`).Merge(document(`{"in":` + tt.patch + `}`))
		if err != nil || string(got.Text()) != want {
			t.Errorf("%s merged with %s is %s, %v, want %s", tt.target, tt.patch, got.Text(), err, want)
		}
	}
}

func TestMergeLimits(t *testing.T) {
	t.Parallel()
	half := `"` + strings.Repeat("x", settings.MaxDocumentBytes/2) + `"`
	_, err := document(`{"a":` + half + `}`).Merge(document(`{"b":` + half + `}`))
	large, ok := errors.AsType[*settings.TooLargeError](err)
	if want := settings.MaxDocumentBytes + 15; !ok || large.Size != want {
		t.Errorf("error is %v, want a TooLargeError of %d bytes", err, want)
	}
	// As deep as may be, merged with as deep as may be: linear work, and no deeper.
	deep := nested(settings.MaxDocumentDepth)
	got, err := document(deep).Merge(document(deep))
	if err != nil || string(got.Text()) != deep {
		t.Errorf("the deepest document merged with itself: %v, %.80s", err, got.Text())
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	const doc = `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"a.b":"exact","":{"":1},"x":null,"\u0079":2,"a.e.0":3}`
	for _, tt := range []struct {
		name string
		keys []string
		want string
	}{
		{"absent", []string{"z", "a.z", "a.b.c.d", "x.y", "a.e.1", "z.", "A", " a"}, doc},
		{"top-level", []string{"a"}, `{"a.b":"exact","":{"":1},"x":null,"\u0079":2,"a.e.0":3}`},
		{"exact name before path", []string{"a.b"}, `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"":{"":1},"x":null,"\u0079":2,"a.e.0":3}`},
		{"the same twice", []string{"a.b", "a.b"}, `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"":{"":1},"x":null,"\u0079":2,"a.e.0":3}`},
		{"path", []string{"a.b.c", "a.e"}, `{"a":{"b":{"d":2}},"a.b":"exact","":{"":1},"x":null,"\u0079":2,"a.e.0":3}`},
		{"path and what is above it", []string{"a.b.c", "a", "a.b.d"}, `{"a.b":"exact","":{"":1},"x":null,"\u0079":2,"a.e.0":3}`},
		{"empty name", []string{""}, `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"a.b":"exact","x":null,"\u0079":2,"a.e.0":3}`},
		{"path of empty names", []string{"."}, `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"a.b":"exact","":{},"x":null,"\u0079":2,"a.e.0":3}`},
		{"null, escaped and dotted", []string{"y", "x", "a.e.0"}, `{"a":{"b":{"c":1.0,"d":2},"e":[{"b":1}]},"a.b":"exact","":{"":1}}`},
		{"everything", []string{"a", "a.b", "", "x", "y", "a.e.0"}, `{}`},
	} {
		got, err := document(doc).Remove(tt.keys)
		if err != nil || string(got.Text()) != tt.want {
			t.Errorf("%s: without %q remains %s, %v, want %s", tt.name, tt.keys, got.Text(), err, tt.want)
		}
	}
	if got, err := (settings.Document{}).Remove([]string{"a"}); err != nil || string(got.Text()) != `{}` {
		t.Errorf("of the empty document remains %s, %v", got.Text(), err)
	}
}

// FuzzMerge compares with RFC 7396's own algorithm over decoded values.
func FuzzMerge(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":{"b":1,"c":[1,{}]},"d":"}"}`, `{"a":{"b":null,"x":{"y":null}},"e":1}`},
		{`{"a":1}`, `{"a":{"b":{"c":null}}}`}, {`{}`, `{"":null}`}, {`{"\u0061":{}}`, `{"a":{"b":[null]}}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, targetText, patchText []byte) {
		target, err := settings.ParseDocument(targetText)
		if err != nil {
			return
		}
		patch, err := settings.ParseDocument(patchText)
		if err != nil {
			return
		}
		got, err := target.Merge(patch)
		if err != nil {
			return
		}
		want := mergePatch(decoded(t, target), decoded(t, patch))
		if diff := cmp.Diff(want, decoded(t, got)); diff != "" {
			t.Fatalf("%s merged with %s is %s (-want +got):\n%s", target.Text(), patch.Text(), got.Text(), diff)
		}
		if again, err := settings.ParseDocument([]byte(string(got.Text()))); err != nil || string(again.Text()) != string(got.Text()) {
			t.Fatalf("the result %s is no document: %v", got.Text(), err)
		}
		if same, err := target.Merge(settings.Document{}); err != nil || string(same.Text()) != string(target.Text()) {
			t.Fatalf("an empty patch made %s of %s", same.Text(), target.Text())
		}
	})
}

// mergePatch is the pseudocode of RFC 7396 section 2.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = mergePatch(object[name], value)
		}
	}
	return object
}

// FuzzRemove compares with the removal of the same keys from decoded values.
func FuzzRemove(f *testing.F) {
	f.Add([]byte(`{"a":{"b":{"c":1}},"a.b":{"x":[]}}`), "a.b\na.b.c\n")
	f.Add([]byte(`{"":{"":1},"\u0000":"\\"}`), ".\n\x00")
	f.Fuzz(func(t *testing.T, text []byte, list string) {
		d, err := settings.ParseDocument(text)
		if err != nil || !json.Valid([]byte(fmt.Sprintf("%q", list))) && strings.ContainsRune(list, '\uFFFD') {
			return
		}
		keys := strings.Split(list, "\n")
		got, err := d.Remove(keys)
		if err != nil {
			t.Fatal(err)
		}
		want := decoded(t, d).(map[string]any)
		var paths [][]string
		for _, key := range keys {
			if _, exact := want[key]; exact {
				paths = append(paths, []string{key})
			} else {
				paths = append(paths, strings.Split(key, "."))
			}
		}
		for _, path := range paths {
			object, ok := want, true
			for _, name := range path[:len(path)-1] {
				if object, ok = object[name].(map[string]any); !ok {
					break
				}
			}
			delete(object, path[len(path)-1])
		}
		if diff := cmp.Diff(any(want), decoded(t, got)); diff != "" {
			t.Fatalf("%s without %q is %s (-want +got):\n%s", d.Text(), keys, got.Text(), diff)
		}
	})
}

// decoded returns the value of d with its numbers as text.
func decoded(t *testing.T, d settings.Document) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(d.Text())))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", d.Text(), err)
	}
	return v
}
