package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// counter is added to package main of a program in Go: on a signal it tells by an open file what was
// allocated since its start.
const counter = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func init() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	answers := os.NewFile(3, "allocations")
	go func() {
		for range asked {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Fprintln(answers, m.Mallocs, m.TotalAlloc)
		}
	}()
}
`

// instrument builds c with the counter in it; no file of its sources changes.
func instrument(ctx context.Context, w *world, c contender) (program, error) {
	dir, err := w.scratch("instrumented", c.name)
	if err != nil {
		return program{}, err
	}
	added := filepath.Join(dir, "counter.go")
	if err := os.WriteFile(added, []byte(counter), 0o644); err != nil {
		return program{}, err
	}
	overlay, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(w.root, c.source, "bench_counter.go"): added},
	})
	if err != nil {
		return program{}, err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		return program{}, err
	}
	artifact, err := c.build(ctx, target{root: w.root, dir: dir, goarch: runtime.GOARCH, env: []string{"GOFLAGS=-overlay=" + file}})
	return program{c, artifact}, err
}

// allocated is what a process has allocated since its start.
type allocated struct{ objects, bytes float64 }

// measureAllocations counts what one call allocates, in a build of its own.
func (s *session) measureAllocations(ctx context.Context, p program) error {
	instrumented, err := instrument(ctx, s.w, p.contender)
	if err != nil {
		return err
	}
	l := s.w.launch(instrumented, instrumented.artifact)
	answers, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer answers.Close()
	l.files = []*os.File{theirs}
	i, _, err := start(l)
	theirs.Close()
	if err != nil {
		return err
	}
	defer i.stop()
	ask := func() (allocated, error) {
		var a allocated
		if err := countAllocations(i.process.Process); err != nil {
			return a, err
		}
		if err := answers.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return a, err
		}
		_, err := fmt.Fscanln(answers, &a.objects, &a.bytes)
		return a, err
	}
	for _, size := range allocationSizes() {
		if err := s.countAllocations(i, p, size, ask); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) countAllocations(i *instance, p program, size int, ask func() (allocated, error)) error {
	if _, err := s.warm(i, p, 1, size); err != nil {
		return err
	}
	n := s.counts.warm[small]
	events, err := s.events(n, s.document(size))
	if err != nil {
		return err
	}
	quiet()
	var marks [3]allocated // between the first two only the asking itself allocates
	for m := range marks[:2] {
		if marks[m], err = ask(); err != nil {
			return err
		}
	}
	for _, event := range events {
		c, err := i.invoke(event)
		if err == nil {
			err = succeeded(c)
		}
		if err != nil {
			return err
		}
	}
	if marks[2], err = ask(); err != nil {
		return err
	}
	per := func(first, second, third float64) float64 { return (third - second - (second - first)) / float64(n) }
	s.results.add(p.name, allocations(size), per(marks[0].objects, marks[1].objects, marks[2].objects))
	s.results.add(p.name, allocatedBytes(size), per(marks[0].bytes, marks[1].bytes, marks[2].bytes))
	return nil
}
