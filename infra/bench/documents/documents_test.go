package documents_test

import (
	"encoding/json"
	"testing"

	"orgsettings/infra/bench/documents"
)

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]func(int, uint64) string{"Settings": documents.Settings, "Random": documents.Random} {
		for _, size := range []int{256, 257, 1 << 10, 100 << 10, 390 << 10, 400_100} {
			text := document(size, 1)
			if len(text) != size || !json.Valid([]byte(text)) {
				t.Errorf("%s(%d) has %d bytes, valid JSON: %t", name, size, len(text), json.Valid([]byte(text)))
			}
			if text != document(size, 1) {
				t.Errorf("%s(%d) differs from call to call", name, size)
			}
			if size > 1000 && text == document(size, 2) {
				t.Errorf("%s(%d) is the same for two seeds", name, size)
			}
		}
	}
}
