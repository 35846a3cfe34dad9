// Command costs prints the tables of docs/costs.md: what a million calls cost, by the size of the document.
//
// The units that DynamoDB bills are measured: the deployed program makes the calls on the local stack, and a meter
// counts its requests. The rest is list prices times the assumptions in prices.go.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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
	off, err := measure(ctx, template, log, map[string]string{"HISTORY_TABLE": ""})
	if err != nil {
		return err
	}
	on, err := measure(ctx, template, log, nil)
	if err != nil {
		return err
	}
	without := make(map[string]string)
	for _, r := range off {
		without[r.document+r.name] = fmt.Sprintf("$%.2f", r.million())
	}
	fmt.Fprint(out, "| Document | Call | Read units | Write units | A million calls | With `History=off` |\n|---|---|--:|--:|--:|--:|\n")
	for _, r := range on {
		fmt.Fprintf(out, "| %s | %s | %d | %d | $%.2f | %s |\n",
			r.document, r.name, r.Reads, r.Writes, r.million(), cmp.Or(without[r.document+r.name], "—"))
	}
	return printPrices(out)
}

// row is what one call uses.
type row struct {
	document, name string
	usage
}

// measure makes the calls on a stack whose function has the variables env, which differ from the template's.
func measure(ctx context.Context, template string, log io.Writer, env map[string]string) ([]row, error) {
	m := meter.New()
	database := httptest.NewServer(metered(m, dynamodb.New()))
	defer database.Close()
	s, err := stack.Start(ctx, stack.Options{
		Template: template, DynamoDBURL: database.URL, Environments: 1, Env: env, Output: log,
	})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	token, err := s.Issuer.Token("alice", issuer.TTL)
	if err != nil {
		return nil, err
	}
	c := caller{url: s.URL + "/settings/organization", token: token, meter: m}
	// The first call starts the environment, whose own requests belong to no call.
	if _, _, err := c.call(ctx, http.MethodGet, "", ""); err != nil {
		return nil, err
	}
	var rows []row
	for _, d := range sampleDocuments() {
		add := func(name, method, path, body string) error {
			_, used, err := c.call(ctx, method, path, body)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", d.name, name, err)
			}
			if name != "" {
				rows = append(rows, row{d.name, name, used})
			}
			return nil
		}
		post := `{"settings":` + d.text + `}`
		err := cmp.Or(
			add("", http.MethodPost, "", post),
			add("", http.MethodPut, "", `{"replaced":true}`), // so that POST replaces a document of that size
			add("`POST`", http.MethodPost, "", post),
			add("`GET`", http.MethodGet, "", ""),
			add("`PUT`", http.MethodPut, "", `{"theme":"light"}`),
			add("`DELETE`", http.MethodDelete, "", `{"keys":["theme"]}`),
		)
		if err == nil && env == nil {
			err = addHistory(ctx, c, add)
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// addHistory adds the calls for the history, which has at least a page of states of one size.
func addHistory(ctx context.Context, c caller, add func(name, method, path, body string) error) error {
	const page = 20
	for n := range page {
		if err := add("", http.MethodPut, "", fmt.Sprintf(`{"replaced":%d}`, n)); err != nil {
			return err
		}
	}
	answer, _, err := c.call(ctx, http.MethodGet, "/history", "")
	if err != nil {
		return err
	}
	var list struct{ History []struct{ Revision string } }
	if err := json.Unmarshal(answer, &list); err != nil {
		return err
	}
	state := "/history/" + list.History[1].Revision
	return cmp.Or(
		add(fmt.Sprintf("list %d states", page), http.MethodGet, "/history", ""),
		add("read a state", http.MethodGet, state, ""),
		add("restore a state", http.MethodPost, state+"/restore", ""),
	)
}

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

// usage is what one call uses.
type usage struct {
	meter.Usage
	answer int // bytes of the answer's body, rounded up to 128: those of a time vary
}

// caller calls the service, one call at a time.
type caller struct {
	url, token string
	meter      *meter.Meter
}

// call returns the answer's body and what the call used.
func (c caller) call(ctx context.Context, method, path, body string) ([]byte, usage, error) {
	_, err := c.meter.Take() // what was used before this call
	if err != nil {
		return nil, usage{}, err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return nil, usage{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, usage{}, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, usage{}, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, usage{}, fmt.Errorf("answer %d %s", response.StatusCode, bytes.TrimSpace(answer))
	}
	used, err := c.meter.Take()
	return answer, usage{used, (len(answer) + 127) &^ 127}, err
}
