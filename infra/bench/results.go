package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Names of the figures: what was measured, and its unit.
const (
	startWall     = "start wall ms"
	startCPU      = "start CPU ms"
	firstWall     = "first answer wall ms"
	firstCPU      = "first answer CPU ms"
	zipSize       = "zip MB"
	databaseCalls = "database calls"
)

func warmCPU(size int) string     { return "warm CPU µs, " + label(size) }
func warmLatency(size int) string { return "warm latency ms, " + label(size) }
func peakRSS(size int) string     { return "peak RSS MB, " + label(size) }
func writeUnits(size int) string  { return "write units, " + label(size) }

func thawed(reset bool) string {
	how := map[bool]string{false: "closed", true: "reset"}
	return "first answer after a freeze ms, connections " + how[reset]
}

// Sizes of the documents.
const small, middling, medium, large = 1 << 10, 10 << 10, 100 << 10, 390 << 10

func label(size int) string { return fmt.Sprintf("%d KB", size/1024) }

// results is all that was measured, as it came.
type results struct {
	Date     string
	Revision string
	Machine  string
	Rounds   int
	// Contenders in the order of the report.
	Contenders []described
	Skipped    map[string]string               // contender → why
	Samples    map[string]map[string][]float64 // contender → figure → each time it was taken
}

type described struct{ Name, Note string }

// newResults describes the revision of the repository and the machine.
func newResults(ctx context.Context, root string, rounds int) *results {
	output := func(args ...string) string {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = root
		text, _ := cmd.Output() // what is not installed stays empty
		return string(bytes.TrimSpace(text))
	}
	release := strings.Replace(runtime.Version(), "go", "Go ", 1)
	machine := fmt.Sprintf("%d cores, %s; %s", runtime.NumCPU(), output("uname", "-srm"), release)
	if node := output("node", "--version"); node != "" {
		machine += ", Node.js " + strings.TrimPrefix(node, "v")
	}
	if rust := strings.Fields(output("rustc", "--version")); len(rust) > 1 {
		machine += ", Rust " + rust[1]
	}
	cpus, _ := os.ReadFile("/proc/cpuinfo")
	if model := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(cpus); model != nil {
		machine = string(model[1]) + ", " + machine
	}
	return &results{
		Date: time.Now().UTC().Format(time.RFC3339), Revision: output("git", "describe", "--always", "--dirty", "--abbrev=12"),
		Machine: machine, Rounds: rounds, Skipped: make(map[string]string), Samples: make(map[string]map[string][]float64),
	}
}

func (r *results) add(contender, figure string, value float64) {
	if r.Samples[contender] == nil {
		r.Samples[contender] = make(map[string][]float64)
	}
	r.Samples[contender][figure] = append(r.Samples[contender][figure], math.Round(value*1000)/1000)
}

// median returns that of a figure; NaN if it was not measured.
func (r *results) median(contender, figure string) float64 {
	return quantile(r.Samples[contender][figure], 0.5)
}

// quantile returns the q-th quantile (0…1) of values, interpolated between two of them; NaN of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

const resultsFile, pageFile = "results.json", "RESULTS.md"

// read returns what write left in dir.
func read(dir string) (*results, error) {
	text, err := os.ReadFile(filepath.Join(dir, resultsFile))
	if err != nil {
		return nil, err
	}
	r := new(results)
	return r, json.Unmarshal(text, r)
}

// write writes the figures of the contenders to dir, and the page about them.
func (r *results) write(dir string) error {
	kept := *r
	kept.Samples = make(map[string]map[string][]float64)
	for _, d := range r.Contenders {
		kept.Samples[d.Name] = r.Samples[d.Name]
	}
	text, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return err
	}
	list := regexp.MustCompile(`\[[-+.eE0-9,\s]+\]`) // a line each
	text = list.ReplaceAllFunc(text, func(numbers []byte) []byte { return regexp.MustCompile(`\s+`).ReplaceAll(numbers, nil) })
	return errors.Join(
		os.WriteFile(filepath.Join(dir, resultsFile), append(text, '\n'), 0o644),
		os.WriteFile(filepath.Join(dir, pageFile), []byte(kept.page()), 0o644),
	)
}
