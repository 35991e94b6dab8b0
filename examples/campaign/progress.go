package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows how far the campaign is: a live bar on a terminal, a plain line for every tenth elsewhere.
type progress struct {
	out   *os.File
	total int
	live  *mpb.Progress
	bar   *mpb.Bar
	began time.Time
	next  int // the percentage that deserves the next plain line

	sent, inDoubt, workers atomic.Int64
}

func newProgress(out *os.File, total int) *progress {
	p := &progress{out: out, total: total, began: time.Now(), next: 10}
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.live = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
		p.bar = p.live.New(int64(total), mpb.BarStyle().Lbound(" ").Filler("█").Tip("█").Padding("░").Rbound(" "),
			mpb.PrependDecorators(decor.Name(" "), decor.Percentage(decor.WC{W: 5})),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.text() })),
		)
	}
	return p
}

func (p *progress) text() string {
	return fmt.Sprintf("%7s sent  %3d in doubt  worker %d  %4.0f s", thousands(int(p.sent.Load())), p.inDoubt.Load(), p.workers.Load(),
		time.Since(p.began).Seconds())
}

// worker says which one is at work.
func (p *progress) worker(n int) { p.workers.Store(int64(n)) }

func (p *progress) set(t tally, inDoubt int) {
	p.sent.Store(int64(t.sent))
	p.inDoubt.Store(int64(inDoubt))
	if p.bar != nil {
		p.bar.SetCurrent(int64(t.sent))
		return
	}
	if percent := 100 * t.sent / max(1, p.total); percent >= p.next {
		fmt.Fprintf(p.out, "  %3d %% %s\n", percent, p.text())
		p.next = percent/10*10 + 10
	}
}

// done leaves the last state on the screen.
func (p *progress) done() {
	if p.live == nil {
		return
	}
	if !p.bar.Completed() {
		p.bar.Abort(false)
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
