package lambda_test

import (
	"bufio"
	"context"
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
