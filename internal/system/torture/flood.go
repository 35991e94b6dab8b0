package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
)

// A flood is a history sync: chunks of a megabyte, each of chunkSize messages, as fast as they are
// taken, while customers go on writing.
const (
	chunkSize    = 3000
	floodSenders = 4
	liveRate     = 50 // messages a second; a coexistence number may see 20 in both directions
	// how long after it was written a live message has to be handled, for 99 of 100
	liveBar = 250 * time.Millisecond
)

// measureFlood prints how fast a flood of history is taken in and drained, and how long live
// messages wait meanwhile. The handler decodes every message of the history.
func measureFlood(ctx context.Context, out io.Writer, engine string, o options) error {
	f, err := flood(ctx, out, engine, o.seed, max(1, o.messages/chunkSize))
	if err != nil {
		return err
	}
	verdict := "holds"
	if f.live99 > liveBar {
		verdict = "MISSED"
	}
	fmt.Fprintf(out, "%s: %d messages of history in %d deliveries, accepted in %.1f s, drained in %.1f s, which "+
		"is %.0f messages a second\n"+
		"  %d live messages meanwhile: acknowledged within %v (p50) and %v (p99) of being written, handled "+
		"within %v (p50) and %v (p99; at most %v: %s)\n",
		engine, f.chunks*chunkSize, f.chunks, f.accepted.Seconds(), f.drained.Seconds(),
		float64(f.chunks*chunkSize)/f.drained.Seconds(),
		f.live, f.ack50.Round(10*time.Microsecond), f.ack99.Round(10*time.Microsecond),
		f.live50.Round(10*time.Microsecond),
		f.live99.Round(10*time.Microsecond), liveBar, verdict)
	return nil
}

// A floodResult is how long a flood took, and what it did to those who wrote meanwhile.
type floodResult struct {
	chunks, live                 int
	accepted, drained            time.Duration
	ack50, ack99, live50, live99 time.Duration
}

// flood pours history into one host while live messages come at their rate, and measures both until
// all is handled. It returns an error if anything was lost or given up.
func flood(ctx context.Context, out io.Writer, engine string, seed uint64, chunks int) (f floodResult, err error) {
	s, err := newSite(ctx, engine)
	if err != nil {
		return f, err
	}
	defer s.close()
	sock, err := newSocket()
	if err != nil {
		return f, err
	}
	defer sock.close()
	p, err := spawn(sock, order{Engine: engine, Place: s.place, Mode: modeWalk})
	if err != nil {
		return f, err
	}
	defer p.kill()
	if err := p.ready(ctx); err != nil {
		return f, err
	}

	ctx, over := context.WithCancel(ctx)
	defer over()
	var live sync.WaitGroup
	var acks []time.Duration
	var liveErr error
	live.Go(func() {
		acks, liveErr = writeLive(ctx, sock.addr(), plan{seed: seed, deliveries: 1 << 30, conversations: 50})
	})

	f.chunks = chunks
	begin := time.Now()
	err = pour(ctx, out, sock.addr(), chunks)
	f.accepted = time.Since(begin)
	if err == nil {
		// Not asked all the time, so as not to be the load itself.
		err = await(ctx, 20*time.Millisecond, "all history to be handled",
			func(ctx context.Context) (string, bool, error) {
				r, err := p.ask(ctx, "stats")
				return fmt.Sprintf("%d of %d chunks", r.Chunks, chunks), r.Chunks >= int64(chunks), err
			})
	}
	f.drained = time.Since(begin)
	over()
	live.Wait()
	if err = errors.Join(err, liveErr); err != nil {
		return f, err
	}
	end := context.WithoutCancel(ctx)
	err = await(end, 5*time.Millisecond, "all live messages to be handled",
		func(ctx context.Context) (string, bool, error) {
			r, err := p.ask(ctx, "stats")
			return fmt.Sprintf("%d of %d messages", r.Live, len(acks)), r.Live >= int64(len(acks)), err
		})
	if err != nil {
		return f, err
	}
	r, err := p.end(end)
	if err != nil {
		return f, err
	}
	if r.Chunks != int64(chunks) || r.Died > 0 {
		return f, fmt.Errorf("%d chunks of history were handled of %d, and %d events gave up", r.Chunks, chunks, r.Died)
	}
	if len(acks) != int(r.Live) {
		return f, fmt.Errorf("%d live messages were handled of %d", r.Live, len(acks))
	}
	f.live, f.ack50, f.ack99, f.live50, f.live99 = len(acks), quantile(acks, 0.5), quantile(
		acks, 0.99,
	), r.Lag50, r.Lag99
	return f, nil
}

