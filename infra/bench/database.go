package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// serviceTime is what the stand-in takes for a call besides the round trip.
const serviceTime = 200 * time.Microsecond

// database stands in for DynamoDB: it answers GetItem from a fixed set of users and the last settings, accepts every
// PutItem, answers Query with nothing, and remembers its requests. It checks neither signatures nor conditions.
type database struct {
	listener *delayListener
	server   *http.Server
	users    map[string]json.RawMessage // user id → item

	failPuts atomic.Bool // answers every PutItem with an InternalServerError

	mu       sync.Mutex
	calls    []databaseCall
	settings []byte // the last put of settings; empty: none, or they are not asked for
	kept     bool   // settings are remembered
}

type databaseCall struct {
	operation string // such as "PutItem"
	input     []byte
}

func newDatabase(certificate tls.Certificate) (*database, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the database: %w", err)
	}
	d := &database{listener: newDelayListener(listener, roundTrip), users: users()}
	d.server = &http.Server{Handler: d, ErrorLog: log.New(io.Discard, "", 0)}
	go d.server.Serve(tls.NewListener(d.listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	return d, nil
}

// users returns those of the local stack.
func users() map[string]json.RawMessage {
	item := func(user, org, role string) json.RawMessage {
		attributes := map[string]any{"userId": map[string]string{"S": user}}
		if org != "" {
			attributes["orgId"] = map[string]string{"S": org}
		}
		if role != "" {
			attributes["role"] = map[string]string{"N": role}
		}
		text, _ := json.Marshal(attributes) // of strings: it cannot fail
		return text
	}
	return map[string]json.RawMessage{
		owner:   item(owner, ownersOrg, "255"),
		member:  item(member, ownersOrg, "0"),
		noRole:  item(noRole, "initech", ""),
		orgless: item(orgless, "", "255"),
	}
}

// Users of the database.
const (
	owner     = "alice"
	ownersOrg = "acme"
	member    = "dave"    // of the same organization, without the right to write
	noRole    = "erin"    // a member of an organization, may write
	orgless   = "bob"     // in no organization
	nobody    = "mallory" // not in the table
)

func (d *database) url() string { return "https://" + d.listener.Addr().String() }

func (d *database) close() { d.server.Close() }

// remember forgets the settings, and says whether to keep them from now on.
func (d *database) remember(kept bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settings, d.kept = nil, kept
}

// take returns what the stand-in was asked since the last call of take.
func (d *database) take() []databaseCall {
	d.mu.Lock()
	defer d.mu.Unlock()
	calls := d.calls
	d.calls = nil
	return calls
}

func (d *database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	input, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	due := time.Now().Add(serviceTime)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	d.mu.Lock()
	d.calls = append(d.calls, databaseCall{operation, input})
	d.mu.Unlock()
	status, body := d.answer(operation, input)
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", rand.Text())
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	if wait(time.Until(due)) != nil {
		return
	}
	w.WriteHeader(status)
	w.Write(body)
}

func (d *database) answer(operation string, input []byte) (status int, body []byte) {
	switch {
	case operation == "GetItem":
		var in struct {
			TableName string
			Key       struct{ UserID struct{ S string } }
		}
		if err := json.Unmarshal(input, &in); err != nil {
			return failure(http.StatusBadRequest, "SerializationException")
		}
		if in.TableName == settingsTable {
			return d.current()
		}
		item, ok := d.users[in.Key.UserID.S]
		if !ok {
			return http.StatusOK, []byte("{}")
		}
		return http.StatusOK, fmt.Appendf(nil, `{"Item":%s}`, item)
	case operation == "Query": // of the history, before a first write
		return http.StatusOK, []byte(`{"Count":0,"Items":[],"ScannedCount":0}`)
	case operation == "PutItem" && d.failPuts.Load():
		return failure(http.StatusInternalServerError, "InternalServerError")
	case operation == "PutItem":
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.kept && bytes.Contains(input, []byte(`"TableName":"`+settingsTable+`"`)) {
			d.settings = input
		}
		return http.StatusOK, []byte("{}")
	default:
		return failure(http.StatusBadRequest, "UnknownOperationException")
	}
}

// current answers a GetItem of the settings.
func (d *database) current() (status int, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.settings) == 0 {
		return http.StatusOK, []byte("{}")
	}
	var put struct{ Item json.RawMessage }
	if err := json.Unmarshal(d.settings, &put); err != nil {
		return failure(http.StatusBadRequest, "SerializationException")
	}
	return http.StatusOK, fmt.Appendf(nil, `{"Item":%s}`, put.Item)
}

func failure(status int, name string) (int, []byte) {
	return status, fmt.Appendf(nil, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"as ordered"}`, name)
}
