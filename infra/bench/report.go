package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// column is one of a table with a contender in each row.
type column struct {
	title  string
	figure string
	of     func([]float64) float64 // nil: the median, with its spread and ratio
}

// number writes three significant digits, and whole numbers in full.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == math.Trunc(v) || size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}

// cell writes the median, the quartiles if they differ, and the ratio to the base.
func (r *results) cell(contender string, c column) string {
	values := r.Samples[contender][c.figure]
	if len(values) == 0 {
		return "–"
	}
	if c.of != nil {
		return number(c.of(values))
	}
	text := number(r.median(contender, c.figure))
	if low, high := number(quantile(values, 0.25)), number(quantile(values, 0.75)); low != high {
		text += " [" + low + "–" + high + "]"
	}
	if ratio := number(r.median(contender, c.figure) / r.median(base, c.figure)); ratio != "–" {
		text += " **" + ratio + "**"
	}
	return text
}

// table leaves out contenders that have none of the figures.
func (r *results) table(columns ...column) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|---" + strings.Repeat("|--:", len(columns)) + "|\n")
	for _, d := range r.Contenders {
		row, measured := "| "+d.Name+" |", false
		for _, c := range columns {
			measured = measured || len(r.Samples[d.Name][c.figure]) > 0
			row += " " + r.cell(d.Name, c) + " |"
		}
		if measured {
			b.WriteString(row + "\n")
		}
	}
	return b.String()
}

// tables returns all that was measured as Markdown.
func (r *results) tables() string {
	var b strings.Builder
	section := func(title, text, table string) { fmt.Fprintf(&b, "## %s\n\n%s\n\n%s\n", title, text, table) }
	each := func(figure func(int) string, sizes ...int) []column {
		var columns []column
		for _, size := range sizes {
			columns = append(columns, column{title: label(size), figure: figure(size)})
		}
		return columns
	}
	slowest := func(values []float64) float64 { return slices.Max(values) }
	middle := func(values []float64) float64 { return quantile(values, 0.5) }
	p99 := func(values []float64) float64 { return quantile(values, 0.99) }

	section("Goals", "The deployed program, *settings*, against *"+base+"* where no other is named.", r.goalTable())
	section("Start", "Start: from exec to the first request for an event. First answer: to a document of 1 KB.",
		r.table(column{title: "start, ms", figure: startWall}, column{title: "CPU, ms", figure: startCPU},
			column{title: "first answer, ms", figure: firstWall}, column{title: "CPU, ms", figure: firstCPU}))
	section("Warm: CPU per call, µs", "By the size of the document.", r.table(each(warmCPU, small, middling, medium, large)...))
	var latencies []column
	for _, size := range []int{small, medium, large} {
		latencies = append(latencies, column{title: label(size), figure: warmLatency(size)},
			column{title: "p99", figure: warmLatency(size), of: p99})
	}
	section("Warm: latency, ms", "With two calls of the database, except *hello* (none) and *history* (four).", r.table(latencies...))
	section("Memory: peak RSS, MB", "Each of a process that has served documents of that size only.",
		r.table(each(peakRSS, small, large)...))
	section("Size of the zip, MB", "Packed as by `make build`: programs in Go for arm64, others as built on this machine.",
		r.table(column{title: "zip", figure: zipSize}))
	section("Database: write units per call", fmt.Sprintf("A document of 100 KB takes %d units as text. "+
		"As a native map, with numbers and flags, it takes fewer.", textUnits(medium)),
		r.table(append([]column{{title: "calls", figure: databaseCalls, of: middle}},
			each(writeUnits, small, middling, medium, large)...)...))
	section("First answer after a freeze, ms", "The process is stopped while the database closes its connections. The next event lets it go on.",
		r.table(column{title: "closed (FIN)", figure: thawed(false)}, column{title: "slowest", figure: thawed(false), of: slowest},
			column{title: "reset (RST)", figure: thawed(true)}, column{title: "slowest", figure: thawed(true), of: slowest}))
	return strings.TrimSuffix(b.String(), "\n")
}

// page returns the report.
func (r *results) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

What the deployed program costs, beside peers that do the same work in other ways. Each contender runs as AWS Lambda runs a bootstrap: a process
that fetches one event at a time from a Runtime API. Every contender has answered good and bad requests as the service does before it is
measured (*hello* answers 200 and does nothing). In every round each of them is started, served and ended in turn, in a random order.

- Tokens are fresh, RS256 and ES256 in turn, and made beforehand.
- The database is a stand-in over TLS: %v of round trip, %v for a call. The signing keys come over TLS, in %v.
- Root CAs lie as in Lambda's provided.al2023.
- CPU time is that of the whole process, user and system, from one request for an event to the next.
- A cell is: median [quartiles] **ratio to %s**. Read the ratios: the milliseconds are those of one machine.

The goals were relaxed: goals of speed that no caller feels (0.3%% of a call of ordinary size, 3 ms of a start) had been bought with own code
where libraries do well. That code was removed.

%s; %d rounds; revision %s; %s. Made by `+"`make bench`"+`; all figures are in [%s](%s).

| contender | |
|---|---|
`, roundTrip, serviceTime, keysDelay, base, r.Machine, r.Rounds, r.Revision, r.Date, resultsFile, resultsFile)
	for _, d := range r.Contenders {
		fmt.Fprintf(&b, "| %s | %s |\n", d.Name, d.Note)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(&b, "| %s | left out: %s |\n", name, r.Skipped[name])
	}
	return b.String() + "\n" + r.tables()
}
