package settings_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"orgsettings/internal/settings"
)

// BenchmarkParseDocumentMember measures the reader of a POST.
func BenchmarkParseDocumentMember(b *testing.B) {
	for _, size := range []int{1_000, 100_000, 390_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			member := `"feature":{"enabled":true,"owner":"user-9e3779b1","limits":{"maxFileSize":"10GB","days":365}}`
			body := []byte(`{"settings":{"list":[{` + strings.Repeat(member+`},{`, size/(len(member)+5)) + `}]}}`)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := settings.ParseDocumentMember(body, "settings")
				if err != nil || !bytes.HasPrefix(d.Text(), []byte(`{"list"`)) {
					b.Fatal(d, err)
				}
			}
		})
	}
}
