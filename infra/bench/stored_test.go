package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"orgsettings/infra/bench/documents"
)

func TestCheckStored(t *testing.T) {
	t.Parallel()
	document := documents.Settings(small, 1)
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := base64.StdEncoding.EncodeToString(encoder.EncodeAll([]byte(document), nil))
	const native = `{"orgId":{"S":"acme"},"doc":{"M":{"a":{"L":[{"N":"1.5"},{"NULL":true},{"BOOL":false}]},"b":{"S":"x"}}}}`
	for _, tt := range []struct {
		name, item, document string
		ok                   bool
	}{
		{"text", `{"orgId":{"S":"acme"},"settings":{"S":` + string(text) + `}}`, document, true},
		{"changed text", `{"settings":{"S":` + strings.Replace(string(text), "retentionDays", "retention", 1) + `}}`, document, false},
		{"compressed", `{"settings":{"B":"` + packed + `"}}`, document, true},
		{"other document compressed", `{"settings":{"B":"` + packed + `"}}`, `{}`, false},
		{"map", native, `{"a":[1.5,null,false],"b":"x"}`, true},
		{"changed map", native, `{"a":[1.5,null,false],"b":"y"}`, false},
		{"unknown type", strings.Replace(native, `{"N":"1.5"}`, `{"X":1}`, 1), `{"a":[1.5,null,false],"b":"x"}`, false},
	} {
		if err := checkStored(json.RawMessage(tt.item), tt.document); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
