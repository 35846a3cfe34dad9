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
	Success  bool            `json:"success"`
	Message  string          `json:"message"`
	Error    string          `json:"error"`
	Settings json.RawMessage `json:"settings"`
}

// String returns one line without the document.
func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", a.status, a.Message, a.Error))
}

func (c *client) get(ctx context.Context) (answer, error) {
	return c.send(ctx, http.MethodGet, c.token, "", "")
}

// post replaces the document. If ifMatch is not empty, it is sent as If-Match.
func (c *client) post(ctx context.Context, settings, ifMatch string) (answer, error) {
	return c.send(ctx, http.MethodPost, c.token, `{"settings":`+settings+`}`, ifMatch)
}

func (c *client) send(ctx context.Context, method, token, body, ifMatch string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", "organization-settings-smoke")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if ifMatch != "" {
		request.Header.Set("If-Match", ifMatch)
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
	got := answer{status: response.StatusCode, etag: response.Header.Get("ETag")}
	if err := json.Unmarshal(text, &got); err != nil {
		return got, fmt.Errorf("%d with a body that is not JSON: %w", got.status, err)
	}
	return got, nil
}
