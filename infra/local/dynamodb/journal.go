package dynamodb

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// journal is the open file of an Engine's changes.
type journal struct {
	file   *os.File
	broken error // the end of the file is not known to be whole
}

// Open returns an Engine that keeps its tables in the file dynamodb.jsonl of dir,
// which it creates. Whatever was answered with success is there after the end of
// the process, however it ends, but not after a loss of power. One process at a
// time may use dir. The error says what is wrong with a file that cannot be read,
// which is left as it is.
func Open(dir string) (*Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	e, path := New(), filepath.Join(dir, "dynamodb.jsonl")
	if err := e.load(path); err != nil {
		return nil, fmt.Errorf("read the tables in %s: %w; repair or remove the file", path, err)
	}
	file, err := e.compact(path)
	if err != nil {
		return nil, fmt.Errorf("write the tables to %s: %w", path, err)
	}
	e.journal = &journal{file: file}
	return e, nil
}

// Close makes the tables durable. No change is possible afterwards.
func (e *Engine) Close() error {
	if e.journal == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.journal.file.Sync(), e.journal.file.Close())
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
	dec.DisallowUnknownFields()
	for line := 1; ; line++ {
		var changes []change
		err := dec.Decode(&changes)
		// The last line is not whole if the process ended in the middle of it. Its request was not answered.
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err == nil {
			err = e.apply(changes)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// compact writes the tables to a new file and opens it.
func (e *Engine) compact(path string) (*os.File, error) {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	for _, name := range slices.Sorted(maps.Keys(e.tables)) {
		t := e.tables[name]
		err := encode(buffered, []change{{Table: name, Define: &t.definition}})
		for _, r := range t.records {
			err = errors.Join(err, encode(buffered, []change{{Table: name, Put: []item{r.item}}}))
		}
		if err != nil {
			return nil, err
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

func (j *journal) append(changes []change) error {
	if j.broken != nil {
		return j.broken
	}
	mine, err := j.file.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(j.file.Name()); err != nil || !os.SameFile(mine, now) {
		return fmt.Errorf("%s was replaced or removed, perhaps by another process", j.file.Name())
	}
	j.broken = encode(j.file, changes)
	return j.broken
}
