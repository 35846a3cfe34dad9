package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
)

// notesMark begins the part of the report that is written by hand.
const notesMark = "<!-- notes -->"

// writeReport replaces the report at path, but for the notes at its end.
func writeReport(path, report string) error {
	notes := notesMark + "\n"
	old, err := os.ReadFile(path)
	if err == nil {
		if at := strings.Index(string(old), notesMark); at >= 0 {
			notes = string(old[at:])
		}
	} else if !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, []byte(report+"\n"+notes), 0o644)
}

// column is one of a table with a contender in each row.
type column struct {
	title  string
	figure string
	of     func([]float64) float64 // nil: the median, with its spread and ratio
}

// number writes three significant digits, and whole numbers in full.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
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
func (r *results) cell(contender, base string, c column) string {
	values := r.Samples[contender][c.figure]
	if len(values) == 0 {
		return "–"
	}
	if c.of != nil {
		return number(c.of(values))
	}
	text := number(median(values))
	if low, high := number(quantile(values, 0.25)), number(quantile(values, 0.75)); low != high {
		text += " [" + low + "–" + high + "]"
	}
	if ratio := r.ratio(contender, base, c.figure); !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
		text += " **" + number(ratio) + "**"
	}
	return text
}

// table leaves out contenders that have none of the figures; it is empty if all are.
func (r *results) table(base string, columns ...column) string {
	var b strings.Builder
	rows := 0
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|---" + strings.Repeat("|--:", len(columns)) + "|\n")
	for _, d := range r.Contenders {
		row, measured := "| "+d.Name+" |", false
		for _, c := range columns {
			measured = measured || len(r.Samples[d.Name][c.figure]) > 0
			row += " " + r.cell(d.Name, base, c) + " |"
		}
		if measured {
			b.WriteString(row + "\n")
			rows++
		}
	}
	if rows == 0 {
		return ""
	}
	return b.String()
}

func worst(values []float64) float64 { return slices.Max(values) }

func p99(values []float64) float64 { return quantile(values, 0.99) }

