// Package dynamodb is an embedded stand-in for Amazon DynamoDB, for the local
// stack and for tests: a strict subset of the DynamoDB JSON 1.0 protocol. It
// serves tables without indexes, and the operations CreateTable, DescribeTable,
// ListTables, DeleteTable, DescribeTimeToLive, UpdateTimeToLive, GetItem, PutItem,
// DeleteItem, BatchWriteItem, Query and Scan. What it serves behaves as DynamoDB
// documents it. It refuses everything else and names it.
//
// It does not verify signatures (a request only needs an Authorization header),
// meter capacity, throttle or expire anything. Every read is consistent.
// Numbers come back as they were sent: DynamoDB normalizes them (1.0 becomes 1).
// The package knows nothing of the tables' purpose.
package dynamodb

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	contentType = "application/x-amz-json-1.0"
	maxRequest  = 16 << 20
)

// Engine is one account in one region: a set of tables. It is an [http.Handler],
// safe for concurrent use. Every operation is atomic.
type Engine struct {
	mu      sync.Mutex // guards everything; items are never modified
	tables  map[string]*table
	journal *os.File // nil: the tables are in memory only
	lock    *os.File // of the directory of the journal
	broken  error    // the journal lacks a change that was made
}

// New returns an Engine without tables, which are kept in memory only.
func New() *Engine {
	return &Engine{tables: make(map[string]*table)}
}

// ServeHTTP answers one request of the protocol. GET / is the health check of the
// real endpoints.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		respond(w, http.StatusOK, "text/plain", []byte("healthy: dynamodb.local"))
		return
	}
	status := http.StatusOK
	answer, err := e.serve(w, r)
	if err != nil {
		f := failureOf(err)
		status, answer = cmp.Or(f.status, http.StatusBadRequest), f
	}
	var body bytes.Buffer
	_ = encode(&body, answer)
	respond(w, status, contentType, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

// encode writes JSON and a newline. Only writing can fail: the values are checked JSON.
func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func respond(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-Requestid", rand.Text())
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	w.Write(body)
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request) (any, error) {
	if r.Header.Get("Authorization") == "" {
		return nil, &failure{Type: missingAuthentication, Message: "request is missing an Authorization header"}
	}
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !ok || r.Method != http.MethodPost || r.URL.Path != "/" || r.Header.Get("Content-Type") != contentType {
		return nil, &failure{Type: unknownOperation, Message: "an operation is a POST to / of " + contentType +
			" with X-Amz-Target: DynamoDB_20120810.<operation>"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &failure{Type: requestTooLarge, Message: "request exceeds 16 MB", status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, errors.New("request is not UTF-8")
	}
	return e.do(operation, body)
}

// do makes one operation and records it if it changes something.
func (e *Engine) do(name string, body []byte) (any, error) {
	op, ok := operations()[name]
	if !ok {
		return nil, &failure{Type: unknownOperation, Message: "operation " + strconv.Quote(name) + " is not supported"}
	}
	r, err := read(body, strings.Fields(op.members))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return nil, e.broken
	}
	answer, err := op.do(e, r)
	if err == nil && op.changes {
		err = e.record(name, body)
	}
	return answer, err
}
