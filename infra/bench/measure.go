package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"orgsettings/infra/bench/documents"
	"orgsettings/infra/bench/meter"
)

// session measures its programs, one process at a time.
type session struct {
	bed      *testbed
	programs []program
	counts   counts
	rounds   int
	results  *results
	progress io.Writer
}

// counts says how many calls are made.
type counts struct {
	warmUp int
	warm   map[int]int // size of the document → measured calls
}

func usualCounts() counts {
	return counts{warmUp: 30, warm: map[int]int{small: 60, middling: 30, medium: 30, large: 15}}
}

// run measures every program once in each round, in an order of its own.
func (s *session) run(ctx context.Context) error {
	const seed = 1 // the same orders in every run
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range s.rounds {
		for _, n := range random.Perm(len(s.programs)) {
			p := s.programs[n]
			for _, step := range []struct {
				what    string
				measure func(program) error
			}{
				{"start, first answer, 1 to 100 KB, thaw", s.measureSmall},
				{"390 KB", s.measureLarge},
			} {
				if err := ctx.Err(); err != nil {
					return err
				}
				s.say("round %d of %d: %s: %s", round+1, s.rounds, p.name, step.what)
				if err := step.measure(p); err != nil {
					return fmt.Errorf("measure %s: %w", p.name, err)
				}
			}
		}
	}
	return nil
}

// measureSmall starts a process, lets it serve documents from small to medium, and freezes it in between.
func (s *session) measureSmall(p program) error {
	events, err := s.events(1, small)
	if err != nil {
		return err
	}
	quiet()
	i, took, err := start(s.bed, p)
	if err != nil {
		return err
	}
	defer i.End()
	first, err := i.invoke(events[0])
	if err == nil {
		err = succeeded(first.answer)
	}
	if err != nil {
		return err
	}
	s.results.add(p.name, startWall, milliseconds(took.wall))
	s.results.add(p.name, startCPU, milliseconds(took.cpu))
	s.results.add(p.name, firstWall, milliseconds(first.latency))
	s.results.add(p.name, firstCPU, milliseconds(first.cpu))
	if err := s.measureWarm(i, p, small); err != nil {
		return err
	}
	rss, err := i.peakRSS()
	if err != nil {
		return err
	}
	s.results.add(p.name, peakRSS(small), rss)
	for _, reset := range []bool{false, true} {
		if err := s.measureThaw(i, p, reset); err != nil {
			return err
		}
	}
	return errors.Join(s.measureWarm(i, p, middling), s.measureWarm(i, p, medium))
}

// measureLarge starts a process that serves large documents only.
func (s *session) measureLarge(p program) error {
	quiet()
	i, _, err := start(s.bed, p)
	if err != nil {
		return err
	}
	defer i.End()
	if err := s.measureWarm(i, p, large); err != nil {
		return err
	}
	rss, err := i.peakRSS()
	s.results.add(p.name, peakRSS(large), rss)
	return err
}

// measureWarm takes calls of a process that has been warmed up: the mean of their CPU time, as single calls share the
// work of the garbage collector, every latency, and what they cost the database.
func (s *session) measureWarm(i *instance, p program, size int) error {
	events, err := s.events(s.counts.warmUp+s.counts.warm[size], size)
	if err != nil {
		return err
	}
	quiet()
	list := make([]call, 0, len(events))
	for n, event := range events {
		if n == s.counts.warmUp {
			s.bed.database.take()
		}
		c, err := i.invoke(event)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	asked := s.bed.database.take()
	var cpu time.Duration
	for n, c := range list {
		if err := succeeded(c.answer); err != nil {
			return err
		}
		if n >= s.counts.warmUp {
			cpu += c.cpu
			s.results.add(p.name, warmLatency(size), milliseconds(c.latency))
		}
	}
	measured := float64(s.counts.warm[size])
	s.results.add(p.name, warmCPU(size), float64(cpu)/float64(time.Microsecond)/measured)
	if p.hello {
		return nil
	}
	m := meter.New()
	for _, c := range asked {
		m.Count(c.operation, c.input)
	}
	used, err := m.Take()
	s.results.add(p.name, databaseCalls, float64(used.Calls)/measured)
	s.results.add(p.name, writeUnits(size), float64(used.Writes)/measured)
	return err
}

// measureThaw freezes i, as Lambda does between two events, closes the connections to the database meanwhile, and times
// the answer to the event that thaws it.
func (s *session) measureThaw(i *instance, p program, reset bool) error {
	events, err := s.events(2, small)
	if err != nil || p.hello {
		return err
	}
	if _, err := i.invoke(events[0]); err != nil { // opens the connections
		return err
	}
	quiet()
	if err := freeze(i.Process()); err != nil {
		return err
	}
	if err := s.bed.database.listener.drop(reset); err != nil {
		return err
	}
	latency, err := i.invokeFrozen(events[1])
	s.results.add(p.name, thawed(reset), milliseconds(latency))
	return err
}

// measureZips packs every program as `make build` does: programs in Go for arm64, others as they were built for this
// machine.
func (s *session) measureZips(ctx context.Context) error {
	for _, p := range s.programs {
		s.say("%s: packing", p.name)
		if !p.native {
			var err error
			if p, err = s.build(ctx, p.contender, "arm64", "arm64"); err != nil {
				return err
			}
		}
		archive := filepath.Join(filepath.Dir(p.artifact), "function.zip")
		if err := s.command(ctx, p.name, s.bed.root, nil, "go", "run", "./infra/deploy/zip", p.artifact, archive); err != nil {
			return fmt.Errorf("pack %s: %w", p.name, err)
		}
		info, err := os.Stat(archive)
		if err != nil {
			return err
		}
		s.results.add(p.name, zipSize, float64(info.Size())/1e6)
	}
	return nil
}

// events returns n events with settings of that size and fresh tokens, RS256 and ES256 in turn.
func (s *session) events(n, size int) ([][]byte, error) {
	// Two documents in turn: a write that changes nothing is none where history is kept.
	bodies := []string{wrapped(documents.Settings(size, 1)), wrapped(documents.Settings(size, 2))}
	list := make([][]byte, n)
	for i := range list {
		token, err := s.bed.keys.sign(claims(owner), i%2 == 1)
		if err != nil {
			return nil, err
		}
		if list[i], err = event(request{token: token, body: bodies[i%2]}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// quiet collects this process's own garbage, which nothing else does. It must not run while a contender is timed.
func quiet() { runtime.GC() }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