// report returns the Markdown page, without notes.
func (r *results) report(base string) string {
	var b strings.Builder
	section := func(title, text, table string) {
		if table == "" {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s", title, text, table)
	}
	database := fmt.Sprintf("a stand-in over TLS, %s away, that takes %v for a call", cmp.Or(r.Flags["rtt"], "?"), serviceTime)
	if endpoint := r.Flags["dynamodb"]; endpoint != "" {
		database = "at " + endpoint
	}
	fmt.Fprintf(&b, "# Benchmarks\n\n"+
		"What the deployed program costs, beside peers that do the same work in other ways. "+
		"Each contender runs as AWS Lambda runs a bootstrap: a process that fetches one event at a time from a Runtime API. "+
		"In every round each one is started, served and ended in turn, in a random order; it was sent good and bad requests first and had to answer all as the service does (*hello* answers 200 and does nothing). "+
		"Tokens are fresh, RS256 and ES256 in turn, and made beforehand. The database is %s; the signing keys come over TLS, in %s. "+
		"Root certificates lie as in Lambda's provided.al2023, and both servers are trusted by one of Amazon's. "+
		"CPU time is that of the whole process, user and system, from one request for an event to the next. "+
		"Cells are: median [quartiles] **ratio to %s**. Read the ratios: the milliseconds are those of one machine.\n\n",
		database, cmp.Or(r.Flags["jwks-delay"], "?"), base)
	fmt.Fprintf(&b, "```\n%s\n```\n\n%s, %d cores, %s; Go %s", r.Command, r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel, r.Machine.Go)
	if r.Machine.Node != "" {
		fmt.Fprintf(&b, ", Node.js %s", r.Machine.Node)
	}
	if r.Machine.Rust != "" {
		fmt.Fprintf(&b, ", Rust %s", r.Machine.Rust)
	}
	fmt.Fprintf(&b, "; %s rounds; revision %s; %s. All figures: [%s](%s).\n\n", r.Flags["rounds"], r.Revision, r.Date, resultsFile, resultsFile)
	b.WriteString("| contender | |\n|---|---|\n")
	for _, d := range r.Contenders {
		fmt.Fprintf(&b, "| %s | %s |\n", d.Name, d.Note)
	}
	for _, what := range slices.Sorted(maps.Keys(r.Skipped)) {
		first, _, _ := strings.Cut(r.Skipped[what], "\n")
		fmt.Fprintf(&b, "| %s | left out: %s |\n", what, strings.ReplaceAll(first, "|", "\\|"))
	}

	section("Goals", "The deployed program against "+base+".", r.goalTable(base))
	section("Start", "From exec to the first request for an event, and from there to the first answer (1 KB). "+
		"*Cold* is with the program, but nothing that it shares with others, out of the page cache.\n\n![Start](plots/start.svg)",
		r.table(base,
			column{title: "start, ms", figure: startWall}, column{title: "CPU, ms", figure: startCPU},
			column{title: "cold, ms", figure: coldStartWall}, column{title: "CPU, ms", figure: coldStartCPU},
			column{title: "first answer, ms", figure: firstWall}, column{title: "CPU, ms", figure: firstCPU}))
	section("Warm: CPU per call, µs", "By the size of the document.\n\n![CPU by size](plots/warm.svg)",
		r.table(base, each(small, medium, large)(warmCPU)...))
	var latencies []column
	for _, size := range []int{small, medium, large} {
		latencies = append(latencies, column{title: label(size), figure: warmLatency(size)},
			column{title: "p99", figure: warmLatency(size), of: p99})
	}
	section("Warm: latency, ms", "Two calls of the database included, if there are any.", r.table(base, latencies...))
	section("Growth: CPU per call, µs", "In one process, from small to large; the slope is that of the line of least squares through all figures.", r.growthTable(base))
	section("Memory: peak RSS, MB", "Of a process that served documents of 1 KB alone, and of one that served those of 390 KB.",
		r.table(base, each(small, large)(peakRSS)...))
	section("Memory: allocations per call", "By an instrumented build of the contenders in Go.", r.table(base, each(allocationSizes()...)(allocations)...))
	section("Memory: bytes allocated per call", "Of these builds.", r.table(base, each(allocationSizes()...)(allocatedBytes)...))
	section("Size of the zip, MB", "As `sam deploy` packs it. Programs in Go for arm64; others as built on this machine.", r.table(base, column{title: "zip", figure: zipSize}))
	section("Database", "Calls and units for one request; by text as it is, a document of 100 KB takes "+fmt.Sprint(rawUnits(medium))+" units. An item with a map of native numbers and flags is smaller than the text.",
		r.table(base, append([]column{{title: "calls", figure: calls, of: median}, {title: "read units", figure: readUnits, of: median}},
			each(small, 10<<10, medium, large, maxDocument)(units)...)...))
	section("Text that cannot be compressed", "100 KB of random text.",
		r.table(base, column{title: "CPU per call, µs", figure: randomCPU}, column{title: "write units", figure: randomUnits}))
	section("After a freeze", "The process stands still while the database closes its connections; then the first answer, ms.",
		r.table(base,
			column{title: "closed", figure: thawFIN}, column{title: "slowest", figure: thawFIN, of: worst},
			column{title: "reset", figure: thawRST}, column{title: "slowest", figure: thawRST, of: worst},
			column{title: "warm p50", figure: warmLatency(small), of: median}))
	for _, memoryMB := range quotaSizes() {
		section(fmt.Sprintf("With the CPU time of %d MB, ms", memoryMB),
			"Wall time under a quota like Lambda's (which itself does not limit the start).",
			r.table(base,
				column{title: "start", figure: atQuota(startWall, memoryMB)}, column{title: "first answer", figure: atQuota(firstWall, memoryMB)},
				column{title: "warm, 1 KB", figure: atQuota(warmLatency(small), memoryMB)}, column{title: "warm, 100 KB", figure: atQuota(warmLatency(medium), memoryMB)}))
	}
	return b.String()
}

// each returns a column for each size.
func each(sizes ...int) func(figure func(int) string) []column {
	return func(figure func(int) string) []column {
		columns := make([]column, len(sizes))
		for i, size := range sizes {
			columns[i] = column{title: label(size), figure: figure(size)}
		}
		return columns
	}
}

func (r *results) growthTable(base string) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, size := range growthSizes() {
		b.WriteString(" " + label(size) + " |")
	}
	b.WriteString(" slope, µs per KB |\n|---" + strings.Repeat("|--:", len(growthSizes())+1) + "|\n")
	for _, d := range r.Contenders {
		b.WriteString("| " + d.Name + " |")
		for _, size := range growthSizes() {
			b.WriteString(" " + number(median(r.Samples[d.Name][growthCPU(size)])) + " |")
		}
		fmt.Fprintf(&b, " %s **%s** |\n", number(r.growth(d.Name)), number(r.growth(d.Name)/r.growth(base)))
	}
	return b.String()
}
