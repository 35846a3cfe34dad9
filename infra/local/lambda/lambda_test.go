package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/lambda"
)

const mb6 = 6_291_456

// quickExit lets a process under the race detector end without a pause of a second.
const quickExit = "GORACE=atexit_sleep_ms=0"

// start returns a function that runs this test binary as the program.
func start(t *testing.T, name string, change func(*lambda.Config)) *lambda.Function {
	t.Helper()
	bootstrap, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := lambda.Config{
		Name: "test", Bootstrap: bootstrap, Env: []string{program + "=" + name, quickExit}, MemoryMB: 256,
		Timeout: time.Minute, InitTimeout: time.Minute, MaxEnvironments: 4, Output: io.Discard,
	}
	if change != nil {
		change(&c)
	}
	f, err := lambda.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func invoke(ctx context.Context, f *lambda.Function, e event) (p process, err error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return p, err
	}
	response, err := f.Invoke(ctx, payload)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(response, &p)
}

// pid lets f serve an event and returns the process that did.
func pid(t *testing.T, f *lambda.Function, e event) int {
	t.Helper()
	p, err := invoke(t.Context(), f, e)
	if err != nil {
		t.Fatalf("%s: %v", e.Do, err)
	}
	return p.PID
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

// gate stops an event in the middle.
type gate struct {
	event   event
	arrived chan struct{}
	open    chan struct{}
}

func newGate(t *testing.T) *gate {
	g := &gate{arrived: make(chan struct{}, 1), open: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	g.event = event{Do: "wait", URL: server.URL}
	return g
}

// outcome is what came of an event.
type outcome struct {
	pid int
	err error
}

// begin lets f serve an event that stops at the gate, and returns when it did.
func (g *gate) begin(ctx context.Context, f *lambda.Function) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		p, err := invoke(ctx, f, g.event)
		done <- outcome{p.PID, err}
	}()
	<-g.arrived
	return done
}

func TestWarmReuse(t *testing.T) {
	t.Parallel()
	f := start(t, "library", nil)
	if got := f.Environments(); len(got) != 0 {
		t.Errorf("there are environments before the first event: %v", got)
	}
	first := pid(t, f, event{})
	for range 3 {
		if got := pid(t, f, event{}); got != first {
			t.Errorf("served by process %d, want the idle one %d", got, first)
		}
	}
	if got := f.Environments(); !slices.Equal(got, []int{first}) {
		t.Errorf("Environments() = %v, want [%d]", got, first)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	f := start(t, "library", func(c *lambda.Config) { c.MaxEnvironments = 3 })
	var (
		gates [3]*gate
		done  [3]<-chan outcome
		pids  []int
	)
	for i := range gates {
		gates[i] = newGate(t)
		done[i] = gates[i].begin(t.Context(), f)
	}
	if _, err := invoke(t.Context(), f, event{}); !errors.Is(err, lambda.ErrNoEnvironment) {
		t.Errorf("a fourth event: %v, want ErrNoEnvironment", err)
	}
	for _, i := range []int{0, 2, 1} {
		close(gates[i].open)
		o := <-done[i]
		if o.err != nil {
			t.Fatal(o.err)
		}
		if slices.Contains(pids, o.pid) {
			t.Errorf("process %d served two events at once", o.pid)
		}
		pids = append(pids, o.pid)
	}
	for range 3 {
		if got := pid(t, f, event{}); got != pids[2] {
			t.Errorf("served by process %d of %v, want the last", got, pids)
		}
	}
	// While the last is busy, the one before it is next.
	busy := newGate(t)
	done[0] = busy.begin(t.Context(), f)
	if got := pid(t, f, event{}); got != pids[1] {
		t.Errorf("served by process %d of %v, want the second", got, pids)
	}
	close(busy.open)
	if o := <-done[0]; o.pid != pids[2] {
		t.Errorf("served by process %d of %v, want the last", o.pid, pids)
	}
}

// An event fails with its environment, and the next one gets another.
func TestEnvironmentEnds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		event   event
		timeout time.Duration
		want    error
	}{
		{event{Do: "hang"}, 2 * time.Second, lambda.ErrTimeout},
		{event{Do: "exit"}, time.Minute, &lambda.FunctionError{Type: "Runtime.ExitError", Message: "the process ended while it served an event"}},
		{event{Do: "panic"}, time.Minute, &lambda.FunctionError{Type: "string", Message: "this event panics"}},
		{event{Do: "size", Size: mb6 + 1}, time.Minute, &lambda.FunctionError{Type: "Function.ResponseSizeTooLarge", Message: "the response is larger than 6 MB"}},
	} {
		t.Run(test.event.Do, func(t *testing.T) {
			t.Parallel()
			f := start(t, "library", func(c *lambda.Config) { c.Timeout, c.MaxEnvironments = test.timeout, 1 })
			first := pid(t, f, event{})
			_, err := invoke(t.Context(), f, test.event)
			checkError(t, err, test.want)
			if got := pid(t, f, event{}); got == first {
				t.Errorf("process %d served the next event", got)
			}
			if alive(first) {
				t.Errorf("process %d goes on", first)
			}
		})
	}
}

