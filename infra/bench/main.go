// Command bench runs bootstrap programs as AWS Lambda does, side by side, and compares what they cost: the deployed
// program, and peers that do the same work in other ways. It provides everything around them: the Runtime API, a
// database and the signing keys.
//
// It knows nothing of how a contender works: it sees a process, its answers and its requests to the database.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const (
	fullRounds = 15

	// Directories of results, below the root of the repository. A run that is complete also writes to the first.
	committedResults = "infra/bench"
	latestResults    = ".build/bench"
)

type options struct {
	rounds   int
	only     []string // names of contenders; empty: all
	prebuilt []contender
	render   bool

	counts counts
	noZip  bool
}

func readOptions(args []string, out io.Writer) (options, error) {
	o := options{counts: usualCounts()}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.IntVar(&o.rounds, "rounds", fullRounds, "how often everything is measured")
	f.BoolVar(&o.render, "render", false, "measure nothing: write RESULTS.md anew from the committed results.json")
	f.Func("only", "measure these contenders alone: `NAMES` separated by commas", func(text string) error {
		o.only = strings.Split(text, ",")
		return nil
	})
	f.Func("contender", "another program, `NAME=PATH[,VARIABLE=VALUE…]`; may be repeated", func(text string) error {
		c, err := prebuilt(text)
		o.prebuilt = append(o.prebuilt, c)
		return err
	})
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 {
		return o, errors.New("usage: bench [flags], with at least one round")
	}
	return o, nil
}

// complete tells whether a run measures all that the committed results hold.
func (o options) complete() bool { return o.rounds >= fullRounds && len(o.only) == 0 && !o.noZip }

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := readOptions(args, out)
	if err != nil {
		return err
	}
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	if o.render {
		r, err := read(filepath.Join(root, committedResults))
		if err != nil {
			return err
		}
		return r.write(filepath.Join(root, committedResults))
	}
	return bench(ctx, root, o, out)
}

// bench measures and publishes the results.
func bench(ctx context.Context, root string, o options, out io.Writer) error {
	if runtime.GOOS != "linux" {
		return errors.New("measuring needs the process clocks of Linux")
	}
	// The collector runs between measurements only: see quiet.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	bed, err := newTestbed(root, filepath.Join(root, latestResults))
	if err != nil {
		return err
	}
	defer bed.close()
	s := &session{bed: bed, counts: o.counts, rounds: o.rounds, results: newResults(ctx, root, o.rounds), progress: out}
	if err := s.assemble(ctx, o); err != nil {
		return err
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	if !o.noZip {
		if err := s.measureZips(ctx); err != nil {
			return err
		}
	}
	return publish(root, o, s.results, out)
}

// publish writes the results, and those of a complete run also to where they are committed, and prints the tables.
func publish(root string, o options, r *results, out io.Writer) error {
	if err := r.write(filepath.Join(root, latestResults)); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\nThe results are in %s: %s and %s.\n", r.tables(), latestResults, pageFile, resultsFile)
	if !o.complete() || len(r.Skipped) > 0 {
		fmt.Fprintf(out, "This run is partial: the committed results in %s stay as they are.\n", committedResults)
		return nil
	}
	committed := *r
	committed.Contenders = slices.DeleteFunc(slices.Clone(r.Contenders), func(d described) bool {
		return d.Note == prebuiltNote
	})
	if err := committed.write(filepath.Join(root, committedResults)); err != nil {
		return err
	}
	fmt.Fprintf(out, "This run is complete: %s has its results too, without programs given by -contender.\n", committedResults)
	return nil
}

// assemble builds and checks the contenders. One whose tools are not installed is left out.
func (s *session) assemble(ctx context.Context, o options) error {
	list := append(contenders(), o.prebuilt...)
	for _, name := range o.only {
		if !slices.ContainsFunc(list, func(c contender) bool { return c.name == name }) {
			return fmt.Errorf("-only: there is no contender %q", name)
		}
	}
	for _, c := range list {
		given := slices.ContainsFunc(o.prebuilt, func(p contender) bool { return p.name == c.name })
		if len(o.only) > 0 && !given && !slices.Contains(o.only, c.name) {
			continue
		}
		if tool := c.missing(); tool != "" {
			s.results.Skipped[c.name] = tool + " is not on the PATH"
			s.say("%s: left out, %s", c.name, s.results.Skipped[c.name])
			continue
		}
		s.say("%s: building", c.name)
		p, err := s.build(ctx, c, "build", runtime.GOARCH)
		if err != nil {
			return err
		}
		s.say("%s: checking its answers", c.name)
		if err := check(s.bed, p); err != nil {
			return fmt.Errorf("check %s: %w", c.name, err)
		}
		s.programs = append(s.programs, p)
		s.results.Contenders = append(s.results.Contenders, described{c.name, c.note})
	}
	if len(s.programs) == 0 {
		return errors.New("there is nothing to measure")
	}
	return nil
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.progress, format+"\n", args...) }
