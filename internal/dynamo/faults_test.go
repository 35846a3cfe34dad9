package dynamo_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// faulty serves the requests by fault until it returns false, then by an engine.
func faulty(t *testing.T, fault func(n int64, w http.ResponseWriter, r *http.Request, engine http.Handler) bool) fixture {
	t.Helper()
	engine := dynamodb.New()
	var n, setUp atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if setUp.Load() == 1 && fault(n.Add(1), w, r, engine) {
			return
		}
		engine.ServeHTTP(w, r)
	}))
	t.Cleanup(server.CloseClientConnections) // before Close, which waits for hanging requests
	t.Cleanup(server.Close)
	f := newFixture(t, server.URL)
	setUp.Store(1)
	return f
}

func answer(status int, code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"injected"}`, code)
	}
}

// reset ends a connection as a host does that has lost it.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// Three failures in a row are ridden out within the pauses of well under half a
// second, and every attempt is counted.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter){
		"internal error": answer(500, "InternalServerError"),
		"unavailable":    answer(503, "ServiceUnavailable"),
		"throttled":      answer(400, "ProvisionedThroughputExceededException"),
		"replica":        answer(400, "ReplicatedWriteConflictException"),
		"transaction":    answer(400, "TransactionConflictException"),
		"reset":          reset,
		"no JSON":        func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		"cut off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"Item":{"orgId":`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := faulty(t, func(n int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				if n%4 == 0 {
					return false
				}
				fault(w)
				return true
			})
			ctx, spent := dynamo.Meter(t.Context())
			if err := f.Put(ctx, record("acme", 1, `{"a":1}`), settings.Condition{}); err != nil {
				t.Fatalf("put: %v", err)
			}
			if r, err := f.Get(ctx, "acme"); err != nil || r.Revision != revision(1) {
				t.Fatalf("get: %q, %v", r.Revision, err)
			}
			if attempts, took := spent(); attempts != 8 || took <= 0 || took > 2*time.Second {
				t.Errorf("%d attempts and %v are counted, want 8 in at most 2 s", attempts, took)
			}
		})
	}
}

// A request that meets a dead connection goes out again over another one, within
// the same attempt of the client and so without its pause.
func TestDeadConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	var attempts []string
	f := faulty(t, func(n int64, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		attempts = append(attempts, r.Header.Get("Amz-Sdk-Request"))
		if n == 2 {
			reset(w)
		}
		return n == 2
	})
	f.mustPut(t, record("acme", 1, `{}`))
	ctx, spent := dynamo.Meter(t.Context())
	if err := f.Put(ctx, record("acme", 2, `{}`), settings.Condition{}); err != nil {
		t.Fatal(err)
	}
	if n, _ := spent(); len(attempts) != 3 || attempts[1] != attempts[2] || n != 2 {
		t.Errorf("requests %q, %d of them counted for the second put", attempts, n)
	}
}

// A write that took place without an answer is confirmed, not repeated as another.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]settings.Condition{
		"unconditional": {},
		"create":        {IfNoneMatch: &settings.Revisions{Any: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := faulty(t, func(n int64, w http.ResponseWriter, r *http.Request, engine http.Handler) bool {
				if n > 1 {
					return false
				}
				engine.ServeHTTP(httptest.NewRecorder(), r)
				reset(w)
				return true
			})
			if err := f.Put(t.Context(), record("acme", 1, `{"a":1}`), c); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
}

// A database that is lost for good, or that never answers, is given up within
// two seconds.
func TestLastingFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(http.ResponseWriter, *http.Request){
		"down":    func(w http.ResponseWriter, _ *http.Request) { reset(w) },
		"failing": func(w http.ResponseWriter, _ *http.Request) { answer(500, "InternalServerError")(w) },
		"denied":  func(w http.ResponseWriter, _ *http.Request) { answer(400, "AccessDeniedException")(w) },
		"silent":  func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := faulty(t, func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				fault(w, r)
				return true
			})
			began := time.Now()
			_, err := f.Get(t.Context(), "acme")
			if !errors.Is(err, settings.ErrUnavailable) {
				t.Errorf("error is %v, want ErrUnavailable", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("gave up after %v", took)
			}
		})
	}
}

// The client's own quota of retries is not in force: it would not be refilled
// by a retry that ends in a failed condition, and run dry after about 100.
func TestRetriesDoNotRunDry(t *testing.T) {
	t.Parallel()
	f := faulty(t, func(n int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if n%2 == 1 {
			return false
		}
		answer(500, "InternalServerError")(w)
		return true
	})
	f.mustPut(t, record("acme", 2, `{}`))
	for n := range 120 {
		err := f.Put(t.Context(), record("acme", 1, `{}`), settings.Condition{})
		if _, ok := errors.AsType[*settings.ConflictError](err); !ok {
			t.Fatalf("put %d: error %v, want a ConflictError", n, err)
		}
	}
}

// An answer without end is cut after 1 MB, and is an outage like any other answer that cannot be read.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"white space": " ", "a string": "x", "members": `":{"S":"`, "levels": "["} {
		var sent atomic.Int64
		f := faulty(t, func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			io.WriteString(w, `{"Item":{"settings":{"S":"`)
			for piece := []byte(strings.Repeat(unit, 64<<10/len(unit))); r.Context().Err() == nil; {
				n, err := w.Write(piece)
				if sent.Add(int64(n)); err != nil {
					break
				}
			}
			return true
		})
		began := time.Now()
		_, err := f.Get(t.Context(), "acme")
		if !errors.Is(err, settings.ErrUnavailable) || time.Since(began) > 2500*time.Millisecond {
			t.Errorf("%s: %v after %v, want an outage", name, err, time.Since(began))
		}
		// Four attempts of 8 MB, and what the buffers of the connections hold.
		if sent.Load() > 64<<20 {
			t.Errorf("%s: %d bytes are read", name, sent.Load())
		}
	}
	for size, want := range map[int]error{8 << 20: nil, 8<<20 + 1: settings.ErrUnavailable} {
		item := `{"Item":{"orgId":{"S":"acme"},"settings":{"S":"{\"a\":1}"},"revision":{"S":"` + string(revision(1)) + `"}}}`
		f := faulty(t, func(_ int64, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			io.WriteString(w, strings.Repeat(" ", size-len(item))+item)
			return true
		})
		if r, err := f.Get(t.Context(), "acme"); !errors.Is(err, want) || err == nil && string(r.Document.Text()) != `{"a":1}` {
			t.Errorf("an answer of %d bytes: %s, %v, want %v", size, r.Document.Text(), err, want)
		}
	}
}
