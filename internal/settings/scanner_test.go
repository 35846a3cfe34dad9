package settings

import "testing"

// Two names with escapes whose hashes happen to agree are still two names.
func TestEscapedNamesOfOneHashAreApart(t *testing.T) {
	t.Parallel()
	text := []byte(`\u0061\u0062`)
	a, b := name{start: 0, end: 6, hash: 7, escaped: true}, name{start: 6, end: 12, hash: 7, escaped: true}
	if newScanner(text).same(a, b) {
		t.Errorf("%s and %s are taken for the same", text[:6], text[6:])
	}
}