// pour posts the history as fast as it is taken, over several connections, and shows how far it is.
func pour(ctx context.Context, out io.Writer, addr string, chunks int) error {
	chunk := payload.History(chunkSize, 40)
	next := make(chan int)
	var all sync.WaitGroup
	errs := make([]error, floodSenders)
	for i := range floodSenders {
		all.Go(func() {
			caller := caller{addr: addr, timeout: time.Minute}
			defer caller.close()
			for n := range next {
				if errs[i] == nil {
					errs[i] = deliver(ctx, &caller, bytes.Replace(
						chunk, []byte(`"chunk_order":3`), fmt.Appendf(nil, `"chunk_order":%d`, n+1), 1,
					))
				}
			}
		})
	}
	said := time.Now()
	for n := range chunks {
		next <- n
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			fmt.Fprintf(out, "  %d of %d deliveries of history\n", n, chunks)
		}
	}
	close(next)
	all.Wait()
	return errors.Join(errs...)
}

// deliver posts a body until it is taken, as Meta does. Only 503 is a reason to try again.
func deliver(ctx context.Context, c *caller, body []byte) error {
	post := request(body)
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, fmt.Errorf(
		"a delivery was refused with 503 for %v", waitTimeout,
	))
	defer cancel()
	for {
		status, err := c.post(post)
		switch {
		case err != nil:
			return err
		case status == 200:
			return nil
		case status != 503:
			return fmt.Errorf("answered %d", status)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A note is a live message, which says when it was written. Sender and host have the same clock.
type note struct {
	message int
	written time.Time
}

// String is the text of the message. writtenAt undoes it.
func (n note) String() string { return "written " + strconv.FormatInt(n.written.UnixNano(), 10) }

// writtenAt returns when a live message was written, from its text.
func writtenAt(words string) (time.Time, bool) {
	text, found := strings.CutPrefix(words, "written ")
	nano, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, nano), found && err == nil
}

// writeLive posts live messages at their rate until ctx ends, and returns how long each took to be
// acknowledged. The rate does not depend on the answers, as customers do not wait for each other.
func writeLive(ctx context.Context, addr string, p plan) (acks []time.Duration, err error) {
	const writers = 4
	tick := time.NewTicker(time.Second / liveRate)
	defer tick.Stop()
	customers := make(chan note, 1<<16) // a slow answer does not keep the next customer from writing
	var all sync.WaitGroup
	times, errs := make([][]time.Duration, writers), make([]error, writers)
	for i := range writers {
		all.Go(func() {
			caller := caller{addr: addr, timeout: time.Minute}
			defer caller.close()
			for n := range customers {
				if errs[i] == nil {
					d := parcel{messages: []int{n.message}, greeting: n.message}
					errs[i] = deliver(context.WithoutCancel(ctx), &caller, p.bodyWith(
						d, func(int) string { return n.String() },
					))
				}
				times[i] = append(times[i], time.Since(n.written))
			}
		})
	}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			close(customers)
			all.Wait()
			return slices.Concat(times...), errors.Join(errs...)
		case now := <-tick.C:
			customers <- note{n, now}
		}
	}
}
