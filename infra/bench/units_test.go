package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestItemSize(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]int{
		`{}`:                                 0,
		`{"k":{"S":"abc"}}`:                  4,
		`{"k":{"S":"ä€"}}`:                   1 + 2 + 3,
		`{"k":{"B":"AAECAw=="}}`:             1 + 4,
		`{"k":{"BOOL":false}}`:               1 + 1,
		`{"k":{"NULL":true}}`:                1 + 1,
		`{"k":{"N":"365"}}`:                  1 + 2 + 1,
		`{"k":{"N":"-3600"}}`:                1 + 1 + 1 + 1, // the zeros at the end are free, the sign is not
		`{"k":{"L":[]}}`:                     1 + 3,
		`{"k":{"L":[{"S":"a"},{"S":"bc"}]}}`: 1 + 3 + (1 + 1) + (1 + 2),
		`{"k":{"M":{"xy":{"BOOL":true}}}}`:   1 + 3 + 2 + (1 + 1),
		`{"k":{"SS":["a","bc"]}}`:            1 + 3 + (1 + 1) + (1 + 2),
	} {
		if got, err := itemSize(json.RawMessage(item)); err != nil || got != want {
			t.Errorf("itemSize(%s) = %d, %v, want %d", item, got, err, want)
		}
	}
	for _, item := range []string{`[]`, `{"k":{}}`, `{"k":{"X":"a"}}`, `{"k":{"L":["a"]}}`, `{"k":{"B":"?"}}`} {
		if got, err := itemSize(json.RawMessage(item)); err == nil {
			t.Errorf("itemSize(%s) = %d, want an error", item, got)
		}
	}
}

func TestWriteUnits(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{0: 1, 1: 1, 1024: 1, 1025: 2, 10 << 10: 10} {
		if got := writeUnits(size); got != want {
			t.Errorf("writeUnits(%d) = %d, want %d", size, got, want)
		}
	}
	if got := rawUnits(10 << 10); got != 11 {
		t.Errorf("rawUnits(10 KB) = %d, want 11", got)
	}
}

func TestStored(t *testing.T) {
	t.Parallel()
	document := settingsLike(small, 1)
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkStored(json.RawMessage(`{"orgId":{"S":"acme"},"settings":{"S":`+string(text)+`}}`), document); err != nil {
		t.Errorf("text: %v", err)
	}
	cut := strings.Replace(string(text), `retentionDays`, `retention`, 1)
	if err := checkStored(json.RawMessage(`{"settings":{"S":`+cut+`}}`), document); err == nil {
		t.Error("a changed text passes")
	}
	const native = `{"orgId":{"S":"acme"},"doc":{"M":{"a":{"L":[{"N":"1.5"},{"NULL":true},{"BOOL":false}]},"b":{"S":"x"}}}}`
	if err := checkStored(json.RawMessage(native), `{"a":[1.5,null,false],"b":"x"}`); err != nil {
		t.Errorf("map: %v", err)
	}
	if err := checkStored(json.RawMessage(native), `{"a":[1.5,null,false],"b":"y"}`); err == nil {
		t.Error("a changed map passes")
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, make := range []func(int, uint64) string{settingsLike, incompressible} {
		for _, size := range append(growthSizes(), 257, 400_100) {
			document := make(size, 1)
			if len(document) != size || !json.Valid([]byte(document)) {
				t.Errorf("a document of %d bytes has %d, or is no JSON", size, len(document))
			}
			if document != make(size, 1) {
				t.Errorf("two documents of %d bytes with one seed differ", size)
			}
			if size > 257 && document == make(size, 2) {
				t.Errorf("two documents of %d bytes with two seeds are the same", size)
			}
		}
	}
}
