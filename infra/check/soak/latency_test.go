package soak

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Latencies are the durations of requests.
type Latencies []time.Duration

// Percentile returns the time within which the share p of the requests, from 0 to 1,
// was answered.
func (l Latencies) Percentile(p float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func (l Latencies) String() string {
	ms := func(p float64) string {
		return fmt.Sprintf("%.1f", float64(l.Percentile(p))/float64(time.Millisecond))
	}
	return fmt.Sprintf("%d requests, ms: p50 %s, p90 %s, p99 %s, p99.9 %s, max %s", len(l), ms(.5), ms(.9), ms(.99), ms(.999), ms(1))
}

// Plot draws one bar for each percentile, on a logarithmic scale.
func (l Latencies) Plot(w io.Writer) {
	const width = 60
	for _, p := range []float64{0, .5, .75, .9, .95, .99, .999, 1} {
		took := l.Percentile(p)
		n := 0
		for step := 100 * time.Microsecond; step < took && n < width; n++ {
			step = step * 1212 / 1000 // 60 steps are five powers of ten: 0.1 ms to 10 s
		}
		fmt.Fprintf(w, "%6.4g%% %9.2f ms %s\n", p*100, float64(took)/float64(time.Millisecond), strings.Repeat("#", max(n, 1)))
	}
}
