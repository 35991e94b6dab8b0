package natsinbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A bodyStore keeps the bodies of deliveries in a stream of their own, so that the log stays small.
// Bodies that wait share a message, as commands do in the log.
type bodyStore struct {
	s *Store

	// History has a queue of its own, so that what is live does not wait for a pile of it.
	live, backfill bodyQueue

	mu      sync.Mutex
	last    uint64            // for message IDs
	cache   map[uint64][]byte // messages: most bodies are read soon after they were stored
	order   []uint64          // of the cache, oldest first
	cached  int               // bytes
	deletes chan uint64
	erasing []uint64      // messages that erase overwrites
	erasers chan struct{} // held by the caller that does so
}

// A bodyQueue holds the bodies that wait for a message.
type bodyQueue struct {
	leading chan struct{} // held by callers that write
	jobs    []*bodyJob    // guarded by the bodyStore
}

// A bodyJob is the bodies of one Append.
type bodyJob struct {
	list  [][]byte
	taken chan struct{} // closed when a caller writes it
	done  chan struct{} // closed when parts or err is set
	parts [][]part      // of each body
	err   error
}

const (
	maxCached       = 64 << 20 // bytes
	maxDeletes      = 1 << 16  // messages that wait for being deleted
	bodyReaders     = 16       // messages that are read at once
	deleteTimeout   = 5 * time.Second
	bodyMessageSize = 512 << 10 // bytes: no more bodies are added to a message of that size
)

// newBodyStore returns a bodyStore whose run is not started. What is live has two callers that
// write at once, so that one collects while the other waits for the server; the backfill has one.
func newBodyStore(s *Store) *bodyStore {
	return &bodyStore{
		s: s, live: bodyQueue{leading: make(chan struct{}, writers)},
		backfill: bodyQueue{leading: make(chan struct{}, 1)},
		cache:    map[uint64][]byte{}, deletes: make(chan uint64, maxDeletes), erasers: make(chan struct{}, 1),
	}
}

// store stores bodies durably, and returns where their parts are. As in writer.do, a caller that
// waits may get the lead and write for all.
func (b *bodyStore) store(ctx context.Context, list [][]byte, backfill bool) ([][]part, error) {
	q := &b.live
	if backfill {
		q = &b.backfill
	}
	j := &bodyJob{list: list, taken: make(chan struct{}), done: make(chan struct{})}
	b.mu.Lock()
	q.jobs = append(q.jobs, j)
	b.mu.Unlock()
	lead, taken := q.leading, j.taken
	for {
		select {
		case <-j.done:
			return j.parts, j.err
		case <-taken:
			lead, taken = nil, nil
		case lead <- struct{}{}:
			b.writeBatch(ctx, q)
			<-q.leading
		case <-ctx.Done():
			return nil, fmt.Errorf("natsinbox: no answer from the server: %w", ctx.Err())
		}
	}
}

// take returns the jobs that are written together, those first that have waited longest: about a
// message of them, or one job that needs several.
func (b *bodyStore) take(q *bodyQueue) []*bodyJob {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.jobs) && (n == 0 || bytes < b.limit()) {
		for _, body := range q.jobs[n].list {
			bytes += len(body)
		}
		n++
	}
	jobs := q.jobs[:n:n]
	q.jobs = q.jobs[n:]
	for _, j := range jobs {
		close(j.taken)
	}
	return jobs
}

// limit is how large a message of bodies gets.
func (b *bodyStore) limit() int { return min(b.s.maxMessage, bodyMessageSize) }

