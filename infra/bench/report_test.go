package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample returns results that are made up, with gaps.
func sample() *results {
	r := &results{
		Date: "2026-01-02T03:04:05Z", Revision: "0123456789ab", Machine: "a processor", Rounds: 3,
		Contenders: []described{{ours, "the deployed program"}, {base, "what tutorials show"}, {"hello", "nothing"}},
		Skipped:    map[string]string{"rust": "cargo is not on the PATH"},
		Samples:    make(map[string]map[string][]float64),
	}
	for name, factor := range map[string]float64{ours: 1, base: 4} {
		for _, v := range []float64{9, 10, 12} {
			r.add(name, startWall, v*factor)
			r.add(name, startCPU, v/factor)
			for n, size := range []int{middling, medium, large} {
				r.add(name, writeUnits(size), factor*float64(n+1))
			}
		}
	}
	r.add("hello", startWall, 2.5)
	return r
}

func TestTables(t *testing.T) {
	t.Parallel()
	page := sample().page()
	for _, want := range []string{
		"| start, wall | 0.70 | 0.25 | met |",
		"| start, CPU | 0.40 | 4 | missed |",
		"| warm CPU, 1 KB | 0.75 | – | not measured |",
		"| write units, 10 KB and up, to those of the text as it is | 0.30 | 0.091 | met |",
		"| settings | 10 [9.50–11] **0.25** | 10 [9.50–11] **4** | – | – |",
		"| typical | 40 [38–44] **1** | 2.50 [2.38–2.75] **1** | – | – |",
		"| hello | 2.50 **0.062** | – | – | – |",
		"| rust | left out: cargo is not on the PATH |",
	} {
		if !strings.Contains(page, "\n"+want+"\n") {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), sample()
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	again, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Errorf("results read are not those written (-want +got):\n%s", diff)
	}
	page, err := os.ReadFile(filepath.Join(dir, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.page(), string(page)); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

// The page is made from the figures beside it.
func TestCommittedResults(t *testing.T) {
	t.Parallel()
	r, err := read(".")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.page(), string(page)); diff != "" {
		t.Errorf("%s is not what go run ./infra/bench -render makes (-want +got):\n%s", pageFile, diff)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{40, 10, 30, 20}
	for q, want := range map[float64]float64{0: 10, 0.25: 17.5, 0.5: 25, 0.75: 32.5, 1: 40} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile(%v, %v) = %v, want %v", values, q, got, want)
		}
	}
	if values[0] != 40 {
		t.Error("quantile changed the order of its values")
	}
	if got := quantile([]float64{7}, 0.99); got != 7 {
		t.Errorf("quantile of one value = %v, want 7", got)
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of none = %v, want NaN", got)
	}
}
