package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// report prints what happened.
func report(out io.Writer, s *supervisor) {
	requests, throttled, faults := 0, 0, 0
	for _, r := range s.meta.srv.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		requests++
		if r.Fault != "" {
			faults++
		}
		if r.Code == graph.CodeRateLimitHit {
			throttled++
		}
	}
	t := s.box.count()
	row := func(n int, format string, args ...any) {
		fmt.Fprintf(out, "  %7s  %s\n", thousands(n), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(out, "\nWhat happened in %.0f s\n\n", s.took.Seconds())
	row(len(s.meta.srv.Sent()), "messages are at Meta, for %s customers", thousands(s.options.messages))
	row(requests, "requests were made")
	row(faults, "of them failed, with errors, cut connections, garbage, late answers")
	row(throttled, "were throttled: too fast for the number")
	row(len(s.kills), "workers were killed, and their work was taken up from the outbox")
	row(t.doubts, "sends ended in doubt, %d of them because nobody was left to hear the answer", t.killed)
	row(t.confirmed, "of those had been accepted: status webhooks told")
	row(t.cleared, "had not: the history knows nothing of them, so they were sent again")
	plot(out, s)
	histogram(out, s.box.answerTimes())
}

const (
	plotRows    = 6
	plotColumns = 64
)

// plot draws how many messages Meta accepted a second.
func plot(out io.Writer, s *supervisor) {
	window := max(s.took/plotColumns, 200*time.Millisecond)
	columns := make([]float64, int(s.took/window)+1)
	for _, m := range s.meta.srv.Sent() {
		if i := int(m.At.Sub(s.began) / window); i >= 0 && i < len(columns) {
			columns[i] += 1 / window.Seconds()
		}
	}
	top := max(float64(s.options.rate), slices.Max(columns))
	fmt.Fprintf(out, "\nMessages a second\n\n")
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	for row := plotRows - 1; row >= 0; row-- {
		label, axis := "", "│"
		if row == plotRows-1 || row == plotRows/2-1 {
			label, axis = fmt.Sprintf("%.0f", top*float64(row+1)/plotRows), "┤"
		}
		var b strings.Builder
		for _, v := range columns {
			eighths := int(v/top*plotRows*8+0.5) - 8*row
			b.WriteRune(blocks[min(max(eighths, 0), 8)])
		}
		fmt.Fprintf(out, "  %7s %s%s\n", label, axis, strings.TrimRight(b.String(), " "))
	}
	fmt.Fprintf(out, "  %7s └%s %.0f s\n", "0", strings.Repeat("─", len(columns)), s.took.Seconds())
	marks := []rune(strings.Repeat(" ", len(columns)))
	mark := func(at []time.Duration, sign rune) {
		for _, at := range at {
			marks[min(int(at/window), len(marks)-1)] = sign
		}
	}
	mark(s.slows, '▾')
	mark(s.kills, '×')
	fmt.Fprintf(out, "  %7s  %s\n  %7s  × a worker was killed   ▾ Meta throttled the number\n", "", strings.TrimRight(string(marks), " "), "")
}

// histogram draws how long Meta took to answer.
func histogram(out io.Writer, millis []float64) {
	if len(millis) == 0 {
		return
	}
	slices.Sort(millis)
	bounds := []float64{30, 40, 50, 75, 100, 200, 500, 1000, 1e9}
	counts := make([]int, len(bounds))
	for _, ms := range millis {
		i, _ := slices.BinarySearch(bounds, ms)
		counts[i]++
	}
	most := slices.Max(counts)
	fmt.Fprintf(out, "\nHow long Meta took to answer\n\n")
	from := 0.0
	for i, to := range bounds {
		label := fmt.Sprintf("%.0f–%.0f ms", from, to)
		if i == len(bounds)-1 {
			label = fmt.Sprintf("over %.0f ms", from)
		}
		bar := strings.Repeat("█", counts[i]*40/most)
		if bar == "" && counts[i] > 0 {
			bar = "▏"
		}
		fmt.Fprintf(out, "  %13s  %s %s\n", label, bar, thousands(counts[i]))
		from = to
	}
	at := func(q float64) float64 { return millis[min(int(q*float64(len(millis))), len(millis)-1)] }
	fmt.Fprintf(out, "\n  half of them within %.0f ms, 90 %% within %.0f ms, 99 %% within %.0f ms, all within %.0f ms\n\n",
		at(0.5), at(0.9), at(0.99), millis[len(millis)-1])
}
