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
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
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
	mu      sync.RWMutex // guards everything; records are never modified
	tables  map[string]*table
	journal *journal // nil: tables are in memory only
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
	switch operation {
	case "CreateTable":
		return e.createTable(body)
	case "DescribeTable":
		return e.describeTable(body)
	case "ListTables":
		return e.listTables(body)
	case "DeleteTable":
		return e.deleteTable(body)
	case "GetItem":
		return e.getItem(body)
	case "PutItem":
		return e.putItem(body)
	case "DeleteItem":
		return e.deleteItem(body)
	case "BatchWriteItem":
		return e.batchWriteItem(body)
	case "Query":
		return e.query(body)
	case "Scan":
		return e.scan(body)
	case "DescribeTimeToLive":
		return e.describeTimeToLive(body)
	case "UpdateTimeToLive":
		return e.updateTimeToLive(body)
	}
	return nil, &failure{Type: unknownOperation, Message: "operation " + strconv.Quote(operation) + " is not supported"}
}

// members are the members that an operation knows, by their exact names, with the
// pointers that receive their values.
type members map[string]any

// decode reads a request. It refuses a member that is not known, because the
// member would change the meaning of the request.
func decode(body []byte, known members) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if start, err := dec.Token(); err != nil {
		return err
	} else if start != json.Delim('{') {
		return errors.New("request is not a JSON object")
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name := token.(string) // inside an object, Token returns a name before each value
		dst, ok := known[name]
		if !ok {
			return invalid("request member %q is not supported here, or given twice", name)
		}
		delete(known, name)
		if err := dec.Decode(dst); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("request has data after its JSON object")
	}
	return nil
}
