package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// flags returns the GO_FLAGS of the Makefile, as a test checks. The build cache then holds most of the program already.
// The tags come last.
func flags() []string {
	return []string{"-trimpath", "-buildvcs=false", "-tags=lambda.norpc,nethttpomithttp2"}
}

// SchemaTag is a tag for [Build]: the program can check documents against a JSON Schema.
const SchemaTag = "schema"

// buildDirPrefix begins the name of a folder for a build, before the process id of its stack.
const buildDirPrefix = "organization-settings-"

// sweep removes the folders in dir of stacks that were killed.
func sweep(dir string) {
	folders, _ := filepath.Glob(filepath.Join(dir, buildDirPrefix+"*")) // the pattern is valid
	for _, folder := range folders {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(folder), buildDirPrefix+"%d-", &pid); err != nil {
			continue
		}
		p, err := os.FindProcess(pid)
		if err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			_ = os.RemoveAll(folder) // another user's stays
		}
	}
}

// Build builds the deployed program for this machine into dir, with further build tags, and returns its path. The working
// directory must be in the module.
func Build(ctx context.Context, dir string, tags ...string) (bootstrap string, err error) {
	bootstrap = filepath.Join(dir, "bootstrap")
	args := append([]string{"build", "-ldflags", "-s -w -X main.version=local", "-o", bootstrap}, flags()...)
	args[len(args)-1] = strings.Join(append(args[len(args)-1:], tags...), ",")
	args = append(args, "orgsettings/functions/settings")
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it removes its temporary files
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("build the function: there is no go command on the PATH")
	}
	if err != nil {
		return "", fmt.Errorf("build the function: %w\n%s", err, bytes.TrimSpace(out))
	}
	return bootstrap, nil
}