// checkError compares a FunctionError by its members, others by errors.Is.
func checkError(t *testing.T, got, want error) {
	t.Helper()
	wantFailure, ok := errors.AsType[*lambda.FunctionError](want)
	if !ok {
		if !errors.Is(got, want) {
			t.Errorf("error %v, want %v", got, want)
		}
		return
	}
	failure, ok := errors.AsType[*lambda.FunctionError](got)
	if !ok {
		t.Errorf("error %v, want %v", got, want)
	} else if diff := cmp.Diff(wantFailure, failure); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestInit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		program string
		timeout time.Duration
		want    error
	}{
		{"exit", time.Minute, &lambda.FunctionError{Type: "Runtime.ExitError", Message: "the process ended before it asked for an event"}},
		{"init error", time.Minute, &lambda.FunctionError{Type: "Test.Init", Message: "no luck"}},
		{"init error, unreadable", time.Minute, &lambda.FunctionError{}},
		{"hang", 300 * time.Millisecond, lambda.ErrTimeout},
	} {
		t.Run(test.program, func(t *testing.T) {
			t.Parallel()
			f := start(t, test.program, func(c *lambda.Config) { c.InitTimeout, c.MaxEnvironments = test.timeout, 1 })
			for range 2 { // the second one is not refused for want of an environment
				_, err := f.Invoke(t.Context(), []byte("{}"))
				checkError(t, err, test.want)
				if got := f.Environments(); len(got) != 0 {
					t.Errorf("environments left: %v", got)
				}
			}
		})
	}
}

func TestFunctionErrorKeepsEnvironment(t *testing.T) {
	t.Parallel()
	f := start(t, "library", nil)
	first := pid(t, f, event{})
	_, err := invoke(t.Context(), f, event{Do: "fail"})
	checkError(t, err, &lambda.FunctionError{Type: "errorString", Message: "this event fails"})
	if got, want := fmt.Sprint(err), "function failed: errorString: this event fails"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if got := pid(t, f, event{}); got != first {
		t.Errorf("served by process %d, want %d", got, first)
	}
}

