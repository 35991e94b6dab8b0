//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// measureDrain measures E7: how fast a backlog is handled by a process with two processors, beside
// one with a single one. The handler does nothing, so that the inbox alone is measured; the same
// with the tracker is printed beside it.
func measureDrain(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, e := range list {
		for _, tracker := range []bool{false, true} {
			var ratios, ones, twos []float64
			for range o.rounds {
				one, err := drainElsewhere(ctx, e.engine, 1, tracker, o)
				if err != nil {
					return fmt.Errorf("%s, drain: %w", e.name, err)
				}
				two, err := drainElsewhere(ctx, e.engine, 2, tracker, o)
				if err != nil {
					return fmt.Errorf("%s, drain: %w", e.name, err)
				}
				ratios, ones, twos = append(ratios, two/one), append(ones, one), append(twos, two)
			}
			what := "without the tracker"
			if tracker {
				what, e.drained = "with the tracker", [2]float64{report.Median(ones), report.Median(twos)}
				r.Info("E7", e.name+", "+what+": 2 processors / 1", report.Median(ratios))
			} else {
				r.AtLeast("E7", e.name+": drain of a backlog with 2 processors / 1", report.Median(ratios), 1.3, 1.7)
			}
			r.Info("E7", what+", texts/s with 1", report.Median(ones))
			r.Info("E7", what+", texts/s with 2", report.Median(twos))
		}
	}
	return nil
}

// drainElsewhere is drain in a process of its own with so many processors.
func drainElsewhere(ctx context.Context, e engine, processors int, tracker bool, o options) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "-drain", e.name, "-tracker="+strconv.FormatBool(tracker),
		"-texts", strconv.Itoa(o.texts))
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(processors))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// drain stores n texts in an inbox that is not started, and returns how many a second are handled
// once it is.
func drain(ctx context.Context, e engine, withTracker bool, n int) (rate float64, err error) {
	h, err := newHost(ctx, e, withTracker, n)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, h.close(ctx)) }()
	var next atomic.Int64
	errs := make([]error, conns)
	var all sync.WaitGroup
	for c := range conns {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[c] == nil; i = int(next.Add(1)) - 1 {
				_, body, _ := strings.Cut(string(text(tenantA, i)), "\r\n\r\n")
				errs[c] = h.inbox.Receive(ctx, webhook.Delivery{Body: []byte(body), ReceivedAt: time.Now()})
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := h.inbox.Start(ctx); err != nil {
		return 0, err
	}
	a := h.handled[tenantA]
	if err := a.wait(ctx, n, roundTimeout); err != nil {
		return 0, err
	}
	return float64(n) / a.last(n).Sub(begin).Seconds(), nil
}
