package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"
)

// session measures its programs, one process at a time.
type session struct {
	w        *world
	programs []program
	counts   counts
	seed     uint64
	results  *results
	progress io.Writer
}

// counts says how often things are done.
type counts struct {
	rounds int
	seldom int // what takes long is done in every seldom-th round
	warmUp int
	warm   map[int]int // size of the document → calls
	growth int
}

func usualCounts(rounds int) counts {
	return counts{rounds: rounds, seldom: 3, warmUp: 30, warm: map[int]int{small: 60, medium: 30, large: 15}, growth: 10}
}

func shortCounts(rounds int) counts {
	return counts{rounds: rounds, seldom: 3, warmUp: 2, warm: map[int]int{small: 6, medium: 4, large: 3}, growth: 2}
}

// run measures every program once in each round, in an order of its own.
func (s *session) run(ctx context.Context, quotas []quota) error {
	random := rand.New(rand.NewPCG(s.seed, 0))
	for round := range s.counts.rounds {
		fmt.Fprintf(s.progress, "round %d of %d\n", round+1, s.counts.rounds)
		for _, n := range random.Perm(len(s.programs)) {
			p := s.programs[n]
			steps := []func(program) error{s.measureSmall, s.measureLarge}
			if round%s.counts.seldom == 0 {
				steps = append(steps, s.measureGrowth)
				for _, q := range quotas {
					steps = append(steps, func(p program) error { return s.measureQuota(p, q) })
				}
			}
			for _, step := range steps {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := step(p); err != nil {
					return fmt.Errorf("measure %s: %w", p.name, err)
				}
			}
		}
	}
	return nil
}

// quiet collects this process's own garbage, which nothing else does: it must not be done while a
// contender is timed.
func quiet() { runtime.GC() }

// events returns n events with fresh tokens, RS256 and ES256 in turn.
func (s *session) events(n int, document string) ([][]byte, error) {
	body := wrapped(document)
	list := make([][]byte, n)
	for i := range list {
		var err error
		if list[i], err = s.w.event(body, i%2 == 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// document returns settings of that size.
func (s *session) document(size int) string { return settingsLike(size, s.seed) }

// warm invokes i n times with settings of that size, after as many times as it takes to be warm, and
// returns the calls.
func (s *session) warm(i *instance, p program, n, size int) ([]call, error) {
	return s.warmWith(i, p, n, s.document(size), units(size))
}

// warmWith records the write units of a call under the name unitsFigure.
func (s *session) warmWith(i *instance, p program, n int, document, unitsFigure string) ([]call, error) {
	events, err := s.events(s.counts.warmUp+n, document)
	if err != nil {
		return nil, err
	}
	quiet()
	list := make([]call, 0, len(events))
	for n, event := range events {
		if n == s.counts.warmUp && s.w.database != nil {
			s.w.database.take()
		}
		c, err := i.invoke(event)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	for _, c := range list {
		if err := succeeded(c); err != nil {
			return nil, err
		}
	}
	list = list[s.counts.warmUp:]
	return list, s.count(p, unitsFigure, len(list))
}

// count records what the last calls asked of the database.
func (s *session) count(p program, unitsFigure string, invocations int) error {
	if s.w.database == nil || p.hello {
		return nil
	}
	asked := s.w.database.take()
	var reads, writes float64
	for _, c := range asked {
		switch c.operation {
		case "GetItem":
			reads++ // consistent, of an item far below 4 KB
		case "PutItem":
			var in struct{ Item json.RawMessage }
			if err := json.Unmarshal(c.input, &in); err != nil {
				return err
			}
			size, err := itemSize(in.Item)
			if err != nil {
				return err
			}
			writes += float64(writeUnits(size))
		}
	}
	s.results.add(p.name, calls, float64(len(asked))/float64(invocations))
	s.results.add(p.name, readUnits, reads/float64(invocations))
	s.results.add(p.name, unitsFigure, writes/float64(invocations))
	return nil
}

func succeeded(c call) error {
	r, err := readResponse(c.answer)
	if err == nil && r.StatusCode != 200 {
		err = fmt.Errorf("an event was answered %d: %s", r.StatusCode, r.Body)
	}
	return err
}

// record adds calls: the mean of the CPU time, as single calls share the work of the collector, and
// every latency.
func (s *session) record(p program, list []call, cpuFigure, latencyFigure string) {
	s.results.add(p.name, cpuFigure, meanCPU(list))
	for _, c := range list {
		s.results.add(p.name, latencyFigure, milliseconds(c.latency))
	}
}

// meanCPU returns µs per call.
func meanCPU(list []call) float64 {
	var sum time.Duration
	for _, c := range list {
		sum += c.cpu
	}
	return microseconds(sum) / float64(len(list))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
