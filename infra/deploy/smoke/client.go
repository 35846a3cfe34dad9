package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswer bounds one answer: the largest document and its envelope are smaller.
const maxAnswer = 1 << 20

// client calls one service as one user.
type client struct {
	url   string
	token string
	http  *http.Client
}

// answer is an answer with the members of the contract's bodies.
type answer struct {
	status   int
	etag     string
	hasLink  bool            // to the schema of the document
	Success  bool            `json:"success"`
	Message  string          `json:"message"`
	Error    string          `json:"error"`
	Settings json.RawMessage `json:"settings"`
	History  []struct {
		Revision string `json:"revision"`
	} `json:"history"`
}

// String returns one line without the document.
func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", a.status, a.Message, a.Error))
}

func (c *client) get(ctx context.Context) (answer, error) {
	return c.send(ctx, http.MethodGet, c.token, "", precondition{})
}

// below returns a client for a path below the resource.
func (c client) below(path string) *client {
	c.url += path
	return &c
}

// post replaces the document if p holds.
func (c *client) post(ctx context.Context, settings string, p precondition) (answer, error) {
	return c.send(ctx, http.MethodPost, c.token, `{"settings":`+settings+`}`, p)
}

// precondition is a header field and its value; empty: none.
type precondition struct{ field, value string }

func (c *client) send(ctx context.Context, method, token, body string, p precondition) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", "organization-settings-smoke")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if p.field != "" {
		request.Header.Set(p.field, p.value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	got := answer{status: response.StatusCode, etag: response.Header.Get("ETag"), hasLink: response.Header.Get("Link") != ""}
	if err := json.Unmarshal(text, &got); err != nil {
		return got, fmt.Errorf("%d with a body that is not JSON: %w", got.status, err)
	}
	return got, nil
}
