// Package stacktest builds the deployed program once for the tests of a package.
package stacktest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"orgsettings/infra/local/stack"
)

// Main builds the program, sets bootstrap to its path, runs the tests, and returns
// the exit code. TestMain calls it.
func Main(m *testing.M, bootstrap *string) int {
	dir, err := os.MkdirTemp("", "organization-settings-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		*bootstrap, err = stack.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
