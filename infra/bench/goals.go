package main

import (
	"math"
	"strings"
)

// goal is what a figure of the deployed program must not exceed, and what it had better not.
type goal struct {
	title       string
	must, reach float64
	value       func(r *results, base string) float64 // NaN where it was not measured
}

func goals() []goal {
	to := func(contender, figure string) func(*results, string) float64 {
		return func(r *results, base string) float64 { return r.ratio(contender, base, figure) }
	}
	list := []goal{
		{"start, CPU", 0.25, 0.15, to(ours, startCPU)},
		{"start, wall, keys over the network", 0.72, 0.67, to(ours, startWall)},
		{"start, wall, keys shipped", 0.22, 0.15, to(shipped, startWall)},
		{"first answer, wall", 0.62, 0.57, to(ours, firstWall)},
		{"first answer, CPU", 0.35, 0.16, to(ours, firstCPU)},
		{"warm CPU, 1 KB", 0.55, 0.40, to(ours, warmCPU(small))},
		{"warm CPU, 100 KB", 0.17, 0.10, to(ours, warmCPU(medium))},
		{"warm CPU, 390 KB", 0.14, 0.07, to(ours, warmCPU(large))},
		{"allocations, at any size (count)", 950, 750, mostAllocations},
		{"peak RSS, 1 KB", 0.8, 0.6, to(ours, peakRSS(small))},
		{"peak RSS, 390 KB", 0.5, 0.35, to(ours, peakRSS(large))},
		{"zip (MB)", 3.2, 2.6, func(r *results, _ string) float64 { return median(r.Samples[ours][zipSize]) }},
		{"write units, 10 KB and up, to those of the text as it is", 0.3, 0.2, mostUnits},
		{"slowest first answer after a freeze, to warm p50", 2, 1.7, slowestThaw},
		{"growth, CPU per further KB", 0.15, 0.08, func(r *results, base string) float64 { return r.growth(ours) / r.growth(base) }},
	}
	for _, other := range []struct {
		name        string
		start, warm float64
	}{{"node", 1, 1}, {"rust", 2, 1.2}} {
		list = append(list, goal{"start and first answer, to " + other.name, other.start, 1,
			func(r *results, _ string) float64 { return r.coldStart(ours) / r.coldStart(other.name) }})
		for _, size := range []int{small, medium, large} {
			list = append(list, goal{"warm CPU, " + label(size) + ", to " + other.name, other.warm, 1,
				func(r *results, _ string) float64 { return r.ratio(ours, other.name, warmCPU(size)) }})
		}
	}
	return list
}

func (r *results) coldStart(contender string) float64 {
	return median(r.Samples[contender][startWall]) + median(r.Samples[contender][firstWall])
}

func mostAllocations(r *results, _ string) float64 {
	most := math.Inf(-1)
	for _, size := range allocationSizes() {
		most = math.Max(most, median(r.Samples[ours][allocations(size)]))
	}
	return most
}

func mostUnits(r *results, _ string) float64 {
	most := math.Inf(-1)
	for _, size := range growthSizes() {
		if size >= 10<<10 {
			most = math.Max(most, median(r.Samples[ours][units(size)])/float64(rawUnits(size)))
		}
	}
	return most
}

func slowestThaw(r *results, _ string) float64 {
	slowest := math.NaN()
	for _, figure := range []string{thawFIN, thawRST} {
		if values := r.Samples[ours][figure]; len(values) > 0 && !(worst(values) < slowest) {
			slowest = worst(values)
		}
	}
	return slowest / median(r.Samples[ours][warmLatency(small)])
}

// outcome says how a value stands to a goal.
func (g goal) outcome(value float64) string {
	switch {
	case math.IsNaN(value):
		return "not measured"
	case value <= g.reach:
		return "reached"
	case value <= g.must:
		return "met"
	default:
		return "missed"
	}
}

func (r *results) goalTable(base string) string {
	var b strings.Builder
	b.WriteString("| | must be at most | had better be | is | |\n|---|--:|--:|--:|---|\n")
	for _, g := range goals() {
		value := g.value(r, base)
		b.WriteString("| " + g.title + " | " + number(g.must) + " | " + number(g.reach) + " | " + number(value) + " | " + g.outcome(value) + " |\n")
	}
	return b.String()
}
