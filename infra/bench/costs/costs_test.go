package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/local/template"
)

// The tables of the README are what the program prints.
func TestReadmeHasTheTables(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var log lines
	if err := run(t.Context(), "../../../template.yaml", &log, &out); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for table := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n\n") {
		if !strings.Contains(string(readme), "\n"+table+"\n") {
			t.Errorf("README.md lacks this table of go run ./infra/bench/costs:\n%s", table)
		}
	}
	if longest := log.longest(); longest == 0 || longest > logBytes/3 {
		t.Errorf("the longest line of a request has %d bytes, a third of %d is taken", longest, logBytes)
	}
}

// lines is a log that several writers share.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// longest returns the length of the longest line that describes a request.
func (l *lines) longest() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range bytes.Lines(l.text) {
		if bytes.Contains(line, []byte(`"msg":"request"`)) {
			n = max(n, len(line))
		}
	}
	return n
}

func TestMemoryIsTheTemplates(t *testing.T) {
	t.Parallel()
	tmpl, err := template.Load("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if tmpl.MemoryMB != lambdaMB {
		t.Errorf("prices.go takes %d MB, the template %d", lambdaMB, tmpl.MemoryMB)
	}
}

func TestDocumentsHaveTheirSize(t *testing.T) {
	t.Parallel()
	for _, d := range documents() {
		var kb int
		fmt.Sscanf(d.name, "%d KB", &kb)
		if len(d.text) != kb<<10 || !json.Valid([]byte(d.text)) {
			t.Errorf("%s has %d bytes, valid JSON: %t", d.name, len(d.text), json.Valid([]byte(d.text)))
		}
	}
}

// By the examples of DynamoDB's guide: a unit is 4 KB read, or 1 KB written, begun.
func TestMeter(t *testing.T) {
	t.Parallel()
	put := func(bytes int) string { // an item of this size: all but settings' value is 25 bytes
		return fmt.Sprintf(`{"TableName":"T","Item":{"orgId":{"S":"a"},"settings":{"S":%q},"role":{"N":"123"},"b":{"B":"AAEC"}}}`, strings.Repeat("x", bytes-25))
	}
	const get = `{"TableName":"T","ConsistentRead":true,"Key":{"orgId":{"S":"a"}}}`
	m := newMeter(nil)
	for _, tt := range []struct {
		operation, body string
		reads, writes   int
	}{
		{"GetItem", get, 1, 0}, // what is not there costs a unit
		{"PutItem", put(1024), 0, 1},
		{"PutItem", put(1025), 0, 2},
		{"PutItem", put(512), 0, 2}, // the item that was there is larger
		{"PutItem", put(512), 0, 1},
		{"PutItem", put(4096), 0, 4},
		{"GetItem", get, 1, 0},
		{"PutItem", put(4097), 0, 5},
		{"GetItem", get, 2, 0},
		{"DescribeTable", `{"TableName":"T"}`, 0, 0},
		{"GetItem", strings.Replace(get, `"a"`, `"b"`, 1), 1, 0},
		{"GetItem", strings.Replace(get, `"T"`, `"U"`, 1), 1, 0},
	} {
		m.reset()
		if err := m.count(tt.operation, []byte(tt.body)); err != nil {
			t.Fatal(err)
		}
		if u := m.read(); u.reads != tt.reads || u.writes != tt.writes {
			t.Errorf("%s %.80s: %d + %d units, want %d + %d", tt.operation, tt.body, u.reads, u.writes, tt.reads, tt.writes)
		}
	}
}
