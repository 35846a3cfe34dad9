package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what goes wrong with one call of the database.
type Fault int

// The faults. After most of them the client does not know whether the call was
// carried out.
const (
	None         Fault = iota
	Refused            // 503 or throttled
	Failed             // 500; every other one is carried out
	ResetBefore        // the connection is reset
	ResetAfter         // carried out, then the connection is reset
	Late               // carried out two seconds later, when the client has given up
	StalledAfter       // carried out at once, answered two seconds later
	CutOff             // carried out; the answer is incomplete
	faults             // their number
)

func (f Fault) String() string {
	return [...]string{"none", "refused", "failed", "reset before", "reset after", "late", "stalled after", "cut off"}[f]
}

// stall is longer than the client's timeout.
const stall = 2 * time.Second

// Commit is one put of the settings table that succeeded.
type Commit struct {
	Org, Revision, Document string // the document as text; empty if it was stored otherwise
}

// Proxy forwards calls to a database with faults: 10% of them are refused or fail,
// 5% are reset, 2% stall and 1% are cut off. The seed and n decide the fault of the
// n-th call. A Proxy is safe for concurrent use.
type Proxy struct {
	next http.Handler
	seed uint64

	armed atomic.Bool
	calls atomic.Uint64
	had   [faults]atomic.Int64 // calls by fault

	mu      sync.Mutex // held during a put, so that commits are in order
	commits []Commit
}

// NewProxy returns a Proxy for next. It has no faults before [Proxy.Arm].
func NewProxy(next http.Handler, seed uint64) *Proxy { return &Proxy{next: next, seed: seed} }

// Arm begins faults and the count of calls.
func (p *Proxy) Arm() { p.armed.Store(true) }

// Disarm ends faults and the count of calls.
func (p *Proxy) Disarm() { p.armed.Store(false) }

// Calls returns the number of calls while the proxy was armed.
func (p *Proxy) Calls() int { return int(p.calls.Load()) }

// Commits returns the puts of the settings table that succeeded, in their order.
func (p *Proxy) Commits() []Commit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commits[:len(p.commits):len(p.commits)]
}

// Summary returns the number of calls with each fault.
func (p *Proxy) Summary() string {
	var b strings.Builder
	for f := range faults {
		fmt.Fprintf(&b, "%s%v %d", map[bool]string{true: ", "}[f > 0], f, p.had[f].Load())
	}
	return b.String()
}

// fault returns the fault of the n-th call, and which of its two forms it has.
func (p *Proxy) fault(n uint64) (f Fault, second bool) {
	r := rand.New(rand.NewPCG(p.seed, n))
	x, second := r.Float64(), r.IntN(2) == 1
	either := func(a, b Fault) Fault {
		if second {
			return b
		}
		return a
	}
	switch {
	case x < 0.06:
		return Refused, second
	case x < 0.10:
		return Failed, second
	case x < 0.15:
		return either(ResetBefore, ResetAfter), second
	case x < 0.17:
		return either(Late, StalledAfter), second
	case x < 0.18:
		return CutOff, second
	}
	return None, second
}

// ServeHTTP serves one call.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	var f Fault
	var second bool
	if p.armed.Load() {
		f, second = p.fault(p.calls.Add(1))
		p.had[f].Add(1)
	}
	switch f {
	case None:
		p.carryOut(r, body).send(w)
	case Refused:
		if second {
			failWith(w, 503, "ServiceUnavailable")
		} else {
			failWith(w, 400, "ProvisionedThroughputExceededException")
		}
	case Failed:
		if second {
			p.carryOut(r, body)
		}
		failWith(w, 500, "InternalServerError")
	case ResetBefore:
		reset(w)
	case ResetAfter:
		p.carryOut(r, body)
		reset(w)
	case Late:
		time.Sleep(stall)
		p.carryOut(r, body).send(w)
	case StalledAfter:
		a := p.carryOut(r, body)
		time.Sleep(stall)
		a.send(w)
	case CutOff:
		a := p.carryOut(r, body)
		w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
		a.body.Truncate(a.body.Len() / 2)
		a.send(w)
		panic(http.ErrAbortHandler)
	}
}

// carryOut forwards a call, even if its client is gone.
func (p *Proxy) carryOut(r *http.Request, body []byte) *answer {
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	a := &answer{header: make(http.Header), status: http.StatusOK}
	if r.Header.Get("X-Amz-Target") != "DynamoDB_20120810.PutItem" {
		p.next.ServeHTTP(a, r)
		return a
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next.ServeHTTP(a, r)
	if c, ok := commitOf(body); ok && a.status == http.StatusOK {
		p.commits = append(p.commits, c)
	}
	return a
}

// commitOf reads a put of the settings table.
func commitOf(body []byte) (Commit, bool) {
	type text struct{ S string }
	var put struct {
		TableName string
		Item      struct{ OrgID, Revision, Settings text }
	}
	if err := json.Unmarshal(body, &put); err != nil || put.TableName != "SettingsTable" {
		return Commit{}, false
	}
	return Commit{Org: put.Item.OrgID.S, Revision: put.Item.Revision.S, Document: put.Item.Settings.S}, true
}

// answer is an answer of the database.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		if w.Header()[name] == nil {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client may be gone
}

func failWith(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"injected"}`, code)
}

// reset ends a connection with a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then Close resets
	}
	_ = conn.Close()
}
