//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

const (
	width, panel = 870, 300
	left, right  = 70, 30
)

// draw returns a picture with a panel for each engine: the latency over the load, both growing by
// powers, because a host that falls behind is slower by orders of magnitude.
func draw(list []*capacity) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" `+
		`font-size="13">`+"\n", width, len(list)*panel+50)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%d" y="28" font-size="17" font-weight="600">%s</text>`+"\n", left,
		"From POST to handled: milliseconds over texts a second")
	for i, e := range list {
		drawPanel(&b, e, float64(50+i*panel))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawPanel draws one engine: a line for each power of ten of milliseconds, the rates below, and
// four curves with their names.
func drawPanel(b *bytes.Buffer, e *capacity, top float64) {
	const inner = panel - 80
	all := slices.Concat(e.latencies, e.latenciesWithout)
	low, high, first, last := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range all {
		low, high = min(low, math.Floor(math.Log10(p.p50))), max(high, math.Ceil(math.Log10(p.p99)))
		first, last = min(first, math.Log10(p.rate)), max(last, math.Log10(p.rate))
	}
	x := func(rate float64) float64 {
		return left + (math.Log10(rate)-first)/max(last-first, 0.1)*(width-left-right)
	}
	y := func(ms float64) float64 { return top + 40 + inner*(1-(math.Log10(ms)-low)/max(high-low, 1)) }
	fmt.Fprintf(b, `<text x="%d" y="%.0f" font-weight="600">%s</text>`+"\n", left, top+16, e.name)
	for power := low; power <= high; power++ {
		ms := math.Pow(10, power)
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#e5e7eb"/><text x="%d" y="%.1f" `+
			`text-anchor="end" fill="#6b7280">%g ms</text>`+"\n", left, width-right, y(ms), y(ms), left-8, y(ms)+4, ms)
	}
	for _, p := range e.latencies {
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle" fill="#6b7280">%.0f/s</text>`+"\n",
			x(p.rate), top+40+inner+20, p.rate)
	}
	for i, c := range []struct {
		name, color string
		points      []latency
		value       func(latency) float64
	}{
		{"p99 with the tracker", "#dc2626", e.latencies, func(p latency) float64 { return p.p99 }},
		{"p50 with the tracker", "#2563eb", e.latencies, func(p latency) float64 { return p.p50 }},
		{"p99 without", "#fca5a5", e.latenciesWithout, func(p latency) float64 { return p.p99 }},
		{"p50 without", "#93c5fd", e.latenciesWithout, func(p latency) float64 { return p.p50 }},
	} {
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, c.color)
		for _, p := range c.points {
			fmt.Fprintf(b, "%.1f,%.1f ", x(p.rate), y(c.value(p)))
		}
		fmt.Fprintf(b, `"/><text x="%d" y="%.0f" fill="%s" text-anchor="end">%s</text>`+"\n", width-right-i*160, top+16,
			c.color, c.name)
	}
}
