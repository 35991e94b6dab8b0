package natsinbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A writer puts commands into the log. Commands that wait share a message (group commit), because
// it is the disk's sync that takes time. There is no goroutine behind it: one of the callers that
// wait writes for all.
type writer struct {
	s       *Store
	leading chan struct{} // held by callers that write: one collects while another waits for the server

	mu      sync.Mutex
	queue   []*job            // jobs that wait
	batches uint64            // that were written, which numbers them
	written map[uint64]*batch // batches that are not done
	skipped uint64            // the last message of the log that a snapshot took the place of
}

// A job is a command on its way.
type job struct {
	data  []byte        // cmd as JSON
	taken chan struct{} // closed when a caller writes it
	done  chan struct{} // closed when res is set
	res   result
	gone  bool // its caller does not wait any more; guarded by the writer
	cmd   command
}

// A batch is the jobs of one entry of the log. It is done once the server has acknowledged the
// entry and this process has applied it, in either order.
type batch struct {
	jobs    []*job
	seq     uint64   // of the entry's last message; 0 until it is acknowledged
	results []result // nil until it is applied
}

const (
	writers      = 2
	maxBatch     = 512              // commands in an entry
	doTimeout    = 20 * time.Second // for a command to be written and applied
	writeTimeout = 8 * time.Second  // for an entry to be acknowledged, with all tries
	tryTimeout   = 2 * time.Second  // for one try
	messageSlack = 4 << 10          // headers, and the JSON around commands
)

func newWriter(s *Store) *writer {
	return &writer{s: s, leading: make(chan struct{}, writers), written: map[uint64]*batch{}}
}

// do writes a command and returns what it did. If it returns an error, the command may be applied
// all the same: the server may have stored it while its answer got lost.
//
// While it waits, the caller may get the lead and write for all that wait, its own command among
// them or not.
func (w *writer) do(ctx context.Context, c command) (result, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return result{}, fmt.Errorf("natsinbox: %w", err)
	}
	j := &job{data: data, cmd: c, taken: make(chan struct{}), done: make(chan struct{})}
	w.mu.Lock()
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, doTimeout)
	defer cancel()
	lead, taken := w.leading, j.taken
	for {
		select {
		case <-j.done:
			return j.res, j.res.err
		case <-taken:
			lead, taken = nil, nil // another caller writes it: there is nothing to lead for
		case lead <- struct{}{}:
			w.writeBatch(ctx)
			<-w.leading
		case <-w.s.over:
			return result{}, w.s.reason()
		case <-ctx.Done():
			w.withdraw(j)
			return result{}, fmt.Errorf("natsinbox: no answer from the server: %w", ctx.Err())
		}
	}
}

// withdraw takes a job out of the queue, whose caller does not wait any more. If it is being
// written already, only the caller is gone.
func (w *writer) withdraw(j *job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j.gone = true
	w.queue = slices.DeleteFunc(w.queue, func(other *job) bool { return other == j })
}

// take returns the jobs of the next entry, or nil if none waits. They are those that have waited
// longest, as many as fit into a message; a single job may be larger than that.
func (w *writer) take() (number uint64, b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, messageSlack
	// As many as fit; the first one in any case, which is written in pieces if it is too large.
	for n < len(w.queue) && n < maxBatch {
		if bytes += len(w.queue[n].data) + 1; n > 0 && bytes > w.s.maxMessage {
			break
		}
		n++
	}
	if n == 0 {
		return 0, nil
	}
	b = &batch{jobs: w.queue[:n:n]}
	w.queue = w.queue[n:]
	w.batches++
	w.written[w.batches] = b
	for _, j := range b.jobs {
		close(j.taken)
	}
	return w.batches, b
}

// writeBatch writes the jobs that wait as one entry. If the server does not acknowledge it, they
// all fail; what they did is then known only if the entry shows up in the log.
func (w *writer) writeBatch(ctx context.Context) {
	number, b := w.take()
	if b == nil {
		return
	}
	// The batch's number lets this process find its jobs when the entry comes back in the log.
	e := entry{Node: w.s.node, Batch: number}
	for _, j := range b.jobs {
		e.Commands = append(e.Commands, j.data)
	}
	data, err := json.Marshal(e)
	var seq uint64
	if err == nil {
		// The context is that of one caller: its end is no reason for the others to fail.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
		defer cancel()
		seq, err = w.write(ctx, number, data)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		delete(w.written, number) // if the entry was stored all the same, its results interest no caller
		b.end(slices.Repeat([]result{{err: err}}, len(b.jobs)))
		return
	}
	b.seq = seq
	w.finish(number, b)
}

