package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// report prints what happened: by the simulator's books, and by those of the outbox. There are more
// requests than messages, since what Meta has certainly not got is tried again; what it may have
// got is not.
func (s *supervisor) report(out io.Writer) {
	requests, throttled, failed, most, faults := 0, 0, 0, 1, map[string]int{}
	for _, r := range s.world.Graph().Requests() {
		if r.Method != http.MethodPost || r.Path != "/{phone-number-id}/messages" {
			continue
		}
		requests++
		switch {
		case r.Fault != "":
			failed++
			faults[r.Fault]++
			most = max(most, faults[r.Fault])
		case r.Code == graph.CodeRateLimitHit:
			throttled++
		}
	}
	c := s.last.Counts
	row := func(n int, format string, args ...any) {
		fmt.Fprintf(out, "  %7s  %s\n", thousands(n), fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(out, "\nWhat happened in %.0f s\n\n", s.ended.Sub(s.began).Seconds())
	row(len(s.world.Graph().Sent()), "messages are at Meta, for %s customers", thousands(s.messages))
	row(c.Sent, "are sent by the books of the outbox, %s delivered, %s read", thousands(c.Delivered), thousands(c.Read))
	row(requests, "requests were made")
	row(failed, "of them failed, in the ways below")
	row(throttled, "were throttled: too fast for the number")
	row(len(s.kills), "workers were killed, with %d messages under way", s.cutOff)
	row(s.last.Repeated, "messages were tried again, after it was certain that Meta did not have them")
	s.plot(out)
	fmt.Fprintf(out, "\nHow requests failed\n\n")
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		n := faults[kind]
		fmt.Fprintf(out, "  %24s  %s %d\n", kind, strings.Repeat("█", max(1, 40*n/most)), n)
	}
	fmt.Fprintln(out)
}

// plotRows is how many lines the chart is high.
const plotRows = 6

// plot draws how many messages were sent a second, as the outbox knows it: in eighths of a
// character. It dips where a worker was killed, until the lease of what it had under way ends.
func (s *supervisor) plot(out io.Writer) {
	series := s.last.Series
	columns, before := make([]float64, steps), 0
	for i, n := range series.Sent {
		columns[i] = float64(n-before) / series.Step.Seconds()
		before = n
	}
	top := max(float64(s.rate), slices.Max(columns))
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
	fmt.Fprintf(out, "  %7s └%s %.0f s\n", "0", strings.Repeat("─", steps), (steps * series.Step).Seconds())
	marks := []rune(strings.Repeat(" ", steps))
	mark := func(moments []time.Time, sign rune) {
		for _, at := range moments {
			marks[min(max(0, int(at.Sub(series.Start)/series.Step)), len(marks)-1)] = sign
		}
	}
	mark(s.slows, '▾')
	mark(s.kills, '×')
	fmt.Fprintf(out, "           %s\n           × a worker was killed   ▾ Meta throttled the number\n",
		strings.TrimRight(string(marks), " "))
}
