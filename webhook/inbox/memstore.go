package inbox

import (
	"container/heap"
	"context"
	"slices"
	"strconv"
	"sync"
	"time"
)

// defaultMemBytes is what a MemStore holds if it was not told.
const defaultMemBytes = 256 << 20

// A MemStore is a [Store] in memory. The zero MemStore is ready. It is for tests, and for hosts
// that may lose what was acknowledged: it forgets everything when the process ends. It is safe for
// concurrent use.
type MemStore struct {
	// MaxBytes limits the bodies that are held. Beyond, Append returns [ErrFull]. If zero, 256 MiB.
	// Set it before the first use.
	MaxBytes int64

	mu         sync.Mutex
	lastID     ID
	lastToken  uint64
	bytes      int64
	keys       map[string]*memKey
	deliveries map[ID]*memRecord // those whose body is kept
	dead       map[ID]*memRecord
	lanes      map[memLaneName]*memLane
	queues     map[memQueueName]*memQueue
	holds      map[LeaseToken]*memHold
}

// A memKey is a known key.
type memKey struct {
	delivery ID
	doneAt   time.Time // zero as long as the record is not done
}

type memRecord struct {
	Record
	lane   *memLane
	open   int  // of a delivery: its events that are neither done nor deleted
	split  bool // of a delivery: it is neither waiting nor dead
	reason string
	diedAt time.Time
}

// Append implements [Sink].
func (s *MemStore) Append(ctx context.Context, recs []Record) (added int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	var more int64
	for _, rec := range recs {
		if !s.known(rec) {
			more += int64(len(rec.Body))
		}
	}
	if s.bytes+more > s.MaxBytes {
		return 0, ErrFull
	}
	for _, rec := range recs {
		if s.known(rec) {
			continue
		}
		s.lastID++
		rec.ID, rec.Delivery, rec.Kind = s.lastID, s.lastID, KindDelivery
		d := &memRecord{Record: rec}
		s.deliveries[rec.ID] = d
		s.bytes += int64(len(rec.Body))
		s.remember(rec)
		s.enqueue(d)
		added++
	}
	return added, nil
}

func (s *MemStore) init() {
	if s.keys != nil {
		return
	}
	if s.MaxBytes == 0 {
		s.MaxBytes = defaultMemBytes
	}
	s.keys = map[string]*memKey{}
	s.deliveries, s.dead = map[ID]*memRecord{}, map[ID]*memRecord{}
	s.lanes, s.queues = map[memLaneName]*memLane{}, map[memQueueName]*memQueue{}
	s.holds = map[LeaseToken]*memHold{}
}

func (s *MemStore) known(rec Record) bool {
	return rec.DedupKey != "" && s.keys[rec.DedupKey] != nil ||
		rec.SupersededBy != "" && s.keys[rec.SupersededBy] != nil
}

func (s *MemStore) remember(rec Record) {
	if rec.DedupKey != "" {
		s.keys[rec.DedupKey] = &memKey{delivery: rec.Delivery}
	}
}

// finish notes that the record of a key is done.
func (s *MemStore) finish(key string) {
	if k := s.keys[key]; k != nil {
		k.doneAt = time.Now()
	}
}

// drop lets go of a delivery's body if nothing needs it any more.
func (s *MemStore) drop(id ID) {
	d := s.deliveries[id]
	if d == nil || !d.split || d.open > 0 {
		return
	}
	s.bytes -= int64(len(d.Body))
	delete(s.deliveries, id)
	s.finish(d.DedupKey)
}

