package dynamodb

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// line is one request that changed something: its operation and body.
type line map[string]json.RawMessage

// Open returns an Engine that keeps its tables in the file dynamodb.jsonl of dir,
// which it creates. Whatever was answered with success is there after the end of
// the process, however it ends, but not after a loss of power. One Engine at a time
// uses dir: Open refuses to be the second. The error says what is wrong with a file
// that cannot be read, which is left as it is.
func Open(dir string) (_ *Engine, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return nil, errors.New("it is in use by another stack; stop that, or give another DIR")
	} else if err != nil {
		return nil, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	e, path := New(), filepath.Join(dir, "dynamodb.jsonl")
	if err := e.load(path); err != nil {
		return nil, fmt.Errorf("read the tables in %s: %w; repair or remove the file", path, err)
	}
	file, err := e.compact(path)
	if err != nil {
		return nil, fmt.Errorf("write the tables to %s: %w", path, err)
	}
	e.journal, e.lock = file, lock
	return e, nil
}

// Close makes the tables durable. No change is possible afterwards.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.journal == nil {
		return nil
	}
	return errors.Join(e.journal.Sync(), e.journal.Close(), e.lock.Close())
}

func (e *Engine) load(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	dec := json.NewDecoder(file)
	for n := 1; ; n++ {
		var requests line
		err := dec.Decode(&requests)
		// The last line is not whole if the process ended in the middle of it. Its request was not answered.
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		for operation, body := range requests {
			if err == nil {
				_, err = e.do(operation, body)
			}
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// compact writes requests that make the tables to a new file, and opens it.
func (e *Engine) compact(path string) (*os.File, error) {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buffered := bufio.NewWriter(file) // keeps the first error for Flush
	for _, name := range slices.Sorted(maps.Keys(e.tables)) {
		t := e.tables[name]
		_ = encode(buffered, line{"CreateTable": t.creation})
		if t.timeToLive != "" {
			_ = encode(buffered, map[string]any{"UpdateTimeToLive": map[string]any{
				"TableName": name, "TimeToLiveSpecification": timeToLive{t.timeToLive, true},
			}})
		}
		for _, r := range t.records {
			_ = encode(buffered, map[string]any{"PutItem": map[string]any{"TableName": name, "Item": r.item}})
		}
	}
	if err := errors.Join(buffered.Flush(), file.Sync(), file.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
}

// record appends a request to the journal. An error is lasting: what this process
// would answer from then on might not be there after its end.
func (e *Engine) record(operation string, body []byte) error {
	if e.journal == nil {
		return nil
	}
	mine, err := e.journal.Stat()
	if err == nil {
		now, _ := os.Stat(e.journal.Name())
		if now == nil || !os.SameFile(mine, now) {
			err = fmt.Errorf("%s was replaced or removed", e.journal.Name())
		} else {
			err = encode(e.journal, line{operation: body})
		}
	}
	if err != nil {
		e.broken = &failure{Type: internalServerError, Message: "the tables cannot be kept: " + err.Error(), status: http.StatusInternalServerError}
	}
	return e.broken
}