// writeBatch writes the bodies that wait. If a message fails, all of the jobs do; the messages that
// are stored by then hold orphans.
func (b *bodyStore) writeBatch(ctx context.Context, q *bodyQueue) {
	jobs := b.take(q)
	if len(jobs) == 0 {
		return
	}
	// The context is that of one caller: its end is no reason for the others to fail.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	p := packer{limit: b.limit()}
	for _, j := range jobs {
		for _, body := range j.list {
			j.parts = append(j.parts, p.add(body))
		}
	}
	// How many parts a message has, each of them has to know before it is stored: see bodyRefs.
	of := make([]int, len(p.messages))
	for _, j := range jobs {
		for _, one := range slices.Concat(j.parts...) {
			of[one.Seq]++
		}
	}
	seqs := make([]uint64, len(p.messages))
	var err error
	for i, data := range p.messages {
		if seqs[i], err = b.write(ctx, data); err != nil {
			break
		}
	}
	for _, j := range jobs {
		j.err = err
		for _, parts := range j.parts {
			for i := range parts {
				parts[i].Seq, parts[i].Of = seqs[parts[i].Seq], of[parts[i].Seq]
			}
		}
		close(j.done)
	}
}

// write stores a message, and keeps it in the cache, because it will be read soon: its deliveries
// are split next.
func (b *bodyStore) write(ctx context.Context, data []byte) (uint64, error) {
	b.mu.Lock()
	b.last++
	id := b.s.node + ".body." + strconv.FormatUint(b.last, 10)
	b.mu.Unlock()
	msg := &nats.Msg{Subject: b.s.subject("bodies"), Data: data, Header: nats.Header{jetstream.MsgIDHeader: {id}}}
	seq, err := b.s.publish(ctx, msg, b.s.stream("bodies"))
	if err != nil {
		return 0, full(err)
	}
	b.keep(seq, data)
	return seq, nil
}

// full makes the error of a server that has no room left match [inbox.ErrFull].
func full(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode {
		case codeStoreFailed, codeInsufficientResources, codeStorageExceeded:
			return fmt.Errorf("%w: %w", inbox.ErrFull, err)
		}
	}
	return err
}

// The server's codes that say that there is no room.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeStoreFailed           jetstream.ErrorCode = 10077
)

// A packer puts bodies into messages. Until those are stored, a part's Seq is the index of its
// message.
type packer struct {
	limit    int // bytes of a message
	messages [][]byte
}

// add puts a body behind the last one if there is room for all of it, and otherwise into messages
// of its own. Only a body that is larger than a message is cut; its last part may have company.
func (p *packer) add(body []byte) (parts []part) {
	for len(body) > 0 {
		last := len(p.messages) - 1
		room := 0
		if last >= 0 {
			room = p.limit - len(p.messages[last])
		}
		if room == 0 || room < len(body) && len(body) <= p.limit {
			p.messages = append(p.messages, nil)
			last, room = last+1, p.limit
		}
		n := min(room, len(body))
		parts = append(parts, part{Seq: uint64(last), From: len(p.messages[last]), Size: n})
		p.messages[last] = append(p.messages[last], body[:n]...)
		body = body[n:]
	}
	return parts
}

// load reads bodies, for each list of parts one. Events of the same delivery share its bytes. A
// body that was deleted, which the package tells hosts not to do, is empty.
func (b *bodyStore) load(ctx context.Context, lists [][]part) ([][]byte, error) {
	messages := map[uint64][]byte{} // nil for those that are not in the cache
	var missing []uint64
	b.mu.Lock()
	for _, parts := range lists {
		for _, p := range parts {
			if _, ok := messages[p.Seq]; ok {
				continue
			}
			data, ok := b.cache[p.Seq]
			messages[p.Seq] = data
			if !ok {
				missing = append(missing, p.Seq)
			}
		}
	}
	b.mu.Unlock()
	if err := b.fetch(ctx, missing, messages); err != nil {
		return nil, err
	}
	joined := map[part][]byte{} // by the first part
	out := make([][]byte, len(lists))
	for i, parts := range lists {
		if len(parts) == 0 {
			continue
		}
		if body, ok := joined[parts[0]]; ok {
			out[i] = body
			continue
		}
		body := cut(messages[parts[0].Seq], parts[0])
		for _, p := range parts[1:] {
			// The capacity is cut so that the cache's bytes are copied and not written to.
			body = append(body[:len(body):len(body)], cut(messages[p.Seq], p)...)
		}
		joined[parts[0]], out[i] = body, body
	}
	return out, nil
}