// write publishes an entry, in several messages if it is too large for one, and returns the number
// of the last one. Other entries may come between the pieces; readers join them by the entry's ID.
func (w *writer) write(ctx context.Context, number uint64, data []byte) (seq uint64, err error) {
	id := w.s.node + "." + strconv.FormatUint(number, 10)
	chunks := slices.Collect(slices.Chunk(data, w.s.maxMessage))
	for i, chunk := range chunks {
		msg := &nats.Msg{Subject: w.s.subject("log"), Data: chunk, Header: nats.Header{}}
		if len(chunks) > 1 {
			msg.Header.Set(headerPiece, fmt.Sprintf("%s %d %d", id, i, len(chunks)))
		}
		// A try that was stored, and whose answer got lost, is known by its ID the next time.
		msg.Header.Set(jetstream.MsgIDHeader, id+"."+strconv.Itoa(i))
		if seq, err = w.s.publish(ctx, msg, w.s.stream("log")); err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// headerPiece marks a message that holds a piece of an entry: its ID, the piece's index, and how
// many there are.
const headerPiece = "Webhook-Piece"

// apply hands out the results of a batch of this process, which was just applied. The
// acknowledgement of the server may be still on its way: then the batch is done when that comes.
func (w *writer) apply(number uint64, results []result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := w.written[number]; b != nil {
		b.results = results
		w.finish(number, b)
	}
}

// skip notes that a snapshot took the place of the log up to a message: the results of what was
// written there are not known.
func (w *writer) skip(at uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skipped = max(w.skipped, at)
	for number, b := range w.written {
		w.finish(number, b)
	}
}

// errSkipped is for commands of which only a snapshot is left. Whether they did something is not
// known, as with any command that returns a different error than the machine's.
var errSkipped = errors.New("natsinbox: the process was too slow to see what became of it")

// finish ends a batch that is acknowledged and applied. What a claim brought whose caller is gone
// is given back. The caller must hold w.mu.
func (w *writer) finish(number uint64, b *batch) {
	if b.seq != 0 && b.results == nil && b.seq <= w.skipped {
		b.results = slices.Repeat([]result{{err: errSkipped}}, len(b.jobs))
	}
	if b.seq == 0 || b.results == nil {
		return
	}
	delete(w.written, number)
	// What a claim has leased for a caller who is gone would wait for the end of the lease.
	for i, j := range b.jobs {
		if j.gone && j.cmd.Claim != nil && b.results[i].batch.LeaseToken != "" {
			w.s.abandon(b.results[i].batch)
		}
	}
	b.end(b.results)
}

// end passes the results to those who wait.
func (b *batch) end(results []result) {
	for i, j := range b.jobs {
		j.res = results[i]
		close(j.done)
	}
}

// publish stores a message, and tries again while the server is away for a moment. It is done only
// if a server that syncs every write has acknowledged it. The message has an ID, so that the server
// does not store it twice; it knows IDs for longer than ctx may last (see duplicates).
func (s *Store) publish(ctx context.Context, msg *nats.Msg, stream string) (uint64, error) {
	for {
		seq, err := s.tryPublish(ctx, msg, stream)
		var api *jetstream.APIError
		switch {
		case err == nil:
			return seq, nil
		case errors.Is(err, ErrNotDurable) && !errors.Is(err, errNoAnswer):
			return 0, err // the server would lose it: no further try helps
		case errors.As(err, &api) || ctx.Err() != nil: // the server has refused, or there is no time left
			return 0, fmt.Errorf("natsinbox: the server does not store: %w", err)
		case s.closed():
			return 0, s.reason()
		}
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return 0, fmt.Errorf("natsinbox: the server does not store: %w", err)
		case <-pause.C:
		}
	}
}

// tryPublish stores a message on a server that passed the durability check. If the connection was
// made again meanwhile, the acknowledgement may come from another server and does not count: the
// message is sent again, and known by its ID.
func (s *Store) tryPublish(ctx context.Context, msg *nats.Msg, stream string) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	connection, err := s.durability.ensure(ctx, s)
	if err != nil {
		return 0, err
	}
	ack, err := s.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err //nolint:wrapcheck // publish says what it is about
	}
	if s.nc.Stats().Reconnects != connection {
		return 0, nats.ErrConnectionReconnecting
	}
	return ack.Sequence, nil
}
