package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"orgsettings/infra/local/lambda"
)

// timeout bounds the wait for a process that does not ask for an event.
const timeout = 60 * time.Second

// instance is a running program that asks for an event.
type instance struct {
	*lambda.Environment
	known     chan struct{} // closed when Environment is known
	asked     chan moment   // one for each request for an event
	delivered chan struct{} // an event has been written to the process
	output    tail
	now       moment
}

// moment is when a process asked for an event.
type moment struct {
	at  time.Time
	cpu time.Duration // used by then, since the start of the process
	err error
}

// started is what it took to get to the first event.
type started struct{ wall, cpu time.Duration }

// call is one event, answered.
type call struct {
	latency time.Duration // event handed out → answer received
	cpu     time.Duration // used from one request for an event to the next: everything that the event cost
	answer  []byte
}

// start starts a program and returns when it asks for the first event.
func start(bed *testbed, p program) (*instance, started, error) {
	i := &instance{known: make(chan struct{}), asked: make(chan moment, 1), delivered: make(chan struct{}, 1)}
	config := lambda.Config{
		Name: "bench", Bootstrap: p.artifact, Env: bed.environment(p.contender), MemoryMB: bed.template.MemoryMB,
		Timeout: bed.template.Timeout, InitTimeout: timeout, Output: &i.output, Wrap: i.watch,
	}
	bed.database.remember(p.archives)
	began := time.Now()
	var err error
	if i.Environment, err = lambda.Start(config); err != nil {
		return nil, started{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	close(i.known)
	if err := i.untilAsked(); err != nil {
		i.End()
		return nil, started{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	return i, started{wall: i.now.at.Sub(began), cpu: i.now.cpu}, nil
}

// watch takes time and CPU time at every request for an event, before anything else is done with it.
func (i *instance) watch(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/invocation/next") {
			api.ServeHTTP(w, r)
			return
		}
		at := time.Now()
		<-i.known
		cpu, err := cpuTime(i.Process().Pid)
		i.asked <- moment{at, cpu, err}
		api.ServeHTTP(w, r)
		_ = http.NewResponseController(w).Flush() // a process that is gone fails the call anyway
		select {
		case i.delivered <- struct{}{}:
		default: // the instance has ended
		}
	})
}

func (i *instance) untilAsked() error {
	select {
	case i.now = <-i.asked:
		return i.now.err
	case <-i.Exited():
		return fmt.Errorf("the process ended: %s", i.output.String())
	case <-time.After(timeout):
		return fmt.Errorf("the process asks for no event: %s", i.output.String())
	}
}

// invoke lets the process serve one event.
func (i *instance) invoke(event []byte) (call, error) {
	before := i.now.cpu
	sent := time.Now()
	answer, err := i.Serve(event)
	received := time.Now()
	if err != nil {
		return call{}, fmt.Errorf("%w: %s", err, i.output.String())
	}
	<-i.delivered
	if err := i.untilAsked(); err != nil {
		return call{}, err
	}
	return call{latency: received.Sub(sent), cpu: i.now.cpu - before, answer: answer}, nil
}

// invokeFrozen lets a frozen process go on when the event has been written to it, and serve it.
func (i *instance) invokeFrozen(event []byte) (latency time.Duration, err error) {
	type result struct {
		answer []byte
		err    error
		at     time.Time
	}
	served := make(chan result, 1)
	go func() {
		answer, err := i.Serve(event)
		served <- result{answer, err, time.Now()}
	}()
	select {
	case <-i.delivered:
	case r := <-served: // it failed
		return 0, fmt.Errorf("%w: %s", r.err, i.output.String())
	}
	thawed := time.Now()
	if err := thaw(i.Process()); err != nil {
		return 0, err
	}
	r := <-served
	if r.err != nil {
		return 0, fmt.Errorf("%w: %s", r.err, i.output.String())
	}
	return r.at.Sub(thawed), errors.Join(succeeded(r.answer), i.untilAsked())
}

// peakRSS returns the most memory that the process ever held, in MB (10⁶ bytes).
func (i *instance) peakRSS() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.Process().Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kib) * 1024 / 1e6, err
		}
	}
	return 0, errors.New("the process has no VmHWM")
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const limit = 2000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if excess := len(t.text) - limit; excess > 0 {
		t.text = append(t.text[:0], t.text[excess:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
