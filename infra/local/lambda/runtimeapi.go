package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// runtimeAPI serves one environment.
type runtimeAPI struct {
	mux        *http.ServeMux
	name       string
	next       chan *invocation
	initErrors chan error

	mu      sync.Mutex
	current *invocation // handed out and not answered yet
}

// invocation is one event on its way through an environment.
type invocation struct {
	id       string
	payload  []byte
	deadline chan time.Time
	result   chan result
}

type result struct {
	response []byte
	err      error
}

func newInvocation(payload []byte) *invocation {
	return &invocation{id: newUUID(), payload: payload, deadline: make(chan time.Time, 1), result: make(chan result, 1)}
}

func newRuntimeAPI(name string) *runtimeAPI {
	a := &runtimeAPI{mux: http.NewServeMux(), name: name, next: make(chan *invocation), initErrors: make(chan error, 1)}
	const version = "/2018-06-01/runtime"
	a.mux.HandleFunc("GET "+version+"/invocation/next", a.handOut)
	a.mux.HandleFunc("POST "+version+"/invocation/{id}/response", a.takeResponse)
	a.mux.HandleFunc("POST "+version+"/invocation/{id}/error", a.takeError)
	a.mux.HandleFunc("POST "+version+"/init/error", a.takeInitError)
	return a
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// handOut waits for an event and hands it to the runtime.
func (a *runtimeAPI) handOut(w http.ResponseWriter, r *http.Request) {
	select {
	case inv := <-a.next:
		deadline := <-inv.deadline
		a.mu.Lock()
		a.current = inv
		a.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:"+a.name)
		h.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), newID()[:24], newID()[:16]))
		w.Write(inv.payload)
	case <-r.Context().Done():
	}
}

// take returns the invocation that the request is about, which is over then.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request) *invocation {
	a.mu.Lock()
	inv := a.current
	if inv == nil || inv.id != r.PathValue("id") {
		inv = nil
	} else {
		a.current = nil
	}
	a.mu.Unlock()
	if inv == nil {
		answer(w, http.StatusBadRequest, "InvalidRequestID", "there is no such request")
	}
	return inv
}

func (a *runtimeAPI) takeResponse(w http.ResponseWriter, r *http.Request) {
	inv := a.take(w, r)
	if inv == nil {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		inv.result <- result{err: &FunctionError{Type: "Function.ResponseSizeTooLarge", Message: "the response is larger than 6 MB"}}
		answer(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the response is larger than 6 MB")
		return
	}
	if err != nil {
		inv.result <- result{err: &FunctionError{Type: "Runtime.TruncatedResponse", Message: err.Error()}}
		return
	}
	inv.result <- result{response: body}
	accepted(w)
}

func (a *runtimeAPI) takeError(w http.ResponseWriter, r *http.Request) {
	if inv := a.take(w, r); inv != nil {
		inv.result <- result{err: readError(r)}
		accepted(w)
	}
}

func (a *runtimeAPI) takeInitError(w http.ResponseWriter, r *http.Request) {
	select {
	case a.initErrors <- readError(r):
	default:
	}
	accepted(w)
}

func readError(r *http.Request) *FunctionError {
	var body struct{ ErrorType, ErrorMessage string }
	// An error that cannot be read is an error all the same.
	_ = json.NewDecoder(io.LimitReader(r.Body, maxPayload)).Decode(&body)
	return &FunctionError{Type: body.ErrorType, Message: body.ErrorMessage}
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func answer(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}

// newID returns 32 random hexadecimal digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func newUUID() string {
	id := newID()
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
