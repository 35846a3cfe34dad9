package lambda_test

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"orgsettings/infra/local/lambda"
)

func TestClose(t *testing.T) {
	t.Parallel()
	f := start(t, "library", nil)
	g, idle := newGate(t), newGate(t)
	done := g.begin(t.Context(), f)
	other := idle.begin(t.Context(), f)
	close(idle.open)
	if o := <-other; o.err != nil {
		t.Fatal(o.err)
	}
	pids := f.Environments()
	if len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("environments %v, want two that live", pids)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d outlives Close", pid)
		}
	}
	checkError(t, (<-done).err, &lambda.FunctionError{Type: "Runtime.ExitError", Message: "the process ended while it served an event"})
	if _, err := invoke(t.Context(), f, event{}); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("Invoke after Close = %v, want ErrClosed", err)
	}
	if got := f.Environments(); len(got) != 0 {
		t.Errorf("environments after Close: %v", got)
	}
	if err := f.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}

func TestCloseWhileInvoking(t *testing.T) {
	t.Parallel()
	f := start(t, "library", func(c *lambda.Config) { c.MaxEnvironments = 2 })
	var (
		callers sync.WaitGroup
		mu      sync.Mutex
		pids    = make(map[int]bool)
		served  = make(chan struct{}, 1)
	)
	for range 4 {
		callers.Go(func() {
			for {
				p, err := invoke(t.Context(), f, event{})
				_, failed := errors.AsType[*lambda.FunctionError](err)
				switch {
				case err == nil:
					mu.Lock()
					pids[p.PID] = true
					mu.Unlock()
					select {
					case served <- struct{}{}:
					default:
					}
				case errors.Is(err, lambda.ErrClosed):
					return
				case !failed && !errors.Is(err, lambda.ErrNoEnvironment):
					t.Errorf("Invoke = %v", err)
					return
				}
			}
		})
	}
	for range 5 {
		<-served
	}
	callers.Go(func() { f.Close() })
	f.Close()
	mu.Lock()
	for pid := range pids {
		if alive(pid) {
			t.Errorf("process %d outlives Close", pid)
		}
	}
	mu.Unlock()
	callers.Wait()
	if got := f.Environments(); len(got) != 0 {
		t.Errorf("environments after Close: %v", got)
	}
}

// A process that the environment started, and that holds its output, does not
// hold up Close.
func TestCloseDespiteOrphan(t *testing.T) {
	t.Parallel()
	f := start(t, "library", func(c *lambda.Config) { c.Output = new(bytes.Buffer) })
	orphan, err := os.FindProcess(pid(t, f, event{Do: "orphan"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = orphan.Kill() })
	closed := make(chan error, 1)
	go func() { closed <- f.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		_ = orphan.Kill() // so that the others can end
		t.Error("Close waits for a process that is not its own")
	}
}