// cut returns a part of a message, or nil if the message is shorter.
func cut(data []byte, p part) []byte {
	if p.From+p.Size > len(data) {
		return nil
	}
	return data[p.From : p.From+p.Size : p.From+p.Size]
}

// fetch reads messages from the server, several at once, and keeps them in the cache. A message
// that is not there is left out.
func (b *bodyStore) fetch(ctx context.Context, seqs []uint64, into map[uint64][]byte) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	work := make(chan uint64)
	for range min(bodyReaders, len(seqs)) {
		wg.Go(func() {
			for seq := range work {
				msg, err := b.s.bodyStream.GetMsg(ctx, seq)
				mu.Lock()
				switch {
				case err == nil:
					into[seq] = msg.Data
				case !errors.Is(err, jetstream.ErrMsgNotFound):
					errs = append(errs, err)
				}
				mu.Unlock()
				if err == nil {
					b.keep(seq, msg.Data)
				}
			}
		})
	}
	for _, seq := range seqs {
		work <- seq
	}
	close(work)
	wg.Wait()
	if len(errs) > 0 {
		return fmt.Errorf("natsinbox: bodies cannot be read: %w", errs[0])
	}
	return nil
}

// keep puts a message into the cache, and the oldest ones out of it when there are too many bytes.
func (b *bodyStore) keep(seq uint64, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.cache[seq]; ok {
		return
	}
	b.cache[seq] = data
	b.order = append(b.order, seq)
	b.cached += len(data)
	for b.cached > maxCached && len(b.order) > 1 {
		b.cached -= len(b.cache[b.order[0]])
		delete(b.cache, b.order[0])
		b.order = b.order[1:]
	}
}

// discard has messages deleted that no delivery needs any more, or left to erase. It does not wait:
// what cannot be deleted now is found by Store.deleteOrphans.
func (b *bodyStore) discard(seqs []uint64, erase bool) {
	if len(seqs) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, seq := range seqs {
		b.cached -= len(b.cache[seq])
		delete(b.cache, seq)
		if i := slices.Index(b.order, seq); i >= 0 {
			b.order = slices.Delete(b.order, i, i+1)
		}
		if erase {
			b.erasing = append(b.erasing, seq)
			continue
		}
		select {
		case b.deletes <- seq:
		default: // too many wait
		}
	}
}

// erase deletes the messages that were left to it, and has the server overwrite them, which writes
// the file anew that a message is in. What fails is left for the next call.
func (b *bodyStore) erase(ctx context.Context) error {
	select {
	case b.erasers <- struct{}{}:
		defer func() { <-b.erasers }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		b.mu.Lock()
		if len(b.erasing) == 0 {
			b.mu.Unlock()
			return nil
		}
		seq := b.erasing[0]
		b.mu.Unlock()
		if err := b.s.bodyStream.SecureDeleteMsg(ctx, seq); err != nil {
			// The answer to another try may have been lost.
			if _, there := b.s.bodyStream.GetMsg(ctx, seq); !errors.Is(there, jetstream.ErrMsgNotFound) {
				return fmt.Errorf("natsinbox: a body cannot be overwritten; try again: %w", err)
			}
		}
		b.mu.Lock()
		b.erasing = b.erasing[1:]
		b.mu.Unlock()
	}
}

// run deletes what was discarded, until the store is closed.
func (b *bodyStore) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case seq := <-b.deletes:
			b.delete(context.WithoutCancel(ctx), seq)
		}
	}
}

// drain deletes what waits for run when the store is closed: the next process would find it an hour
// later. A server that is away or slow does not hold up the end of the process for long.
func (b *bodyStore) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case seq := <-b.deletes:
			b.delete(ctx, seq)
		default:
			return
		}
	}
}

// delete deletes a message. If the server does not do it now, deleteOrphans will.
func (b *bodyStore) delete(ctx context.Context, seq uint64) {
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	_ = b.s.bodyStream.DeleteMsg(ctx, seq)
}