// Claim implements [Store].
func (s *MemStore) Claim(ctx context.Context, req ClaimRequest) (Batch, error) {
	if err := ctx.Err(); err != nil {
		return Batch{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	now := time.Now()
	q := s.queue(memQueueName{req.Kind, req.Backfill})
	s.lastToken++
	b := Batch{LeaseToken: LeaseToken(strconv.FormatUint(s.lastToken, 10))}
	left := req.MaxBytes
	counted := map[ID]bool{}
	for range req.Lanes {
		if len(*q) == 0 || (*q)[0].next.After(now) || left < 0 {
			break
		}
		lane := (*q)[0]
		s.fence(lane)
		lane.token, lane.held = b.LeaseToken, nil
		for _, rec := range lane.records[:min(len(lane.records), req.PerLane)] {
			out := rec.Record
			out.Body = s.deliveries[rec.Delivery].Body
			if req.MaxBytes > 0 && !counted[rec.Delivery] {
				counted[rec.Delivery] = true
				if left -= len(out.Body); left < 0 && len(b.Records) > 0 {
					break
				}
			}
			lane.held = append(lane.held, rec.ID)
			b.Records = append(b.Records, out)
		}
		if len(lane.held) == 0 {
			lane.token = ""
			break
		}
		if s.holds[b.LeaseToken] == nil {
			s.holds[b.LeaseToken] = new(memHold)
		}
		s.holds[b.LeaseToken].lanes = append(s.holds[b.LeaseToken].lanes, lane)
		lane.next = now.Add(req.LeaseDuration)
		heap.Fix(q, lane.place)
	}
	if len(b.Records) > 0 {
		return b, nil
	}
	b.LeaseToken = ""
	if len(*q) > 0 {
		b.Wait = (*q)[0].next.Sub(now)
	}
	return b, nil
}

// Extend implements [Store].
func (s *MemStore) Extend(ctx context.Context, token LeaseToken, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	hold := s.holds[token]
	if hold == nil || hold.lost {
		return ErrLeaseLost
	}
	now := time.Now()
	for _, lane := range hold.lanes {
		lane.next = now.Add(lease)
		heap.Fix(s.queue(lane.queue), lane.place)
	}
	return nil
}

// Stats implements [Store].
func (s *MemStore) Stats(ctx context.Context) (Stats, error) {
	if err := ctx.Err(); err != nil {
		return Stats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Dead: len(s.dead)}
	now := time.Now()
	for _, lane := range s.lanes {
		n := len(lane.records)
		switch {
		case lane.queue.kind == KindDelivery:
			st.Deliveries += n
		case lane.queue.bulk:
			st.Backfill += n
		default:
			st.Live += n
		}
		for _, rec := range lane.records {
			age := now.Sub(rec.ReceivedAt)
			st.Oldest = max(st.Oldest, age)
			if !rec.Backfill {
				st.OldestLive = max(st.OldestLive, age)
			}
		}
	}
	for _, k := range s.keys {
		if !k.doneAt.IsZero() {
			st.DedupKeys++
		}
	}
	return st, nil
}

// DeadLetters implements [Store].
func (s *MemStore) DeadLetters(ctx context.Context, f Filter, after ID, limit int) ([]DeadLetter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []DeadLetter
	for id, rec := range s.dead {
		if id <= after || f.PhoneNumberID != "" && rec.PhoneNumberID != f.PhoneNumberID {
			continue
		}
		letter := DeadLetter{rec.Record, rec.reason, rec.diedAt}
		letter.Body = s.deliveries[rec.Delivery].Body
		found = append(found, letter)
	}
	slices.SortFunc(found, func(a, b DeadLetter) int { return int(a.ID - b.ID) })
	return found[:min(len(found), limit)], nil
}

// ReplayDeadLetters implements [Store].
func (s *MemStore) ReplayDeadLetters(ctx context.Context, ids []ID) (int, error) {
	return s.exhume(ctx, ids, func(rec, d *memRecord) {
		if rec.Kind == KindEvent {
			d.open--
			delete(s.keys, rec.DedupKey)
		}
		if rec.Kind == KindDelivery || d.split {
			d.split, d.Attempts = false, 0
			s.enqueue(d)
		}
	})
}

// DeleteDeadLetters implements [Store].
func (s *MemStore) DeleteDeadLetters(ctx context.Context, ids []ID) (int, error) {
	return s.exhume(ctx, ids, func(rec, d *memRecord) {
		if rec.Kind == KindDelivery {
			d.split = true
		} else {
			d.open--
			s.finish(rec.DedupKey)
		}
		s.drop(d.ID)
	})
}

// exhume takes dead letters out and hands each, with its delivery, to fn.
func (s *MemStore) exhume(ctx context.Context, ids []ID, fn func(rec, delivery *memRecord)) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if rec := s.dead[id]; rec != nil {
			delete(s.dead, id)
			fn(rec, s.deliveries[rec.Delivery])
			n++
		}
	}
	return n, nil
}

// DeleteExpired implements [Sweeper].
func (s *MemStore) DeleteExpired(ctx context.Context, keep time.Duration) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := time.Now().Add(-keep)
	for name, k := range s.keys {
		if !k.doneAt.IsZero() && k.doneAt.Before(limit) && s.deliveries[k.delivery] == nil {
			delete(s.keys, name)
			n++
		}
	}
	return n, nil
}
