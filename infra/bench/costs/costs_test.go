package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/local/template"
	"orgsettings/internal/api"
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
	checkSmallPosts(t, out.String())
	if longest := log.longest(); longest == 0 || longest > functionLine {
		t.Errorf("the longest line of a request has %d bytes, %d are taken", longest, functionLine)
	}
}

// A deployment was promised a million POSTs of 1 KB for at most $3.15 without history. History may add $1.50.
func checkSmallPosts(t *testing.T, tables string) {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| 1 KB \\| `POST` \\|.* \\$([0-9.]+) \\| \\$([0-9.]+) \\|$").FindStringSubmatch(tables)
	if row == nil {
		t.Fatalf("no row for POST of 1 KB in\n%s", tables)
	}
	for i, most := range []float64{3.15 + 1.50, 3.15} {
		if cost, err := strconv.ParseFloat(row[i+1], 64); err != nil || cost > most {
			t.Errorf("a million calls cost $%s, more than $%.2f: %s", row[i+1], most, row[0])
		}
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
	longest := slices.MaxFunc(api.Routes(), func(a, b string) int { return len(a) - len(b) })
	for name, value := range map[string]string{
		"requestId": "JKJaXmPLvHcESHA=", "identity.sourceIp": "203.0.113.254", "routeKey": longest,
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
