package settings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/settings"
)

func parse(body string) (settings.Document, error) {
	return settings.ParseDocumentMember([]byte(body), "settings")
}

func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels-1) + "{}" + strings.Repeat("}", levels-1)
}

func sized(n int) string {
	frame := `{"a":""}`
	return `{"a":"` + strings.Repeat("x", n-len(frame)) + `"}`
}

func TestParseDocumentKeepsText(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":                   `{}`,
		"numbers":                 `{"a":1.0,"b":1e400,"c":-0,"d":-0.0,"e":1E+2,"f":0.10,"g":1234567890123456789012345678901234567890}`,
		"key order":               `{"z":1,"a":2,"m":{"y":1,"b":2}}`,
		"empty names":             `{"":{"":[]}}`,
		"prototype":               `{"__proto__":{"constructor":null}}`,
		"escapes":                 `{"\u0000":"\u0000\/\"\\\u2028","A":"A"}`,
		"surrogate pair":          `{"a":"\ud83d\ude00","😀":"😀"}`,
		"white in strings":        `{" a\tb ":"  \t x  "}`,
		"braces in strings":       `{"{":"}]\"[{"}`,
		"literals":                `{"a":[true,false,null,"",{},[]]}`,
		"looks like the envelope": `{"settings":{"settings":{}},"keys":[]}`,
		"names differ in case":    `{"a":1,"A":2,"ſ":3,"s":4}`,
		"deepest":                 nested(settings.MaxDocumentDepth),
		"largest":                 sized(settings.MaxDocumentBytes),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{
				`{"settings":` + text + `}`,
				" \r\n\t{ \"other\" : [ 1 , { } ] , \"settings\"\n:\t" + text + " , \"Settings\" : null } \n",
			} {
				d, err := parse(body)
				if err != nil {
					t.Fatal(err)
				}
				if got := string(d.Text()); got != text {
					t.Errorf("kept %.200q, want %.200q", got, text)
				}
			}
		})
	}
}

