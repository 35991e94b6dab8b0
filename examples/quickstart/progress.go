package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A progress shows how far the history sync is: a live bar on a terminal, a plain line for every
// tenth elsewhere.
type progress struct {
	out  io.Writer
	live *mpb.Progress
	bar  *mpb.Bar
	next int // the percentage that deserves the next plain line

	chunks int
}

// newProgress shows a bar if out is a terminal: in a file or a pipe its control sequences would be
// noise.
func newProgress(out *os.File) *progress {
	p := &progress{out: out, next: 10}
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.live = mpb.New(mpb.WithOutput(out), mpb.WithWidth(48), mpb.WithRefreshRate(50*time.Millisecond))
		p.bar = p.live.AddBar(100,
			mpb.PrependDecorators(decor.Name("  history ")),
			mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string {
				return fmt.Sprintf("  %d chunks", p.chunks)
			})),
		)
	}
	return p
}

// set shows how far a sync is. It never goes back, although chunks arrive in any order.
func (p *progress) set(h coexistence.HistorySync) {
	// The percentage is Meta's; chunks are what has come. Neither alone says that all of it is
	// there.
	p.chunks = 0
	for _, phase := range h.Phases {
		p.chunks += phase.Chunks.Len()
	}
	if p.bar != nil {
		p.bar.SetCurrent(int64(h.Progress))
		return
	}
	if h.Progress >= p.next {
		fmt.Fprintf(p.out, "  history %3d %%   %3d chunks\n", h.Progress, p.chunks)
		p.next = h.Progress/10*10 + 10
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
