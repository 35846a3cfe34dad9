package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// sample returns results that are made up, with gaps.
func sample() *results {
	r := &results{
		Command: "go run ./infra/bench", Date: "2026-01-02T03:04:05Z", Revision: "0123456789ab",
		Machine:    machine{CPU: "a processor", Cores: 2, Kernel: "Linux 6.1 x86_64", Go: "1.26.0", Node: "20.1.0"},
		Flags:      map[string]string{"rounds": "3", "rtt": "2ms", "jwks-delay": "20ms"},
		Contenders: []described{{ours, "the deployed program"}, {"typical", "what <tutorials> show"}, {"hello", "nothing"}},
		Skipped:    map[string]string{"rust": "there is no cargo on the PATH"},
		Samples:    make(map[string]map[string][]float64),
	}
	for name, factor := range map[string]float64{ours: 1, "typical": 4} {
		for _, v := range []float64{9, 10, 12} {
			r.add(name, startWall, v*factor)
			r.add(name, startCPU, v*factor/3)
			r.add(name, firstWall, v*factor/7)
			r.add(name, warmLatency(small), v)
			r.add(name, thawFIN, 2*v)
			for _, size := range growthSizes() {
				r.add(name, growthCPU(size), v*factor*float64(20+size/1024))
				r.add(name, units(size), factor*float64(1+size/8192))
			}
		}
	}
	r.add("hello", startWall, 2.5)
	r.add("hello", firstWall, 0.05)
	return r
}

func TestGolden(t *testing.T) {
	t.Parallel()
	r := sample()
	for name, got := range map[string]string{"report.md": r.report("typical"), "start.svg": r.startPlot(), "warm.svg": r.warmPlot()} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got; -update accepts it):\n%s", file, diff)
		}
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	r := sample()
	for _, g := range goals() {
		var want string
		switch g.title {
		case "start, CPU": // a quarter
			want = "met"
		case "first answer, wall":
			want = "reached"
		case "slowest first answer after a freeze, to warm p50": // 24 to 10
			want = "missed"
		case "zip (MB)":
			want = "not measured"
		default:
			continue
		}
		if got := g.outcome(g.value(r, "typical")); got != want {
			t.Errorf("%s = %v is %s, want %s", g.title, g.value(r, "typical"), got, want)
		}
	}
}

func TestWriteKeepsNotes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := sample().write(dir, "typical"); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "RESULTS.md")
	first, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const notes = "\n## Tried and left out\n\nBy hand.\n"
	if err := os.WriteFile(page, append(first, notes...), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), again); diff != "" {
		t.Errorf("results read are not those written (-want +got):\n%s", diff)
	}
	again.Revision = "fedcba987654"
	if err := again.write(dir, "typical"); err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(first), "0123456789ab", "fedcba987654", 1) + notes
	if diff := cmp.Diff(want, string(second)); diff != "" {
		t.Errorf("page written again (-want +got):\n%s", diff)
	}
}
