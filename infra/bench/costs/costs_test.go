package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/bench/meter"
	"orgsettings/infra/local/template"
)

// The tables of docs/costs.md are what the program prints.
func TestPageHasTheTables(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var log lines
	if err := run(t.Context(), "../../../template.yaml", &log, &out); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/costs.md")
	if err != nil {
		t.Fatal(err)
	}
	for table := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n\n") {
		if !strings.Contains(string(page), "\n"+table+"\n") {
			t.Errorf("docs/costs.md lacks this table of go run ./infra/bench/costs:\n%s", table)
		}
	}
	if longest := log.longest(); longest == 0 || longest > functionLine {
		t.Errorf("the longest line of a request has %d bytes, %d are taken", longest, functionLine)
	}
}

// A million POSTs of 1 KB is the bound that a deployment was promised.
func TestMillionSmallPosts(t *testing.T) {
	t.Parallel()
	if cost := (usage{meter.Usage{Reads: 1, Writes: 2}, 100}).million(); cost > 3.15 {
		t.Errorf("a million calls cost $%.2f, more than $3.15", cost)
	}
}

func TestGatewayLine(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, format, found := strings.Cut(string(text), "Format: >-\n")
	format, _, _ = strings.Cut(format, "\n\n")
	if !found {
		t.Fatal("template.yaml has no format of the access log")
	}
	line := regexp.MustCompile(`\n\s+`).ReplaceAllString(strings.TrimSpace(format), " ")
	for name, value := range map[string]string{
		"requestId": "JKJaXmPLvHcESHA=", "identity.sourceIp": "203.0.113.254", "routeKey": "DELETE /settings/organization",
		"status": "200", "responseLatency": "100", "integrationStatus": "200", "integrationErrorMessage": "-",
	} {
		line = strings.ReplaceAll(line, `"$context.`+name+`"`, `"`+value+`"`)
	}
	if strings.Contains(line, "$") || len(line) > gatewayLine {
		t.Errorf("%d bytes, %d are taken: %s", len(line), gatewayLine, line)
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
