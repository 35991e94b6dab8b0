//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math"
)

const (
	width, panel = 860, 260
	left, right  = 70, 20
)

// A curve is one line of a panel: its name and colour, and what it takes of a sample.
type curve struct {
	name, color string
	value       func(sample) float64
}

// draw returns the picture: cost above, memory below, both over the number of messages, which grows
// by powers.
func draw(samples []sample) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" `+
		`font-size="13">`+"\n", width, 2*panel+70)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%d" y="28" font-size="17" font-weight="600">%s</text>`+"\n", left,
		"History import: HTTP, endpoint, decoder, tracker, SQLite with synchronous=FULL")
	drawPanel(&b, samples, 50, "microseconds per message", []curve{
		{"on the clock", "#2563eb", func(s sample) float64 { return s.wall }},
		{"on the processor", "#d97706", func(s sample) float64 { return s.cpu }},
	})
	drawPanel(&b, samples, 50+panel, "megabytes of memory", []curve{
		{"process (RSS)", "#7c3aed", func(s sample) float64 { return s.rss }},
		{"live heap", "#059669", func(s sample) float64 { return s.heap }},
	})
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawPanel draws one panel: its title, lines for about five values with their labels, the numbers
// of messages below, and the curves with their names. The number of messages grows by powers of ten
// from left to right, because a cost that grows with what is stored shows over orders of magnitude.
func drawPanel(b *bytes.Buffer, samples []sample, top float64, title string, curves []curve) {
	const inner = panel - 70
	most := 0.0
	for _, s := range samples {
		for _, c := range curves {
			most = max(most, c.value(s))
		}
	}
	step := niceStep(most)
	ceiling := math.Ceil(most*1.05/step) * step
	low, high := math.Log10(float64(samples[0].messages)), math.Log10(float64(samples[len(samples)-1].messages))
	if high == low {
		high = low + 1
	}
	x := func(n float64) float64 { return left + (math.Log10(n)-low)/(high-low)*(width-left-right) }
	y := func(v float64) float64 { return top + 30 + inner*(1-v/ceiling) }
	fmt.Fprintf(b, `<text x="%d" y="%.0f" font-weight="600">%s</text>`+"\n", left, top+16, title)
	for v := 0.0; v <= ceiling+step/2; v += step {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#e5e7eb"/><text x="%d" y="%.1f" `+
			`text-anchor="end" fill="#6b7280">%g</text>`+"\n",
			left, width-right, y(v), y(v), left-8, y(v)+4, v)
	}
	for n := math.Pow(10, math.Floor(low)); n <= math.Pow(10, high)*1.01; n *= 10 {
		for _, k := range []float64{1, 2, 5} {
			if at := n * k; at >= math.Pow(10, low)*0.99 && at <= math.Pow(10, high)*1.01 {
				fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle" fill="#6b7280">%s</text>`+"\n", x(at),
					top+30+inner+18, short(at))
			}
		}
	}
	for i, c := range curves {
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="`, c.color)
		for _, s := range samples {
			fmt.Fprintf(b, "%.1f,%.1f ", x(float64(s.messages)), y(c.value(s)))
		}
		fmt.Fprintf(b, `"/><text x="%d" y="%.0f" fill="%s" text-anchor="end">%s</text>`+"\n", width-right-i*150, top+16,
			c.color, c.name)
	}
}

// niceStep is 1, 2 or 5 times a power of ten, for about five lines between zero and most.
func niceStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(most, 1e-9)/4)))
	for _, k := range []float64{1, 2, 5} {
		if most/(power*k) <= 5 {
			return power * k
		}
	}
	return power * 10
}

// short writes a number of messages for a label.
func short(n float64) string {
	if n >= 1e6 {
		return fmt.Sprintf("%g M", n/1e6)
	}
	if n >= 1e3 {
		return fmt.Sprintf("%g k", n/1e3)
	}
	return fmt.Sprintf("%g", n)
}
