package settings_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"orgsettings/internal/settings"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`"a",`, settings.MaxKeys-1) + `"a"`
	for _, tt := range []struct {
		body string
		want []string
	}{
		{`{"keys":["a"]}`, []string{"a"}},
		{` { "x" : [1] , "keys" : [ "a.b" , "" , "\u0061\ud83d\ude00" , "a.b" ] } `, []string{"a.b", "", "a😀", "a.b"}},
		{`{"keys":[` + many + `]}`, slices.Repeat([]string{"a"}, settings.MaxKeys)},
	} {
		got, err := settings.ParseKeysMember([]byte(tt.body), "keys")
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("keys of %.80s are %.80q, %v, want %.80q", tt.body, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ body, detail string }{
		{``, `an object is needed, the text ends at byte 0`},
		{`["a"]`, `an object is needed, this is an array at byte 0`},
		{`{}`, `"keys" is missing at byte 2`},
		{`{"Keys":["a"]}`, `"keys" is missing at byte 14`},
		{`{"keys":null}`, `an array is needed, this is null at /keys (byte 8)`},
		{`{"keys":"a"}`, `an array is needed, this is a string at /keys (byte 8)`},
		{`{"keys":{"0":"a"}}`, `an array is needed, this is an object at /keys (byte 8)`},
		{`{"keys":[]}`, `0 keys are given, 1 to 1000 are allowed`},
		{`{"keys":["a", 1]}`, `a key is not a string at /keys/1 (byte 14)`},
		{`{"keys":[null]}`, `a key is not a string at /keys/0 (byte 9)`},
		{`{"keys":["a"`, `invalid JSON: unexpected EOF at /keys (byte 12)`},
		{`{"keys":["a"]}{}`, `text after the JSON value at byte 14`},
		{`{"keys":["a"],"keys":["b"]}`, `duplicate name at /keys (byte 14)`},
		{`{"keys":[` + many + `,"b"]}`, `1001 keys are given, 1 to 1000 are allowed`},
	} {
		_, err := settings.ParseKeysMember([]byte(tt.body), "keys")
		invalid, ok := errors.AsType[*settings.InvalidError](err)
		if !ok || invalid.Detail() != tt.detail {
			t.Errorf("keys of %.80s: error %v, want %q", tt.body, err, tt.detail)
			if ok {
				t.Logf("detail is %q", invalid.Detail())
			}
		}
	}
}

func TestParseBareDocument(t *testing.T) {
	t.Parallel()
	d, err := settings.ParseDocument([]byte(" {\"a\" : [ 1.0 ] , \"settings\" : null } \n"))
	if got, want := string(d.Text()), `{"a":[1.0],"settings":null}`; err != nil || got != want {
		t.Errorf("document is %s, %v, want %s", got, err, want)
	}
	for _, tt := range []struct{ body, detail string }{
		{``, `an object is needed, the text ends at byte 0`},
		{`[]`, `an object is needed, this is an array at byte 0`},
		{`{"a":1,"b":{"c":1,"c":2}}`, `duplicate name at /b/c (byte 18)`},
		{`{} {}`, `text after the JSON value at byte 3`},
		{`{"a":1,}`, `invalid JSON: trailing comma at byte 7`},
		{`{"a":[1, ]}`, `invalid JSON: trailing comma at /a/1 (byte 9)`},
		{"{\n  \"ä\": [\n    1,\r\n  ]\n}", `invalid JSON: trailing comma at /ä/1 (line 4, column 3, byte 22)`},
		{"{\"ä\": 1, \"b\": tru\n}", `invalid JSON: invalid character '\n' in literal true (expecting 'e') at /b (byte 18)`},
		{"{\n \"ä\": 1, \"ä\": 2}", `duplicate name at /ä (line 2, column 10, byte 12)`},
		{"{}\n\n{}", `text after the JSON value at line 3, column 1 (byte 4)`},
		{nested(settings.MaxDocumentDepth + 1), fmt.Sprintf("nesting deeper than 1000 levels at byte %d", 5*settings.MaxDocumentDepth)},
	} {
		_, err := settings.ParseDocument([]byte(tt.body))
		invalid, ok := errors.AsType[*settings.InvalidError](err)
		if !ok || invalid.Detail() != tt.detail {
			t.Errorf("document %.80s: error %v, want %q", tt.body, err, tt.detail)
			if ok {
				t.Logf("detail is %q", invalid.Detail())
			}
		}
	}
	if _, err := settings.ParseDocument([]byte(sized(settings.MaxDocumentBytes + 1))); err == nil {
		t.Error("a document of one byte too many is accepted")
	}
}