// A process that ends after it answered costs no later event.
func TestEndsBetweenEvents(t *testing.T) {
	t.Parallel()
	f := start(t, "raw", func(c *lambda.Config) { c.MaxEnvironments = 1 })
	for range 20 {
		if response, err := f.Invoke(t.Context(), []byte("last")); err != nil {
			t.Fatalf("%s, %v", response, err)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	f := start(t, "library", nil)
	response, err := f.Invoke(t.Context(), fmt.Appendf(nil, `{"do":"size","size":%d}`, mb6))
	if err != nil || len(response) != mb6 {
		t.Errorf("a response of %d bytes: %d bytes, %v", mb6, len(response), err)
	}
	payload := append([]byte("{}"), bytes.Repeat([]byte(" "), mb6-2)...)
	if _, err := f.Invoke(t.Context(), payload); err != nil {
		t.Errorf("an event of %d bytes: %v", mb6, err)
	}
	if _, err := f.Invoke(t.Context(), append(payload, ' ')); !errors.Is(err, lambda.ErrTooLarge) {
		t.Errorf("an event of %d bytes: %v, want ErrTooLarge", mb6+1, err)
	}
}

func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	f := start(t, "library", func(c *lambda.Config) { c.MaxEnvironments = 1 })
	first := pid(t, f, event{})
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := g.begin(ctx, f)
	cancel()
	if o := <-done; !errors.Is(o.err, context.Canceled) {
		t.Errorf("Invoke = %v, want context.Canceled", o.err)
	}
	if _, err := invoke(t.Context(), f, event{}); !errors.Is(err, lambda.ErrNoEnvironment) {
		t.Errorf("the event does not go on: %v, want ErrNoEnvironment", err)
	}
	close(g.open)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		p, err := invoke(t.Context(), f, event{})
		if err == nil {
			if p.PID != first {
				t.Errorf("served by process %d, want %d", p.PID, first)
			}
			return
		}
		if !errors.Is(err, lambda.ErrNoEnvironment) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// The process has the documented variables and none of this one but PATH.
func TestEnvironmentVariables(t *testing.T) {
	t.Parallel()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var bootstrap string
	f := start(t, "library", func(c *lambda.Config) {
		bootstrap = c.Bootstrap
		if c.Bootstrap, err = filepath.Rel(dir, c.Bootstrap); err != nil {
			t.Fatal(err)
		}
		c.Env = append(c.Env, "USERS_TABLE=users", "EMPTY=")
	})
	p, err := invoke(t.Context(), f, event{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, variable := range p.Environ {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value
	}
	for name, pattern := range map[string]string{
		"AWS_LAMBDA_RUNTIME_API":     `^127\.0\.0\.1:\d+$`,
		"AWS_LAMBDA_LOG_STREAM_NAME": `^` + time.Now().UTC().Format("2006/01/") + `\d\d/\[\$LATEST\][0-9a-f]{32}$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(got[name]) {
			t.Errorf("%s=%s, want %s", name, got[name], pattern)
		}
		delete(got, name)
	}
	want := map[string]string{
		program: "library", "GORACE": "atexit_sleep_ms=0", "USERS_TABLE": "users", "EMPTY": "",
		"AWS_LAMBDA_FUNCTION_NAME":        "test",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/test",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT":                filepath.Dir(bootstrap),
		"_HANDLER":                        "bootstrap",
		"TZ":                              ":UTC",
		"PATH":                            os.Getenv("PATH"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if p.Dir != filepath.Dir(bootstrap) {
		t.Errorf("working directory %s, want %s", p.Dir, filepath.Dir(bootstrap))
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	var output bytes.Buffer // of one process, which has ended when it is read
	f := start(t, "library", func(c *lambda.Config) { c.Output = &output })
	pid(t, f, event{Do: "print"})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := output.String(), "to stdout;to stderr;"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*lambda.Config){
		"no file":           func(c *lambda.Config) { c.Bootstrap = filepath.Join(dir, "none") },
		"a directory":       func(c *lambda.Config) { c.Bootstrap = dir },
		"not executable":    func(c *lambda.Config) { c.Bootstrap = plain },
		"no timeout":        func(c *lambda.Config) { c.Timeout = 0 },
		"no init timeout":   func(c *lambda.Config) { c.InitTimeout = -1 },
		"no environment":    func(c *lambda.Config) { c.MaxEnvironments = 0 },
		"nothing to change": nil,
	} {
		c := lambda.Config{Bootstrap: os.Args[0], Timeout: 1, InitTimeout: 1, MaxEnvironments: 1}
		if change != nil {
			change(&c)
		}
		if _, err := lambda.New(c); (err == nil) != (change == nil) {
			t.Errorf("%s: New = %v", name, err)
		}
	}
}

// A file that is no program fails each event, and holds no place in the pool.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(file, []byte("no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := start(t, "", func(c *lambda.Config) { c.Bootstrap, c.MaxEnvironments = file, 1 })
	for range 2 {
		if _, err := f.Invoke(t.Context(), []byte("{}")); err == nil || !strings.HasPrefix(err.Error(), "start the bootstrap: ") {
			t.Errorf("Invoke = %v", err)
		}
	}
}
