package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
)

// A progress shows how far the campaign is: live bars on a terminal, a plain line for every tenth
// elsewhere.
type progress struct {
	out    *os.File
	live   *mpb.Progress
	bars   []*mpb.Bar // sent, delivered, read
	began  time.Time
	next   int // the percentage of the next plain line
	status atomic.Value
}

// newProgress shows bars if out is a terminal: in a file or a pipe their control sequences would be
// noise.
func newProgress(out *os.File, total int) *progress {
	p := &progress{out: out, began: time.Now(), next: 10}
	p.status.Store("")
	info, err := out.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return p
	}
	p.live = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	for i, name := range []string{"sent", "delivered", "read"} {
		text := decor.CountersNoUnit("%5d of %d")
		if i == 0 {
			text = decor.Any(func(decor.Statistics) string { return p.status.Load().(string) })
		}
		p.bars = append(p.bars, p.live.New(int64(total),
			mpb.BarStyle().Lbound(" ").Filler("█").Tip("█").Padding("░").Rbound(" "),
			mpb.PrependDecorators(decor.Name("  "+name, decor.WC{W: 12, C: decor.DindentRight})),
			mpb.AppendDecorators(text)))
	}
	return p
}

// show shows the counts that a worker has just reported. A message in doubt is one that Meta may
// have got without answering: it is not sent again before a status, or Meta's history, tells.
func (p *progress) show(c outbox.Counts, worker int) {
	status := fmt.Sprintf("%7s sent  %3d under way  %3d in doubt  worker %d  %4.0f s",
		thousands(c.Sent), c.Sending, c.Unknown, worker, time.Since(p.began).Seconds())
	p.status.Store(status)
	if p.live != nil {
		for i, n := range []int{c.Sent, c.Delivered, c.Read} {
			p.bars[i].SetCurrent(int64(n))
		}
	} else if percent := 100 * c.Sent / max(1, c.Total); percent >= p.next {
		fmt.Fprintf(p.out, "  %3d %% %s\n", percent, status)
		p.next = percent/10*10 + 10
	}
}

// done leaves the last state on the screen.
func (p *progress) done() {
	if p.live == nil {
		return
	}
	for _, bar := range p.bars {
		if !bar.Completed() {
			bar.Abort(false)
		}
	}
	p.live.Wait()
}

// thousands writes a number with commas.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return thousands(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
