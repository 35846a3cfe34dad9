// Command costs prints the tables of the README's section on costs: what a million calls cost, by the size of
// the document.
//
// What DynamoDB bills is measured: the deployed program makes the calls, on the local stack, and the requests
// that it sends are metered by DynamoDB's rules. The rest is list prices times assumptions, which prices.go names.
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
	m := newMeter(dynamodb.New())
	database := httptest.NewServer(m)
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
	if _, err := c.call(ctx, http.MethodGet, ""); err != nil { // starts the environment, whose own reads are no call's
		return err
	}

	fmt.Fprintf(out, "| Document | %s |\n|---|%s\n", strings.Join(methods, " | "), strings.Repeat("---|", len(methods)))
	for _, d := range documents() {
		costs := make([]string, 0, len(methods))
		for _, method := range methods {
			u, err := c.call(ctx, method, d.body(method))
			if err != nil {
				return fmt.Errorf("%s of %s: %w", method, d.name, err)
			}
			costs = append(costs, fmt.Sprintf("%d + %d, $%.2f", u.reads, u.writes, u.million()))
		}
		fmt.Fprintf(out, "| %s | %s |\n", d.name, strings.Join(costs, " | "))
	}
	return printPrices(out)
}

// methods in the order of their calls: what POST writes is what the others find.
var methods = []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete}

// usage is what one call uses.
type usage struct {
	reads, writes int // request units
	answer        int // bytes of the answer's body
}

// caller calls the service, one call at a time.
type caller struct {
	stack *stack.Stack
	token string
	meter *meter
}

func (c caller) call(ctx context.Context, method, body string) (usage, error) {
	c.meter.reset()
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
	u := c.meter.read()
	u.answer = len(answer)
	return u, nil
}
