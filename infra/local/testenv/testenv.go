// Package testenv gives tests a log that they can read, and the rule for tools
// that a machine lacks.
package testenv

import (
	"os"
	"strings"
	"sync"
	"testing"
)

// Missing ends a test that needs a tool which this machine lacks: the test is
// skipped, and fails if the environment has CI=true.
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// Log keeps what is written to it. It is safe for concurrent use, and empty at
// first.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Take returns the text and empties the log.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}
