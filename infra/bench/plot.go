package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Plots are 720 wide; their text takes the colour of the reader's scheme.
const plotWidth = 720

func plot(height int, title, content string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">
<style>
.paper { fill: #fff } text { fill: #24292f; font: 12px sans-serif } .title { font-size: 14px; font-weight: bold } .axis { stroke: #8c959f; stroke-width: 1 } .end { text-anchor: end } .middle { text-anchor: middle }
@media (prefers-color-scheme: dark) { .paper { fill: #0d1117 } text { fill: #e6edf3 } .axis { stroke: #6e7681 } }
</style>
<rect class="paper" width="%d" height="%d"/>
<text class="title" x="16" y="24">%s</text>
%s</svg>
`, plotWidth, height, plotWidth, height, html.EscapeString(title), plotWidth, height, html.EscapeString(title), content)
}

// colour gives each contender its own, in the order of the report; all can be told on white and black.
func colour(n int) string {
	colours := []string{"#2f81f7", "#8256d0", "#9a6700", "#2da44e", "#d1242f", "#bf3989", "#d4742c", "#57606a"}
	return colours[n%len(colours)]
}

// startPlot shows the way to the first answer by contender: the start, and the first answer.
func (r *results) startPlot() string {
	const left, right, top, row = 170, 90, 56, 30
	var b strings.Builder
	longest := 0.0
	for _, d := range r.Contenders {
		longest = math.Max(longest, r.coldStart(d.Name))
	}
	scale := (plotWidth - left - right) / longest
	fmt.Fprintf(&b, `<rect x="%d" y="34" width="10" height="10" fill="%s"/><text x="%d" y="43">start</text>`+"\n", left, colour(0), left+15)
	fmt.Fprintf(&b, `<rect x="%d" y="34" width="10" height="10" fill="%s"/><text x="%d" y="43">first answer</text>`+"\n", left+70, colour(3), left+85)
	for n, d := range r.Contenders {
		y := top + n*row
		start, first := median(r.Samples[d.Name][startWall]), median(r.Samples[d.Name][firstWall])
		fmt.Fprintf(&b, `<text class="end" x="%d" y="%d">%s</text>`+"\n", left-8, y+15, html.EscapeString(d.Name))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="20" fill="%s"/>`+"\n", left, y, start*scale, colour(0))
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="20" fill="%s"/>`+"\n", left+start*scale, y, first*scale, colour(3))
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s + %s</text>`+"\n", left+(start+first)*scale+6, y+15, number(start), number(first))
	}
	return plot(top+len(r.Contenders)*row+10, "From exec to the first answer, ms", b.String())
}

// warmPlot shows the CPU time of a call by the size of the document, both on logarithmic scales.
func (r *results) warmPlot() string {
	const left, right, top, bottom, height = 64, 170, 44, 48, 420
	sizes := growthSizes()
	sizes = sizes[:len(sizes)-1] // the last two are next to each other
	low, high := math.Inf(1), math.Inf(-1)
	for _, d := range r.Contenders {
		for _, size := range sizes {
			if v := median(r.Samples[d.Name][growthCPU(size)]); v > 0 {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	if high <= 0 {
		low, high = 1, 10
	}
	low, high = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	first, last := math.Log10(float64(sizes[0])), math.Log10(float64(sizes[len(sizes)-1]))
	x := func(size int) float64 {
		return left + (math.Log10(float64(size))-first)/(last-first)*(plotWidth-left-right)
	}
	y := func(v float64) float64 { return height - bottom - (math.Log10(v)-low)/(high-low)*(height-top-bottom) }

	var b strings.Builder
	for power := low; power <= high; power++ {
		v := math.Pow(10, power)
		fmt.Fprintf(&b, `<line class="axis" x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke-dasharray="2 4"/><text class="end" x="%d" y="%.1f">%.0f</text>`+"\n",
			left, y(v), plotWidth-right, y(v), left-6, y(v)+4, v)
	}
	for _, size := range []int{small, 10 << 10, medium, large} {
		fmt.Fprintf(&b, `<line class="axis" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/><text class="middle" x="%.1f" y="%d">%s</text>`+"\n",
			x(size), height-bottom, x(size), height-bottom+5, x(size), height-bottom+20, label(size))
	}
	for n, d := range r.Contenders {
		var points []string
		for _, size := range sizes {
			if v := median(r.Samples[d.Name][growthCPU(size)]); v > 0 {
				points = append(points, fmt.Sprintf("%.1f,%.1f", x(size), y(v)))
			}
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour(n))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			plotWidth-right+14, top+n*20, colour(n), plotWidth-right+30, top+n*20+9, html.EscapeString(d.Name))
	}
	return plot(height, "CPU time of a warm call by size of the document, µs", b.String())
}