func TestParseDocumentDropsWhiteSpace(t *testing.T) {
	t.Parallel()
	d, err := parse("{\"settings\": {\r\n\t\"a b\" : [ 1 ,\t2 , \" x \\\" \" ] ,\n \"c\" : { } }\n}")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Text()), `{"a b":[1,2," x \" "],"c":{}}`; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body    string
		kind, pointer string
		offset        int64
	}{
		{"empty", ``, "an object is needed, the text ends", "", 0},
		{"white space", " \n ", "an object is needed, the text ends", "", 3},
		{"array", ` [{"settings":{}}]`, "an object is needed, this is an array", "", 1},
		{"null", `null`, "an object is needed, this is null", "", 0},
		{"number", `1`, "an object is needed, this is a number", "", 0},
		{"word", `undefined`, "invalid JSON", "", 0},
		{"byte order mark", "\ufeff{\"settings\":{}}", "invalid JSON", "", 0},
		{"no settings", `{}`, `"settings" is missing`, "", 2},
		{"other case", `{"Settings":{}}`, `"settings" is missing`, "", 15},
		{"folded case", `{"ſettings":{}}`, `"settings" is missing`, "", 16},
		{"settings null", `{"settings": null}`, "an object is needed, this is null", "/settings", 13},
		{"settings array", `{"settings":[]}`, "an object is needed, this is an array", "/settings", 12},
		{"settings string", `{"settings":"{}"}`, "an object is needed, this is a string", "/settings", 12},
		{"settings false", `{"settings":false}`, "an object is needed, this is a boolean", "/settings", 12},
		{"two settings", `{"settings":{},"settings":{"a":1}}`, "duplicate name", "/settings", 15},
		{"two settings, one escaped", `{"settings":{},"\u0073ettings":{"a":1}}`, "duplicate name", "/settings", 15},
		{"duplicate inside", `{"settings":{"a":{"b":1,"b":2}}}`, "duplicate name", "/settings/a/b", 24},
		{"duplicate elsewhere", `{"x":[{"b":1,"b":2}],"settings":{}}`, "duplicate name", "/x/0/b", 13},
		{"trailing text", `{"settings":{}} x`, "text after the JSON value", "", 16},
		{"second value", `{"settings":{}}{}`, "text after the JSON value", "", 15},
		{"NUL at the end", "{\"settings\":{}}\x00", "text after the JSON value", "", 15},
		{"cut off", `{"settings":{"a":`, "invalid JSON", "/settings/a", 17},
		{"cut off before settings", `{"settings":`, "invalid JSON", "/settings", 12},
		{"trailing comma", `{"settings":{"a":1,}}`, "invalid JSON", "/settings", 19},
		{"bad number", `{"settings":{"a":01}}`, "invalid JSON", "/settings", 18},
		{"NaN", `{"settings":{"a":NaN}}`, "invalid JSON", "/settings/a", 17},
		{"comment", `{"settings":{/**/}}`, "invalid JSON", "/settings", 13},
		{"single quotes", `{'settings':{}}`, "invalid JSON", "", 1},
		{"control character", "{\"settings\":{\"a\":\"\n\"}}", "invalid JSON", "/settings/a", 18},
		{"invalid UTF-8", "{\"settings\":{\"a\":\"\xff\"}}", "invalid JSON", "/settings/a", 18},
		{"overlong UTF-8", "{\"settings\":{\"a\":\"\xc0\xaf\"}}", "invalid JSON", "/settings/a", 18},
		{"encoded surrogate", "{\"settings\":{\"a\":\"\xed\xa0\x80\"}}", "invalid JSON", "/settings/a", 18},
		{"invalid UTF-8 beside settings", "{\"x\":\"\xff\",\"settings\":{}}", "invalid JSON", "/x", 6},
		{"unpaired surrogate", `{"settings":{"a":"\ud800"}}`, "invalid JSON", "/settings/a", 18},
		{"unpaired low surrogate in a name", `{"settings":{"\udc00":1}}`, "invalid JSON", "/settings", 14},
		{"a low surrogate behind no high one", `{"settings":{"a":"\ud83dx\ude00"}}`, "invalid JSON", "/settings/a", 18},
		{"two high surrogates", `{"settings":{"a":"\ud83d\ud83d"}}`, "invalid JSON", "/settings/a", 18},
		{"bad escape", `{"settings":{"a":"\x"}}`, "invalid JSON", "/settings/a", 18},
		{"bad hexadecimal", `{"settings":{"a":"\u00g0"}}`, "invalid JSON", "/settings/a", 18},
		{"cut off in an escape", `{"settings":{"a":"\u00`, "invalid JSON", "/settings/a", 18},
		{"cut off behind a backslash", `{"settings":{"a":"\`, "invalid JSON", "/settings/a", 18},
		{"fraction without digits", `{"settings":{"a":[0,1.]}}`, "invalid JSON", "/settings/a/1", 22},
		{"sign alone", `{"settings":{"a":-}}`, "invalid JSON", "/settings/a", 18},
		{"exponent without digits", `{"settings":{"a":1e+}}`, "invalid JSON", "/settings/a", 20},
		{"literal cut off", `{"settings":{"a":tru}}`, "invalid JSON", "/settings/a", 20},
		{"no colon", `{"settings":{"a" 1}}`, "invalid JSON", "/settings/a", 17},
		{"array closed as an object", `{"settings":{"a":[1}}`, "invalid JSON", "/settings/a", 19},
		{"pointer escapes", `{"settings":{"a/b":{"~":{"\u0063":[{"d":1,"d":2}]}}}}`, "duplicate name", "/settings/a~1b/~0/c/0/d", 42},
		{"too deep", `{"settings":` + nested(settings.MaxDocumentDepth+1) + `}`, "nesting deeper than 1000 levels", "", 5012},
		{"far too deep", `{"settings":` + strings.Repeat("[", 100_000), "nesting deeper than 1000 levels", "", 10_011},
		{"far too deep inside", `{"settings":{"a":` + strings.Repeat("[", 100_000), "nesting deeper than 1000 levels", "", 10015},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(tt.body)
			var invalid *settings.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("error is %v, want an InvalidError", err)
			}
			if invalid.Kind != tt.kind || invalid.Offset != tt.offset || invalid.Pointer != tt.pointer {
				t.Errorf("refused as %q at %q, byte %d, want %q at %q, byte %d",
					invalid.Kind, invalid.Pointer, invalid.Offset, tt.kind, tt.pointer, tt.offset)
			}
		})
	}
}

// Among few names and among many, a name that comes again is found, however it
// is written.
func TestParseDocumentFindsEveryDuplicate(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2, 15, 16, 17, 18, 100, 3_000} {
		names := make([]string, size)
		for i := range names {
			names[i] = fmt.Sprintf(`"n%d":{"n%d":0}`, i, i)
		}
		if _, err := settings.ParseDocument([]byte("{" + strings.Join(names, ",") + "}")); err != nil {
			t.Fatalf("%d names: %v", size, err)
		}
		for _, at := range []int{0, size / 2, size - 1} {
			for _, again := range []string{fmt.Sprintf(`"n%d"`, at), fmt.Sprintf(`"\u006e%d"`, at)} {
				body := "{" + strings.Join(names, ",") + "," + again + ":1}"
				_, err := settings.ParseDocument([]byte(body))
				invalid, ok := errors.AsType[*settings.InvalidError](err)
				if want := fmt.Sprintf("duplicate name at /n%d (byte %d)", at, len(body)-len(again)-len(":1}")); !ok || invalid.Detail() != want {
					t.Errorf("%d names and %s again: error %v, want %s", size, again, err, want)
				}
			}
		}
	}
}

// Beside the document there may be anything that is JSON.
func TestParseDocumentLeavesTheRestAside(t *testing.T) {
	t.Parallel()
	deep := nested(settings.MaxDocumentDepth + 1)
	for _, body := range []string{
		`{"a":` + deep + `,"settings":{"b":1}}`,
		`{"settings":{"b":1},"a":` + deep + `}`,
		`{"a":"` + strings.Repeat("x", settings.MaxDocumentBytes+1) + `","settings":{"b":1}}`,
	} {
		if d, err := parse(body); err != nil || string(d.Text()) != `{"b":1}` {
			t.Errorf("%.30s…: document %s, %v", body, d.Text(), err)
		}
	}
}

func TestParseDocumentLimit(t *testing.T) {
	t.Parallel()
	for name, inner := range map[string]string{
		"one too many":               sized(settings.MaxDocumentBytes + 1),
		"too deep as well":           `{"b":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `,"a":"` + strings.Repeat("x", settings.MaxDocumentBytes+1-4000-13) + `"}`,
		"white space is not counted": "{ \n" + sized(settings.MaxDocumentBytes + 1)[1:],
	} {
		_, err := parse(`{"settings":` + inner + `}`)
		var large *settings.TooLargeError
		if !errors.As(err, &large) {
			t.Errorf("%s: error is %v, want a TooLargeError", name, err)
			continue
		}
		if large.Size != settings.MaxDocumentBytes+1 {
			t.Errorf("%s: size %d, want %d", name, large.Size, settings.MaxDocumentBytes+1)
		}
	}
}

// What is logged of an error must not show what the client sent.
func TestInvalidErrorShowsNothingOfTheText(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"settings":{"secret":{"secret":1,"secret":2}}}`,
		`{"settings":{"secret":secret}}`,
		`{"settings":{"secret":"\udead secret"}}`,
	} {
		_, err := parse(body)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "dead") {
			t.Errorf("error of %s is %q", body, err)
		}
	}
}

func TestInvalidErrorIsBounded(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("ä", 50_000)
	_, err := parse(fmt.Sprintf(`{"settings":{%q:{"a":1,"a":2}}}`, name))
	var invalid *settings.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	if detail := invalid.Detail(); len(detail) > 400 || !strings.Contains(detail, "ä…") {
		t.Errorf("detail of %d bytes: %.500s", len(detail), detail)
	}
}

func TestDocumentDoesNotShowItself(t *testing.T) {
	t.Parallel()
	d := document(`{"secret":1}`)
	for _, shown := range []string{fmt.Sprint(d), fmt.Sprintf("%v %+v %s", d, d, d), d.LogValue().String()} {
		if strings.Contains(shown, "secret") {
			t.Errorf("document shows itself: %s", shown)
		}
	}
	if got := string(settings.Document{}.Text()); got != "{}" {
		t.Errorf("zero document is %s, want {}", got)
	}
}

// FuzzParseDocument holds the reader to its promises: it never panics, takes what
// another reader of I-JSON takes and nothing else, keeps the same value, and
// reading what it kept changes nothing.
func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		`{"settings":{}}`, `{"settings": {"a" : [1, 2.0e+5, "\u0000\ud83d\ude00 x", null]}, "b":{}}`,
		`{"settings":{"a":1,"a":2}}`, `{"settings":null}`, "{\"settings\":{\"a\":\"\xff\"}}", `{"settings":{"a":"\ud800"}}`,
		`{"a":[true,false,null,-0.5E-7,"\ud83d\ude00\n\\\/\u00e9é"],"\u0061":0}`, `{"a":"\ud800\u0061"}`, `{"a" : 1 , "b" :\t[ ] }`, `{"a":tru}`, `{"a":1.}`,
		`{"settings":` + nested(1001) + `}`, `[`, ``, "\ufeff{}", `{"settings":{}}{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var before struct{ value map[string]json.RawMessage }
		stdErr := json.Unmarshal(body, &before.value)
		if d, err := settings.ParseDocument(bytes.Clone(body)); !isLimit(err) {
			value := jsontext.Value(bytes.Clone(body))
			if want := value.IsValid() && value.Kind() == '{'; want != (err == nil) {
				t.Fatalf("ParseDocument = %v, jsontext accepts: %t", err, want)
			}
			if err == nil {
				if err := value.Compact(); err != nil || !bytes.Equal(d.Text(), value) {
					t.Fatalf("kept %q, jsontext keeps %q, %v", d.Text(), value, err)
				}
			}
		}
		d, err := settings.ParseDocumentMember(bytes.Clone(body), "settings")
		if err != nil {
			return
		}
		if stdErr != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", stdErr)
		}
		var sent, kept any
		if err := json.Unmarshal(before.value["settings"], &sent); err != nil && !isRangeError(err) {
			t.Fatalf("sent: %v", err)
		}
		if err := json.Unmarshal(d.Text(), &kept); err != nil && !isRangeError(err) {
			t.Fatalf("kept: %v", err)
		}
		if diff := cmp.Diff(sent, kept); diff != "" {
			t.Fatalf("another value (-sent +kept):\n%s", diff)
		}
		again, err := settings.ParseDocumentMember([]byte(`{"settings":`+string(d.Text())+`}`), "settings")
		if err != nil {
			t.Fatalf("refused what it kept: %v", err)
		}
		if !bytes.Equal(again.Text(), d.Text()) {
			t.Fatalf("kept %q, then %q", d.Text(), again.Text())
		}
	})
}

// isLimit says whether a document is refused for its size or depth alone.
func isLimit(err error) bool {
	var large *settings.TooLargeError
	return errors.As(err, &large) || err != nil && strings.HasPrefix(err.Error(), "nesting deeper")
}

// isRangeError says whether encoding/json refused a number that no float64 holds.
func isRangeError(err error) bool {
	var typeError *json.UnmarshalTypeError
	return errors.As(err, &typeError)
}
