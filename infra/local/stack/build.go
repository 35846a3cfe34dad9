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
	"slices"
	"time"
)

// flags are those of the Makefile's GO_BUILD; a test compares the two.
func flags() []string {
	return []string{
		"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc,nethttpomithttp2",
		"-gcflags=github.com/aws/aws-sdk-go-v2/service/dynamodb/...=-l", "-ldflags", "-s -w -X main.version=local",
	}
}

// Build builds the deployed program for this machine, as the deployment does,
// into dir and returns its path. The working directory must be one of the module.
func Build(ctx context.Context, dir string) (bootstrap string, err error) {
	bootstrap = filepath.Join(dir, "bootstrap")
	args := slices.Concat([]string{"build"}, flags(), []string{"-o", bootstrap, "orgsettings/functions/settings"})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets it remove its own files
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
