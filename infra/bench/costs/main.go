// Command costs prints the tables of docs/costs.md: what a million calls cost, by the size of the document.
//
// The units that DynamoDB bills are measured: the deployed program makes the calls on the local stack, and a meter
// counts its requests. The rest is list prices times the assumptions in prices.go.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"orgsettings/infra/bench/documents"
	"orgsettings/infra/bench/meter"
	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

func main() {
	if err := run(context.Background(), "template.yaml", io.Discard, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "costs:", err)
		os.Exit(1)
	}
}

// run prints the tables. What the function logs goes to log.
func run(ctx context.Context, template string, log, out io.Writer) error {
	m := meter.New()
	database := httptest.NewServer(metered(m, dynamodb.New()))
	defer database.Close()
	s, err := stack.Start(ctx, stack.Options{
		Template: template, DynamoDBURL: database.URL, Environments: 1, Output: log,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	token, err := s.Issuer.Token("alice", issuer.TTL)
	if err != nil {
		return err
	}
	c := caller{stack: s, token: token, meter: m}
	// The first call starts the environment, whose own requests belong to no call.
	if _, err := c.call(ctx, http.MethodGet, ""); err != nil {
		return err
	}

	fmt.Fprint(out, "| Document | Call | Read units | Write units | A million calls |\n|---|---|--:|--:|--:|\n")
	for _, d := range sampleDocuments() {
		for _, method := range methods {
			u, err := c.call(ctx, method, d.body(method))
			if err != nil {
				return fmt.Errorf("%s of %s: %w", method, d.name, err)
			}
			fmt.Fprintf(out, "| %s | `%s` | %d | %d | $%.2f |\n", d.name, method, u.Reads, u.Writes, u.million())
		}
	}
	return printPrices(out)
}

// methods in the order of their calls: what POST writes is what the others find.
var methods = []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete}

// metered counts the requests on their way to a database. A retry, which a slow machine causes, is the same as the
// request before it and is not counted.
func metered(m *meter.Meter, database http.Handler) http.Handler {
	var mu sync.Mutex
	var last []byte
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		input, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		mu.Lock()
		if !bytes.Equal(input, last) {
			m.Count(operation, input)
		}
		last = input
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(input))
		database.ServeHTTP(w, r)
	})
}

// document is a settings document of an exact size.
type document struct{ name, text string }

// sampleDocuments returns the same documents each time.
func sampleDocuments() []document {
	var all []document
	for _, kb := range []int{1, 10, 100, 390} {
		all = append(all, document{fmt.Sprintf("%d KB", kb), documents.Settings(kb<<10, 1)})
	}
	return append(all, document{"390 KB, random letters", documents.Random(390<<10, 1)})
}

// body returns the body of a request by method: the document, or a small change of it.
func (d document) body(method string) string {
	switch method {
	case http.MethodPost:
		return `{"settings":` + d.text + `}`
	case http.MethodPut:
		return `{"theme":"light"}`
	case http.MethodDelete:
		return `{"keys":["theme"]}`
	default:
		return ""
	}
}

// usage is what one call uses.
type usage struct {
	meter.Usage
	answer int // bytes of the answer's body
}

// caller calls the service, one call at a time.
type caller struct {
	stack *stack.Stack
	token string
	meter *meter.Meter
}

func (c caller) call(ctx context.Context, method, body string) (usage, error) {
	_, err := c.meter.Take() // what was used before this call
	if err != nil {
		return usage{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.stack.URL+"/settings/organization", strings.NewReader(body))
	if err != nil {
		return usage{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return usage{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return usage{}, err
	}
	if response.StatusCode != http.StatusOK {
		return usage{}, fmt.Errorf("answer %d %s", response.StatusCode, bytes.TrimSpace(answer))
	}
	used, err := c.meter.Take()
	return usage{used, len(answer)}, err
}
