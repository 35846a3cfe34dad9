package main

import (
	"bytes"
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
