package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// meter stands before a DynamoDB endpoint and adds up what the GetItem and PutItem requests of one call would
// be billed. It takes every request to succeed.
//
// The rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type meter struct {
	next http.Handler

	mu    sync.Mutex
	sizes map[string]int // bytes of the items, by table and key
	used  usage
}

func newMeter(next http.Handler) *meter { return &meter{next: next, sizes: make(map[string]int)} }

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = usage{}
}

func (m *meter) read() usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err := m.count(operation, body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	m.next.ServeHTTP(w, r)
}

func (m *meter) count(operation string, body []byte) error {
	if operation != "GetItem" && operation != "PutItem" {
		return nil
	}
	var request struct {
		TableName      string
		ConsistentRead bool
		Key, Item      item
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if operation == "GetItem" {
		if !request.ConsistentRead {
			return errors.New("inconsistent reads are not metered")
		}
		m.used.reads += units(m.sizes[request.TableName+" "+request.Key.key()], 4<<10)
		return nil
	}
	id := request.TableName + " " + request.Item.key()
	size := request.Item.size()
	m.used.writes += units(max(size, m.sizes[id]), 1<<10) // the larger one of before and after
	m.sizes[id] = size
	return nil
}

// units returns how many blocks hold size bytes; what is not there counts as one.
func units(size, block int) int { return max(1, (size+block-1)/block) }

// item is an item as requests carry it. Numbers stay as they are, and bytes are decoded.
type item map[string]struct {
	S, N *string
	B    []byte
}

// key returns the key, which is userId in the one table, beside an orgId, and orgId in the other.
func (it item) key() string {
	for _, name := range []string{"userId", "orgId"} {
		if v := it[name].S; v != nil {
			return *v
		}
	}
	return ""
}

// size returns the bytes that DynamoDB counts: names and values, a number as a byte for each two digits and one more.
func (it item) size() int {
	total := 0
	for name, v := range it {
		total += len(name) + len(v.B)
		if v.S != nil {
			total += len(*v.S)
		}
		if v.N != nil {
			total += (len(*v.N)+1)/2 + 1
		}
	}
	return total
}
