package natsinbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A bodies keeps the bodies of deliveries in a stream of their own. Those that wait share a
// message, as commands do.
type bodies struct {
	s          *Store
	live, bulk bodyLine // apart, so that what is live does not wait for a pile of history

	mu      sync.Mutex
	last    uint64            // for message IDs
	cache   map[uint64][]byte // messages
	order   []uint64          // of the cache, oldest first
	cached  int
	deletes chan uint64
}

// A bodyLine is where bodies wait.
type bodyLine struct {
	turn  chan struct{}
	queue []*bodyJob // guarded by the bodies
}

// A bodyJob is the bodies of one Append.
type bodyJob struct {
	list  [][]byte
	taken chan struct{}
	done  chan struct{}
	parts [][]part
	err   error
}

const (
	maxCached   = 64 << 20
	maxDeletes  = 1 << 16
	bodyReaders = 16
	bodyMessage = 512 << 10
)

func newBodies(s *Store) *bodies {
	return &bodies{s: s, live: bodyLine{turn: make(chan struct{}, writers)}, bulk: bodyLine{turn: make(chan struct{}, 1)}, cache: map[uint64][]byte{}, deletes: make(chan uint64, maxDeletes)}
}

// store stores bodies durably.
func (b *bodies) store(ctx context.Context, list [][]byte, bulk bool) ([][]part, error) {
	line := &b.live
	if bulk {
		line = &b.bulk
	}
	j := &bodyJob{list: list, taken: make(chan struct{}), done: make(chan struct{})}
	b.mu.Lock()
	line.queue = append(line.queue, j)
	b.mu.Unlock()
	turn, taken := line.turn, j.taken
	for {
		select {
		case <-j.done:
			return j.parts, j.err
		case <-taken:
			turn, taken = nil, nil
		case turn <- struct{}{}:
			b.lead(ctx, line)
			<-line.turn
		case <-ctx.Done():
			return nil, fmt.Errorf("natsinbox: no answer from the server: %w", ctx.Err())
		}
	}
}

func (b *bodies) take(line *bodyLine) []*bodyJob {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, bytes := 0, 0
	for n < len(line.queue) && (n == 0 || bytes < b.limit()) {
		for _, body := range line.queue[n].list {
			bytes += len(body)
		}
		n++
	}
	jobs := line.queue[:n:n]
	line.queue = line.queue[n:]
	for _, j := range jobs {
		close(j.taken)
	}
	return jobs
}

func (b *bodies) limit() int { return min(b.s.maxMessage, bodyMessage) }

func (b *bodies) lead(ctx context.Context, line *bodyLine) {
	jobs := b.take(line)
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	p := packing{limit: b.limit()}
	for _, j := range jobs {
		for _, body := range j.list {
			j.parts = append(j.parts, p.add(body))
		}
	}
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
			break // what is stored already is swept away some time
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

func (b *bodies) write(ctx context.Context, data []byte) (uint64, error) {
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

// full tells a server that has no room left from one that does not answer.
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

// A packing puts bodies into messages. Until those are stored, a part's Seq counts them from 0.
type packing struct {
	limit    int
	messages [][]byte
}

func (p *packing) add(body []byte) (parts []part) {
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

// load reads bodies. Records of one delivery share theirs. A body that is not there any more,
// because somebody deleted it, is empty.
func (b *bodies) load(ctx context.Context, lists [][]part) ([][]byte, error) {
	messages := map[uint64][]byte{}
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
	joined := map[part][]byte{}
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
			body = append(body[:len(body):len(body)], cut(messages[p.Seq], p)...)
		}
		joined[parts[0]], out[i] = body, body
	}
	return out, nil
}

func cut(data []byte, p part) []byte {
	if p.From+p.Size > len(data) {
		return nil
	}
	return data[p.From : p.From+p.Size : p.From+p.Size]
}

// fetch reads messages, several at once.
func (b *bodies) fetch(ctx context.Context, seqs []uint64, into map[uint64][]byte) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	next := slices.Values(seqs)
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
	for seq := range next {
		work <- seq
	}
	close(work)
	wg.Wait()
	if len(errs) > 0 {
		return fmt.Errorf("natsinbox: bodies cannot be read: %w", errs[0])
	}
	return nil
}

// keep puts a message into the cache.
func (b *bodies) keep(seq uint64, data []byte) {
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

// discard has messages deleted that nothing needs any more. What cannot be deleted now is swept
// away some time.
func (b *bodies) discard(seqs []uint64) {
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
		select {
		case b.deletes <- seq:
		default:
		}
	}
}

// run deletes what was discarded, until the store is closed.
func (b *bodies) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case seq := <-b.deletes:
			_ = b.s.bodyStream.DeleteMsg(ctx, seq) // otherwise, a sweep does it
		}
	}
}
