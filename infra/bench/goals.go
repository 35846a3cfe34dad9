package main

import (
	"fmt"
	"math"
	"strings"

	"orgsettings/infra/bench/meter"
)

// goal is what a figure of the deployed program must not exceed.
type goal struct {
	title string
	most  float64
	value func(*results) float64 // NaN if it was not measured
}

func goals() []goal {
	to := func(contender string, figures ...string) func(*results) float64 {
		return func(r *results) float64 { return r.sum(ours, figures...) / r.sum(contender, figures...) }
	}
	list := []goal{
		{"start, CPU", 0.40, to(base, startCPU)},
		{"start, wall", 0.70, to(base, startWall)},
		{"first answer, wall", 0.60, to(base, firstWall)},
		{"warm CPU, 1 KB", 0.75, to(base, warmCPU(small))},
		{"warm CPU, 100 KB", 0.25, to(base, warmCPU(medium))},
		{"warm CPU, 390 KB", 0.22, to(base, warmCPU(large))},
		{"peak RSS, 1 KB", 0.80, to(base, peakRSS(small))},
		{"peak RSS, 390 KB", 0.55, to(base, peakRSS(large))},
		{"zip, MB", 4.0, func(r *results) float64 { return r.median(ours, zipSize) }},
		{"write units, 10 KB and up, to those of the text as it is", 0.30, mostUnits},
	}
	for _, size := range []int{small, medium, large} {
		list = append(list, goal{"warm CPU, " + label(size) + ", to node", 1, to("node", warmCPU(size))})
	}
	return append(list,
		goal{"start and first answer, to node", 1, to("node", startWall, firstWall)},
		goal{"peak RSS, 1 KB, to node", 1, to("node", peakRSS(small))},
		goal{"peak RSS, 390 KB, to node", 1, to("node", peakRSS(large))},
		goal{"start and first answer, to rust", 1, to("rust", startWall, firstWall)},
		goal{"warm CPU, 100 KB, to rust", 1, to("rust", warmCPU(medium))},
		goal{"warm CPU, 390 KB, to rust", 1, to("rust", warmCPU(large))},
	)
}

// sum adds up the medians of figures.
func (r *results) sum(contender string, figures ...string) float64 {
	sum := 0.0
	for _, figure := range figures {
		sum += r.median(contender, figure)
	}
	return sum
}

func mostUnits(r *results) float64 {
	most := math.Inf(-1)
	for _, size := range []int{middling, medium, large} {
		most = math.Max(most, r.median(ours, writeUnits(size))/float64(textUnits(size)))
	}
	return most
}

// textUnits returns what it costs to write a document of that size as text, with its key.
func textUnits(document int) int {
	return meter.WriteUnits(len("orgId") + len(ownersOrg) + len("settings") + document)
}

// outcome says whether a value meets the goal.
func (g goal) outcome(value float64) string {
	switch {
	case math.IsNaN(value):
		return "not measured"
	case value <= g.most:
		return "met"
	default:
		return "missed"
	}
}

func (r *results) goalTable() string {
	var b strings.Builder
	b.WriteString("| | at most | is | |\n|---|--:|--:|---|\n")
	for _, g := range goals() {
		value := g.value(r)
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.title, number(g.most), number(value), g.outcome(value))
	}
	return b.String()
}
