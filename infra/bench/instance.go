package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	functionTimeout = 10 * time.Second // told to the process
	patience        = 60 * time.Second // with a process that does not answer
)

// instance is a contender that runs, and asks for an event.
type instance struct {
	process *exec.Cmd
	api     *runtimeAPI
	exited  chan struct{}
	log     *tail
	idle    idle
}

// started is what it took to get to the first event.
type started struct{ wall, cpu time.Duration }

// call is one event, answered.
type call struct {
	latency time.Duration // event handed out → answer received
	cpu     time.Duration // used from one request for an event to the next: everything that the event cost
	answer  []byte
}

// launch says what to start. Its files and prepare serve single measurements and may be absent.
type launch struct {
	name    string
	command []string
	env     []string
	files   []*os.File          // more open files for the process, from 3 on
	prepare func(pid int) error // called as soon as the process exists
}

// start starts a process and returns when it asks for the first event.
func start(l launch) (*instance, started, error) {
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, started{}, err
	}
	i := &instance{api: api, exited: make(chan struct{}), log: new(tail)}
	i.process = exec.Command(l.command[0], l.command[1:]...)
	i.process.Dir = filepath.Dir(l.command[len(l.command)-1])
	i.process.Stdout, i.process.Stderr = i.log, i.log // through a pipe, as Lambda takes it
	i.process.ExtraFiles = l.files
	i.process.SysProcAttr = dieWithParent()
	i.process.Env = append(l.env, "AWS_LAMBDA_RUNTIME_API="+api.address(), "LAMBDA_TASK_ROOT="+i.process.Dir)
	begun := make(chan error, 1)
	var began time.Time
	go func() {
		runtime.LockOSThread() // the process would die with the thread
		began = time.Now()
		err := i.process.Start()
		begun <- err
		if err == nil {
			_ = i.process.Wait() // that it ended is enough to know
			close(i.exited)
		}
	}()
	if err := <-begun; err != nil {
		api.close()
		return nil, started{}, fmt.Errorf("start %s: %w", l.name, err)
	}
	api.pid = i.process.Process.Pid
	if l.prepare != nil {
		err = l.prepare(api.pid)
	}
	close(api.started)
	if err == nil {
		err = i.untilIdle()
	}
	if err != nil {
		i.stop()
		return nil, started{}, fmt.Errorf("start %s: %w", l.name, err)
	}
	return i, started{wall: i.idle.at.Sub(began), cpu: i.idle.cpu}, nil
}

func (i *instance) untilIdle() error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case i.idle = <-i.api.idle:
		return nil
	case err := <-i.api.failures:
		return err
	case <-i.exited:
		return i.ended()
	case <-timeout.C:
		return errors.New("it asks for no event")
	}
}

// invoke lets the process answer one event. What the caller does before and after is not measured.
func (i *instance) invoke(event []byte) (call, error) {
	message := handOut(newID(), event, functionTimeout)
	return i.deliver(message, func() error { return nil })
}

// deliver writes an event and then calls release, from whose call on time counts.
func (i *instance) deliver(message []byte, release func() error) (call, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	before := i.idle.cpu
	sent := time.Now() // a frozen process takes the event after release; the write itself takes microseconds
	if _, err := i.idle.conn.Write(message); err != nil {
		return call{}, fmt.Errorf("hand out an event: %w", err)
	}
	if err := release(); err != nil {
		return call{}, err
	}
	var a answer
	select {
	case a = <-i.api.answers:
	case err := <-i.api.failures:
		return call{}, err
	case <-i.exited:
		return call{}, i.ended()
	case <-timeout.C:
		return call{}, errors.New("an event is not answered")
	}
	if err := i.untilIdle(); err != nil {
		return call{}, err
	}
	return call{latency: a.at.Sub(sent), cpu: i.idle.cpu - before, answer: a.body}, nil
}

// stop ends the process and waits for that.
func (i *instance) stop() {
	_ = i.process.Process.Kill() // it may have ended already
	<-i.exited
	i.api.close()
}

// ended says that the process did, with the last of what it wrote.
func (i *instance) ended() error {
	return fmt.Errorf("the process ended: %s", bytes.TrimSpace(i.log.text))
}

// tail keeps the last of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 600
	t.text = append(t.text, p...)
	if more := len(t.text) - most; more > 0 {
		t.text = append(t.text[:0], t.text[more:]...)
	}
	return len(p), nil
}

// peakRSS returns the most memory that the process ever held, in MB (10⁶ bytes).
func (i *instance) peakRSS() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kib) * 1024 / 1e6, err
		}
	}
	return 0, errors.New("the process tells no VmHWM")
}

// newID returns an id of the form that Lambda gives its requests.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	id := hex.EncodeToString(b[:])
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
