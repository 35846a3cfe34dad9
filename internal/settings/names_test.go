package settings

import "testing"

// Names with escapes are decoded before they are compared, each by itself.
func TestEscapedNamesAreCompared(t *testing.T) {
	t.Parallel()
	text := []byte(`\u0061\u0062`)
	a, b := name{start: 0, end: 6, escaped: true}, name{start: 6, end: 12, escaped: true}
	if newScanner(text).same(a, b) {
		t.Errorf("%s and %s are taken for the same", text[:6], text[6:])
	}
	if !newScanner(text).same(a, a) {
		t.Errorf("%s is taken for two", text[:6])
	}
}
