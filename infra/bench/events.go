package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// request is what a client sends to the service.
type request struct {
	token  string // empty: no Authorization header
	body   string
	base64 bool // as the gateway encodes bodies of a type that it does not know
}

// event returns the request as API Gateway hands it to a function (HTTP API, payload 2.0).
func event(r request) ([]byte, error) {
	headers := map[string]string{
		"accept":            "*/*",
		"content-length":    fmt.Sprint(len(r.body)),
		"content-type":      "application/json",
		"host":              "abcdef1234.execute-api.eu-central-1.amazonaws.com",
		"user-agent":        "bench",
		"x-amzn-trace-id":   "Root=1-6923d5c0-3f2a6b7c1d2e4f5061728394",
		"x-forwarded-for":   "203.0.113.7",
		"x-forwarded-port":  "443",
		"x-forwarded-proto": "https",
	}
	if r.token != "" {
		headers["authorization"] = "Bearer " + r.token
	}
	if r.base64 {
		r.body = base64.StdEncoding.EncodeToString([]byte(r.body))
	}
	const method, path = "POST", "/settings/organization"
	now := time.Now().UTC()
	return json.Marshal(map[string]any{
		"version": "2.0", "routeKey": method + " " + path, "rawPath": path, "rawQueryString": "",
		"headers": headers,
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abcdef1234",
			"domainName": "abcdef1234.execute-api.eu-central-1.amazonaws.com", "domainPrefix": "abcdef1234",
			"http": map[string]string{
				"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "bench",
			},
			"requestId": "JKJaXmPLvHcESHA=", "routeKey": method + " " + path, "stage": "$default",
			"time": now.Format("02/Jan/2006:15:04:05 -0700"), "timeEpoch": now.UnixMilli(),
		},
		"body": r.body, "isBase64Encoded": r.base64,
	})
}

// wrapped returns the body of a request that replaces the settings by document.
func wrapped(document string) string { return `{"settings":` + document + `}` }

// response is a function's answer to the gateway.
type response struct {
	StatusCode int
	Body       string
	Base64     bool `json:"isBase64Encoded"`
}

// succeeded checks that an answer is 200.
func succeeded(answer []byte) error {
	r, err := readResponse(answer)
	if err == nil && r.StatusCode != 200 {
		err = fmt.Errorf("an event was answered %d: %s", r.StatusCode, r.Body)
	}
	return err
}

func readResponse(answer []byte) (response, error) {
	var r response
	if err := json.Unmarshal(answer, &r); err != nil {
		return r, fmt.Errorf("read an answer: %w", err)
	}
	if r.Base64 {
		body, err := base64.StdEncoding.DecodeString(r.Body)
		r.Body = string(body)
		return r, err
	}
	return r, nil
}
