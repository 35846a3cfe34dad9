// Command bench runs bootstrap programs as AWS Lambda does, side by side, and compares what they
// cost: the deployed one, and peers that do the same work in other ways. It provides everything
// around them (Runtime API, database, signing keys) and writes figures, tables and plots.
//
// It knows nothing of how a contender works: it sees a process, its answers and its calls.
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
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds              int
	short, render       bool
	only, base, out     string
	endpoint            string
	roundTrip, keyDelay time.Duration
	seed                uint64
	prebuilt            []string
}

func readOptions(args []string, out io.Writer) (options, *flag.FlagSet, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.IntVar(&o.rounds, "rounds", 15, "how often everything is measured")
	f.BoolVar(&o.short, "short", false, "few calls, no quotas, no zip: to see whether it works")
	f.StringVar(&o.only, "only", "", "measure these contenders alone: `NAMES` separated by commas, settings+keys for the one with keys shipped")
	f.StringVar(&o.base, "base", "typical", "`contender` that the ratios are taken to")
	f.StringVar(&o.out, "out", "infra/bench", "`directory` for results.json, RESULTS.md and plots")
	f.StringVar(&o.endpoint, "dynamodb", "", "`URL` of a database instead of the stand-in: one that takes any credentials")
	f.DurationVar(&o.roundTrip, "rtt", 2*time.Millisecond, "round trip to the database")
	f.DurationVar(&o.keyDelay, "jwks-delay", 20*time.Millisecond, "how long the signing keys take to come")
	f.Uint64Var(&o.seed, "seed", 1, "of the documents and the order")
	f.BoolVar(&o.render, "render", false, "measure nothing: write the report and plots of the results that are there")
	f.Func("contender", "another program, `NAME=PATH[,VARIABLE=VALUE…]`; may be repeated", func(text string) error {
		o.prebuilt = append(o.prebuilt, text)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return o, nil, err
	}
	if f.NArg() > 0 || o.rounds < 1 {
		return o, nil, errors.New("usage: bench [flags], with at least one round")
	}
	return o, f, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, flags, err := readOptions(args, out)
	if err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		return errors.New("this needs the clocks and control groups of Linux")
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(o.out) {
		o.out = filepath.Join(root, o.out)
	}
	if o.render {
		r, err := read(o.out)
		if err != nil {
			return err
		}
		return r.write(o.out, o.base)
	}
	// The collector runs between measurements (quiet), and only then.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	w, err := newWorld(ctx, root, filepath.Join(root, ".build", "bench"), o)
	if err != nil {
		return err
	}
	defer w.close()
	r := &results{
		Command: strings.Join(append([]string{"go run ./infra/bench"}, args...), " "),
		Date:    time.Now().UTC().Format(time.RFC3339),
		Flags:   make(map[string]string),
		Skipped: make(map[string]string),
		Samples: make(map[string]map[string][]float64),
	}
	r.Revision, r.Machine = describe(ctx, root)
	flags.VisitAll(func(f *flag.Flag) { r.Flags[f.Name] = f.Value.String() })
	s := &session{w: w, counts: usualCounts(o.rounds), seed: o.seed, results: r, progress: out}
	if o.short {
		s.counts = shortCounts(o.rounds)
	}
	if err := s.assemble(ctx, o); err != nil {
		return err
	}
	if err := s.measure(ctx, o.short); err != nil {
		return err
	}
	return r.write(o.out, o.base)
}

// assemble builds and checks the contenders. One that cannot be built here, or that answers
// otherwise than the service must, is left out.
func (s *session) assemble(ctx context.Context, o options) error {
	list := contenders()
	for _, text := range o.prebuilt {
		c, err := prebuilt(text)
		if err != nil {
			return err
		}
		list = append(list, c)
	}
	for _, c := range list {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), strings.ReplaceAll(c.name, ", keys shipped", "+keys")) {
			continue
		}
		if reason := c.missing(s.w.root); reason != "" {
			s.skip(c.name, reason)
			continue
		}
		fmt.Fprintf(s.progress, "building and checking %s\n", c.name)
		p, err := buildProgram(ctx, s.w, c)
		if err == nil {
			err = check(s.w, p)
		}
		if err != nil {
			s.skip(c.name, err.Error())
			continue
		}
		s.programs = append(s.programs, p)
		s.results.Contenders = append(s.results.Contenders, described{c.name, c.note})
	}
	if len(s.programs) == 0 {
		return errors.New("there is nothing to measure")
	}
	return nil
}

func (s *session) skip(what, reason string) {
	s.results.Skipped[what] = reason
	fmt.Fprintf(s.progress, "skipped: %s: %s\n", what, reason)
}

func (s *session) measure(ctx context.Context, short bool) error {
	var quotas []quota
	for _, memoryMB := range quotaSizes() {
		if short {
			break
		}
		q, err := newQuota(memoryMB)
		if err != nil {
			s.skip(fmt.Sprintf("CPU quota of %d MB", memoryMB), err.Error())
			continue
		}
		defer func() {
			if err := q.remove(); err != nil {
				fmt.Fprintln(s.progress, err)
			}
		}()
		quotas = append(quotas, q)
	}
	if err := s.run(ctx, quotas); err != nil {
		return err
	}
	_, noPython := exec.LookPath("python3")
	if noPython != nil && !short {
		s.skip("size of the zip", "there is no python3 on the PATH")
	}
	for _, p := range s.programs {
		if p.source != "" {
			if err := s.measureAllocations(ctx, p); err != nil {
				return fmt.Errorf("count allocations of %s: %w", p.name, err)
			}
		}
		if !short && noPython == nil {
			if err := s.measureZip(ctx, p); err != nil {
				return fmt.Errorf("pack %s: %w", p.name, err)
			}
		}
	}
	return nil
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
