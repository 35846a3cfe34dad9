// Package lambda runs a Lambda function from its bootstrap executable as AWS
// Lambda does: environments that are started on demand, serve one event at a
// time each, and fetch their events from a Runtime API.
//
// It knows nothing of what the events hold. It neither freezes an environment between two events nor limits its CPU time.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// maxPayload is how many bytes an event or a response may have.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPayload = 6 << 20

// Config says what function to run, and how.
type Config struct {
	Name      string
	Bootstrap string   // path of the executable
	Env       []string // "NAME=value": the whole environment besides what Lambda itself sets
	MemoryMB  int      // a process that exceeds it while it serves an event is killed (on Linux only); 0: no limit

	Timeout         time.Duration // of an event, counted as Lambda does; the environment is then killed
	InitTimeout     time.Duration // of an environment's start
	MaxEnvironments int
	Output          io.Writer // gets what the environments write to stdout and stderr, several at once

	Wrap func(http.Handler) http.Handler // of each environment's Runtime API, to observe it; nil: none
}

// Errors of [Function.Invoke] other than a [*FunctionError].
var (
	ErrTimeout       = errors.New("function timed out")
	ErrNoEnvironment = errors.New("every environment is busy")
	ErrTooLarge      = errors.New("event is larger than 6 MB")
	ErrClosed        = errors.New("function is closed")
)

// FunctionError says that the function did not answer an event: its runtime
// reported an error, or its process ended.
type FunctionError struct {
	Type, Message string
}

func (e *FunctionError) Error() string { return "function failed: " + e.Type + ": " + e.Message }

// Function is a function with its environments. It is safe for concurrent use.
type Function struct {
	config Config

	mu     sync.Mutex
	idle   []*Environment // the one that served last is at the end
	all    map[*Environment]struct{}
	closed bool
}

// New returns a Function that has no environment yet.
func New(c Config) (*Function, error) {
	info, err := os.Stat(c.Bootstrap)
	switch {
	case err != nil:
		return nil, fmt.Errorf("find the bootstrap: %w", err)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return nil, fmt.Errorf("find the bootstrap: %s is not executable", c.Bootstrap)
	case c.Timeout <= 0 || c.InitTimeout <= 0 || c.MaxEnvironments <= 0:
		return nil, errors.New("configure the function: Timeout, InitTimeout and MaxEnvironments must be positive")
	}
	return &Function{config: c, all: make(map[*Environment]struct{})}, nil
}

// Invoke lets an environment serve payload and returns its response: the idle
// one that served last, or a new one. As Lambda does, it goes on to the end when
// ctx ends: the caller is gone, the event is not.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, ErrTooLarge
	}
	type result struct {
		response []byte
		err      error
	}
	done := make(chan result, 1)
	go func() {
		response, err := f.invoke(payload)
		done <- result{response, err}
	}()
	select {
	case r := <-done:
		return r.response, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *Function) invoke(payload []byte) ([]byte, error) {
	for {
		e, err := f.acquire()
		if err != nil {
			return nil, err
		}
		response, err := e.Serve(payload)
		f.release(e)
		if !errors.Is(err, errEndedIdle) {
			return response, err
		}
	}
}

func (f *Function) acquire() (*Environment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	for len(f.idle) > 0 {
		e := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if e.alive() {
			return e, nil
		}
		delete(f.all, e)
		e.End()
	}
	if len(f.all) >= f.config.MaxEnvironments {
		return nil, fmt.Errorf("%w: there are %d, the most that the function may have", ErrNoEnvironment, len(f.all))
	}
	e, err := Start(f.config)
	if err != nil {
		return nil, err
	}
	f.all[e] = struct{}{}
	return e, nil
}

// release takes e back, unless it ended or must end.
func (f *Function) release(e *Environment) {
	f.mu.Lock()
	keep := e.alive() && !f.closed
	if keep {
		f.idle = append(f.idle, e)
	} else {
		delete(f.all, e)
	}
	f.mu.Unlock()
	if !keep {
		e.End()
	}
}

// Environments returns the process ids of the environments there are.
func (f *Function) Environments() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	pids := make([]int, 0, len(f.all))
	for e := range f.all {
		pids = append(pids, e.process.Process.Pid)
	}
	return pids
}

// Close ends every environment and waits until they have ended. Events that are
// being served fail.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	var ending []*Environment
	for e := range f.all {
		ending = append(ending, e)
	}
	f.mu.Unlock()
	for _, e := range ending {
		e.End()
	}
	f.mu.Lock()
	clear(f.all)
	f.idle = nil
	f.mu.Unlock()
	return nil
}
