package lambda

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Environment is one process with a Runtime API of its own. A [Function] starts and ends its environments itself;
// one that [Start] returns is its caller's. It serves one event at a time.
type Environment struct {
	config  Config
	process *exec.Cmd
	api     *runtimeAPI
	server  *http.Server
	exited  chan struct{} // closed when the process has ended
	used    bool          // it has taken an event
	endOnce sync.Once
}

// errEndedIdle says that the process ended between two events, for example after it reported a panic. Another
// environment then serves the event.
var errEndedIdle = errors.New("the process ended between two events")

// outputDelay bounds the wait for the output of an ended process, which a child of that process may hold open.
const outputDelay = time.Second

// Start starts a process. It does not wait until the process is ready: the first event does. MaxEnvironments has no
// meaning here.
func Start(c Config) (*Environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the Runtime API: %w", err)
	}
	bootstrap, err := filepath.Abs(c.Bootstrap)
	if err != nil {
		listener.Close()
		return nil, err
	}
	e := &Environment{config: c, api: newRuntimeAPI(c.Name), exited: make(chan struct{})}
	e.process = exec.Command(bootstrap)
	e.process.Dir = filepath.Dir(bootstrap)
	e.process.Stdout, e.process.Stderr = c.Output, c.Output
	e.process.WaitDelay = outputDelay
	e.process.SysProcAttr = attributes()
	e.process.Env = append(slices.Clone(c.Env), // the last one of a name wins: those below are reserved
		"AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME="+c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME="+time.Now().UTC().Format("2006/01/02")+"/[$LATEST]"+newID(),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT="+e.process.Dir,
		"_HANDLER=bootstrap",
		"TZ=:UTC",
		"PATH="+os.Getenv("PATH"),
	)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the process would die with the thread, so the thread waits for it
		err := e.process.Start()
		started <- err
		if err == nil {
			_ = e.process.Wait() // how it ended does not matter, only that it did
			close(e.exited)
		}
	}()
	if err := <-started; err != nil {
		listener.Close()
		if errors.Is(err, syscall.ENOEXEC) {
			err = fmt.Errorf("%w; it may be built for another ARCHITECTURE", err)
		}
		return nil, fmt.Errorf("start the bootstrap: %w", err)
	}
	handler := http.Handler(e.api)
	if c.Wrap != nil {
		handler = c.Wrap(handler)
	}
	e.server = &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go e.server.Serve(listener)
	return e, nil
}

// Process returns the process, which the environment waits for.
func (e *Environment) Process() *os.Process { return e.process.Process }

// Exited returns a channel that is closed when the process has ended.
func (e *Environment) Exited() <-chan struct{} { return e.exited }

func (e *Environment) alive() bool {
	select {
	case <-e.exited:
		return false
	default:
		return true
	}
}

// Serve lets the process serve one event and returns its response. A process that does not answer is killed.
func (e *Environment) Serve(payload []byte) ([]byte, error) {
	inv := newInvocation(payload)
	err := e.handOver(inv)
	if err == nil {
		e.used = true
		deadline := time.Now().Add(e.config.Timeout) // counted without the start of the process
		inv.deadline <- deadline
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for err == nil {
			select {
			case r := <-inv.result:
				if err := e.limitMemory(); err != nil {
					return nil, err
				}
				return r.response, r.err
			case <-e.exited:
				err = exitError("while it served an event")
			case <-timer.C:
				err = fmt.Errorf("%w after %v", ErrTimeout, e.config.Timeout)
			case <-ticker.C:
				if err := e.limitMemory(); err != nil {
					return nil, err
				}
			}
		}
	}
	e.kill()
	select {
	case r := <-inv.result: // it answered and ended in the same moment
		return r.response, r.err
	default:
		return nil, err
	}
}

// handOver waits until the process asks for an event.
func (e *Environment) handOver(inv *invocation) error {
	timer := time.NewTimer(e.config.InitTimeout)
	defer timer.Stop()
	select {
	case e.api.next <- inv:
		return nil
	case err := <-e.api.initErrors:
		return err
	case <-e.exited:
		select {
		case err := <-e.api.initErrors: // it reported why, and ended in the same moment
			return err
		default:
		}
		if e.used {
			return errEndedIdle
		}
		return exitError("before it asked for an event")
	case <-timer.C:
		return fmt.Errorf("%w: it did not ask for an event within %v", ErrTimeout, e.config.InitTimeout)
	}
}

func exitError(when string) error {
	return &FunctionError{Type: "Runtime.ExitError", Message: "the process ended " + when}
}

// memoryInterval is how often the memory of a process is looked at while it serves an event. Between two looks no peak is
// missed: the kernel keeps the highest.
const memoryInterval = 20 * time.Millisecond

// limitMemory kills a process that had more memory than the function may have, whatever it has answered, and returns the
// error for that.
func (e *Environment) limitMemory() error {
	if e.config.MemoryMB <= 0 || peakMemory(e.process.Process.Pid) <= e.config.MemoryMB<<20 {
		return nil
	}
	e.kill()
	err := exitError(fmt.Sprintf("by signal: killed, as it used more than %d MB of memory", e.config.MemoryMB))
	if e.config.Output != nil {
		fmt.Fprintln(e.config.Output, err)
	}
	return err
}

// peakMemory returns the most bytes of memory that a process has had. It is 0 for a process that has ended and where
// there is no /proc, so that only Linux enforces the limit.
func peakMemory(pid int) int {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	text, _, _ := bytes.Cut(rest, []byte("kB"))
	kb, _ := strconv.Atoi(string(bytes.TrimSpace(text)))
	return kb << 10
}

// kill ends the process and waits for that.
func (e *Environment) kill() {
	_ = e.process.Process.Kill() // it may have ended already
	<-e.exited
}

// End kills the process, waits until it has ended and closes its Runtime API.
func (e *Environment) End() {
	e.endOnce.Do(func() {
		e.kill()
		_ = e.server.Close()
	})
}
