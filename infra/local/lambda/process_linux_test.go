package lambda_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/lambda"
)

// parent starts a function whose process, in the middle of an event, prints its
// id and hangs.
func parent() {
	f, err := lambda.New(lambda.Config{
		Name: "test", Bootstrap: os.Args[0], Env: []string{program + "=library"},
		Timeout: time.Minute, InitTimeout: time.Minute, MaxEnvironments: 1, Output: os.Stdout,
	})
	if err == nil {
		_, err = f.Invoke(context.Background(), []byte(`{"do":"hang"}`))
	}
	fmt.Println("the event is over:", err)
}

// The kernel ends a process whose parent is killed.
func TestDiesWithParent(t *testing.T) {
	t.Parallel()
	output, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env, c.Stdout = []string{program + "=parent"}, theirs
	err = c.Start()
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := output.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	// The output ends when nobody holds it: neither the one nor the other.
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("process %d outlives its killed parent: read %q, %v", grandchild, rest, err)
		if p, err := os.FindProcess(grandchild); err == nil {
			_ = p.Kill()
		}
	}
}

// A process that takes more memory than it may is killed, even if it has given it back; the next event gets another one.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	refuses := func(f *lambda.Function, do string) {
		_, err := invoke(t.Context(), f, event{Do: do, Size: 300 << 20})
		failed, ok := errors.AsType[*lambda.FunctionError](err)
		if !ok || failed.Type != "Runtime.ExitError" || failed.Message != "the process ended by signal: killed, as it used more than 256 MB of memory" {
			t.Errorf("%s: error %v, want one of memory", do, err)
		}
	}
	// Before it has been looked at for the first time, it has answered.
	refuses(start(t, "large library", nil), "answer at once")
	f := start(t, "library", nil)
	first := pid(t, f, event{Do: "grow", Size: 100 << 20})
	for _, do := range []string{"grow", "grow and hang"} {
		refuses(f, do)
		next := pid(t, f, event{})
		if next == first {
			t.Errorf("%s: process %d serves on", do, next)
		}
		first = next
	}
}
