package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
)

// results is all that was measured, as it came.
type results struct {
	Command  string
	Date     string
	Revision string
	Machine  machine
	Flags    map[string]string
	// Contenders in the order of the report.
	Contenders []described
	Skipped    map[string]string               // contender or part → why
	Samples    map[string]map[string][]float64 // contender → figure → each time it was taken
}

type described struct{ Name, Note string }

// machine is what the figures depend on besides the programs.
type machine struct {
	CPU            string
	Cores          int
	Kernel         string
	Go, Node, Rust string
}

func (r *results) add(contender, figure string, value float64) {
	if r.Samples[contender] == nil {
		r.Samples[contender] = make(map[string][]float64)
	}
	r.Samples[contender][figure] = append(r.Samples[contender][figure], math.Round(value*1000)/1000)
}

// ratio returns how a contender's median stands to another's.
func (r *results) ratio(contender, to, figure string) float64 {
	return median(r.Samples[contender][figure]) / median(r.Samples[to][figure])
}

// growth returns what every further KB of the document costs a contender, in µs of CPU time.
func (r *results) growth(contender string) float64 {
	var kb, cost []float64
	for _, size := range growthSizes() {
		for _, value := range r.Samples[contender][growthCPU(size)] {
			kb, cost = append(kb, float64(size)/1024), append(cost, value)
		}
	}
	return slope(kb, cost)
}

const resultsFile = "results.json"

// read returns what write left in dir.
func read(dir string) (*results, error) {
	text, err := os.ReadFile(filepath.Join(dir, resultsFile))
	if err != nil {
		return nil, err
	}
	r := new(results)
	return r, json.Unmarshal(text, r)
}

// write leaves the figures in dir, and what report and plots make of them.
func (r *results) write(dir, base string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	list := regexp.MustCompile(`\[[-+.eE0-9,\s]+\]`) // a line each
	text = list.ReplaceAllFunc(text, func(numbers []byte) []byte { return regexp.MustCompile(`\s+`).ReplaceAll(numbers, nil) })
	plots := filepath.Join(dir, "plots")
	if err := os.MkdirAll(plots, 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, resultsFile), append(text, '\n'), 0o644),
		writeReport(filepath.Join(dir, "RESULTS.md"), r.report(base)),
		os.WriteFile(filepath.Join(plots, "start.svg"), []byte(r.startPlot()), 0o644),
		os.WriteFile(filepath.Join(plots, "warm.svg"), []byte(r.warmPlot()), 0o644),
	)
}
