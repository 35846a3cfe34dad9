package settings_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"orgsettings/internal/settings"
)

// FuzzDocumentsAreIJSON compares what is accepted, and what is kept of it, with
// encoding/json and the rules of RFC 7493 that it does not know.
func FuzzDocumentsAreIJSON(f *testing.F) {
	for _, seed := range []string{
		"{}", " {\r\n\t\"a\" : [ 1.0 , -0 , 1e400 ] }", `{"a":{"b":1},"c":{"b":2}}`, `{"a":[{"b":1,"b":2}]}`, `{"a":1,"\u0061":2}`, `{"\ufffd":1,"�":2}`,
		`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\\ud83d"}`, "{\"a\":\"\xed\xa0\x80\"}", "\ufeff{}", "{}\x00", "[]", "",
		nested(settings.MaxDocumentDepth), nested(settings.MaxDocumentDepth + 1),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := settings.ParseDocument(bytes.Clone(text))
		var compact bytes.Buffer
		want := isIJSON(text) && json.Compact(&compact, text) == nil && compact.Len() <= settings.MaxDocumentBytes
		if want != (err == nil) {
			t.Fatalf("ParseDocument(%q) = %v, acceptable: %v", text, err, want)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(d.Text(), compact.Bytes()) {
			t.Fatalf("of %q is kept %q, want %q", text, d.Text(), compact.Bytes())
		}
		if again, err := settings.ParseDocument(bytes.Clone(d.Text())); err != nil || !bytes.Equal(again.Text(), d.Text()) {
			t.Fatalf("of %q, which was kept, is kept %q, %v", d.Text(), again.Text(), err)
		}
	})
}

// isIJSON says whether text is one object of I-JSON that is not too deep.
func isIJSON(text []byte) bool {
	if !utf8.Valid(text) || !json.Valid(text) || hasLoneSurrogate(string(text)) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	first, err := d.Token()
	return err == nil && first == json.Delim('{') && isIJSONObject(d, 1)
}

// isIJSONObject reads from behind the opening brace of an object, the level-th
// container, to behind its closing one.
func isIJSONObject(d *json.Decoder, level int) bool {
	names := make(map[json.Token]bool)
	for d.More() {
		name, err := d.Token()
		if err != nil || names[name] || !isIJSONValue(d, level) {
			return false
		}
		names[name] = true
	}
	_, err := d.Token()
	return err == nil && level <= settings.MaxDocumentDepth
}

// isIJSONValue reads a value that stands in a container of this level.
func isIJSONValue(d *json.Decoder, level int) bool {
	value, err := d.Token()
	switch {
	case err != nil:
		return false
	case value == json.Delim('{'):
		return isIJSONObject(d, level+1)
	case value == json.Delim('['):
		for d.More() {
			if !isIJSONValue(d, level+1) {
				return false
			}
		}
		_, err = d.Token()
		return err == nil && level+1 <= settings.MaxDocumentDepth
	}
	return true
}

// hasLoneSurrogate says whether an escape in a valid JSON text is half of a pair.
func hasLoneSurrogate(text string) bool {
	unit := func(s string) uint64 { // of the escape that s begins with, or 0
		if len(s) < len(`\u0000`) || !strings.HasPrefix(s, `\u`) {
			return 0
		}
		n, _ := strconv.ParseUint(s[2:6], 16, 16)
		return n
	}
	for {
		_, rest, found := strings.Cut(text, `\`)
		if !found {
			return false
		}
		switch n := unit(`\` + rest); {
		case 0xd800 <= n && n < 0xdc00:
			if low := unit(rest[5:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			text = rest[5+6:]
		case 0xdc00 <= n && n <= 0xdfff:
			return true
		default:
			text = rest[1:]
		}
	}
}
