// Package report prints measured values beside their bars and stretch goals, for the programs that
// measure the performance budget.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Report prints the measured lines and counts the missed bars.
type Report struct {
	// Out is where the lines go.
	Out io.Writer

	// Only is the beginning of the numbers of the lines to be measured. If empty, all are.
	Only string

	// Missed counts the bars that were missed.
	Missed int
}

// Wants reports whether any of the lines is to be measured.
func (r *Report) Wants(numbers ...string) bool {
	for _, n := range numbers {
		if strings.HasPrefix(n, r.Only) {
			return true
		}
	}
	return false
}

// AtMost prints a value that must not be above its bar. A stretch goal of 0 is none.
func (r *Report) AtMost(number, what string, got, bar, stretch float64) {
	r.line(number, what, "≤", got, bar, stretch, got <= bar, got <= stretch)
}

// AtLeast prints a value that must not be below its bar.
func (r *Report) AtLeast(number, what string, got, bar, stretch float64) {
	r.line(number, what, "≥", got, bar, stretch, got >= bar, got >= stretch)
}

// line prints a value beside its bar. A stretch goal of 0 is none.
func (r *Report) line(number, what, sign string, got, bar, stretch float64, holds, better bool) {
	if !r.Wants(number) {
		return
	}
	verdict := "holds"
	switch {
	case !holds:
		verdict = "MISSED"
		r.Missed++
	case stretch != 0 && better:
		verdict = "stretch goal"
	}
	goal := ""
	if stretch != 0 {
		goal = fmt.Sprintf("%s %g", sign, stretch)
	}
	fmt.Fprintf(r.Out, "%-4s %-62s %10.4g   bar %s %-6g stretch %-7s %s\n", number, what, got, sign, bar, goal, verdict)
}

// Info prints a value that has no bar, to be read beside those of that number.
func (r *Report) Info(number, what string, got float64) {
	if r.Wants(number) {
		fmt.Fprintf(r.Out, "          %-57s %10.4g\n", what, got)
	}
}

// Median returns the middle of the values, the upper one of two. There must be one at least.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which that share of the values lies, such as 0.99. Values are
// not changed, and there must be one at least.
func Quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(float64(len(sorted))*share), len(sorted)-1)]
}
