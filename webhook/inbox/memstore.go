package inbox

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// defaultMemBytes is what a MemStore holds if it was not told.
const defaultMemBytes = 256 << 20

// A MemStore is a [Store] in memory. The zero MemStore is ready. It is for tests, and for hosts
// that may lose what was acknowledged: it forgets everything when the process ends. It is safe for
// concurrent use.
//
// What it does with records is decided by package queue, which natsinbox uses too. The MemStore
// adds a lock, a clock and the bodies.
type MemStore struct {
	// MaxBytes limits the bodies that are held. Beyond, Append returns [ErrFull]. If zero, 256 MiB.
	// Set it before the first use.
	MaxBytes int64

	mu        sync.Mutex
	machine   *queue.Machine // nil until the first use
	epoch     time.Time      // the first use: the clock goes on evenly from there, however often the system's is set
	lastToken uint64
	bodies    map[queue.ID][]byte // by delivery
	bytes     int64               // of the bodies
}

var (
	_ Forgetter = (*MemStore)(nil)
	_ Sweeper   = (*MemStore)(nil)
)

// begin locks the store for a call, and sets the machine's clock. If it returns an error, the store
// is not locked.
func (s *MemStore) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.machine == nil {
		s.machine, s.epoch, s.bodies = queue.New(s.drop), time.Now(), map[queue.ID][]byte{}
		if s.MaxBytes == 0 {
			s.MaxBytes = defaultMemBytes
		}
	}
	s.machine.Advance(s.now())
	return nil
}

// now is the time in microseconds.
func (s *MemStore) now() int64 { return s.epoch.UnixMicro() + time.Since(s.epoch).Microseconds() }

// drop releases a delivery's body, which the machine no longer needs.
func (s *MemStore) drop(delivery queue.ID) {
	s.bytes -= int64(len(s.bodies[delivery]))
	delete(s.bodies, delivery)
}

// Append implements [Sink].
func (s *MemStore) Append(ctx context.Context, recs []Record) (added int, err error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	var more int64
	for _, rec := range recs {
		if !s.machine.Known(rec.DedupKey) {
			more += int64(len(rec.Body))
		}
	}
	if s.bytes+more > s.MaxBytes {
		return 0, ErrFull // all or none
	}
	for _, rec := range recs {
		if id, ok := s.machine.Append(toQueue(rec), len(rec.Body)); ok {
			s.bodies[id] = rec.Body
			s.bytes += int64(len(rec.Body))
			added++
		}
	}
	return added, nil
}

// Claim implements [Store].
func (s *MemStore) Claim(ctx context.Context, req ClaimRequest) (Batch, error) {
	if err := s.begin(ctx); err != nil {
		return Batch{}, err
	}
	defer s.mu.Unlock()
	s.lastToken++
	token := strconv.FormatUint(s.lastToken, 10)
	c := queue.Claim{
		Token: queue.Token(token), Kind: queue.Kind(req.Kind), Backfill: req.Backfill, Lanes: req.Lanes,
		PerLane: req.PerLane, Except: req.Except, Quarantine: req.Quarantine, MaxBytes: req.MaxBytes,
		Lease: req.LeaseDuration,
	}
	claimed := s.machine.Claim(c)
	quarantined := s.machine.Quarantined(c.Kind, c.Backfill)
	wait, waits := s.machine.Wait(c, s.machine.Now())
	b := Batch{Drained: !waits || wait > 0, Wait: wait, Quarantined: quarantined}
	if len(claimed) == 0 {
		return b, nil
	}
	b.LeaseToken, b.Records = LeaseToken(token), make([]Record, len(claimed))
	for i, rec := range claimed {
		b.Records[i] = s.fromQueue(rec)
	}
	return b, nil
}

// Extend implements [Store].
func (s *MemStore) Extend(ctx context.Context, token LeaseToken, lease time.Duration) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	return s.machine.Extend(queue.Token(token), lease)
}

// Settle implements [Store].
func (s *MemStore) Settle(ctx context.Context, token LeaseToken, outcomes []Settlement) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	list := make([]queue.Outcome, len(outcomes))
	for i, out := range outcomes {
		list[i] = queue.Outcome{
			ID: queue.ID(out.ID), Disposition: queue.Disposition(out.Disposition), RetryAfter: out.RetryAfter,
			Reason: out.Reason,
			Events: make([]queue.Record, len(out.Events)), DropKey: out.DropKey,
		}
		for k, ev := range out.Events {
			list[i].Events[k] = toQueue(ev)
		}
	}
	return s.machine.Settle(queue.Token(token), list)
}

// Stats implements [Store].
func (s *MemStore) Stats(ctx context.Context) (Stats, error) {
	if err := s.begin(ctx); err != nil {
		return Stats{}, err
	}
	defer s.mu.Unlock()
	st := s.machine.Stats(s.machine.Now())
	return Stats{
		Deliveries: st.Deliveries, Live: st.Live, Backfill: st.Backfill, Dead: st.Dead, DedupKeys: st.DoneKeys,
		Oldest: st.Oldest, OldestLive: st.OldestLive,
	}, nil
}

// DeadLetters implements [Store].
func (s *MemStore) DeadLetters(ctx context.Context, f Filter, after ID, limit int) ([]DeadLetter, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	list := s.machine.DeadLetters(f.PhoneNumberID, queue.ID(after), limit)
	letters := make([]DeadLetter, len(list))
	for i, l := range list {
		letters[i] = DeadLetter{s.fromQueue(l.Record), l.Reason, time.UnixMicro(l.DeadAt).UTC()}
	}
	return letters, nil
}

// ReplayDeadLetters implements [Store].
func (s *MemStore) ReplayDeadLetters(ctx context.Context, ids []ID) (int, error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return s.machine.Replay(queueIDs(ids)), nil
}

// DeleteDeadLetters implements [Store].
func (s *MemStore) DeleteDeadLetters(ctx context.Context, ids []ID) (int, error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return s.machine.Delete(queueIDs(ids)), nil
}

// DeleteExpired implements [Sweeper].
func (s *MemStore) DeleteExpired(ctx context.Context, keep time.Duration) (n int, err error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return s.machine.DeleteExpired(s.machine.Now() - keep.Microseconds()), nil
}

// Forget implements [Forgetter].
func (s *MemStore) Forget(ctx context.Context, e Erasure) (busy bool, err error) {
	if err := s.begin(ctx); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	busy = s.machine.Forget(e.PhoneNumberID, e.Lanes)
	for _, d := range s.machine.Bodies() {
		body := s.bodies[d.ID]
		rest, changed := e.Redact(body, d.Split)
		switch {
		case !changed:
		case d.Leased:
			busy = true
		default:
			s.bytes += int64(len(rest) - len(body))
			s.bodies[d.ID] = rest
			s.machine.Resize(d.ID, len(rest))
		}
	}
	return busy, nil
}

// toQueue returns a record as the machine takes it, without what the machine gives it.
func toQueue(rec Record) queue.Record {
	return queue.Record{
		Key: rec.DedupKey, SupersededBy: rec.SupersededBy, Lane: rec.Lane, Backfill: rec.Backfill,
		Status: rec.Status, Index: rec.Index, PhoneNumberID: rec.PhoneNumberID, ReceivedAt: rec.ReceivedAt.UnixMicro(),
	}
}

// fromQueue returns a record with its body. The caller must hold s.mu.
func (s *MemStore) fromQueue(rec queue.Record) Record {
	return Record{
		ID: ID(rec.ID), Delivery: ID(rec.Delivery), Kind: Kind(rec.Kind), DedupKey: rec.Key,
		SupersededBy: rec.SupersededBy,
		Lane:         rec.Lane, PhoneNumberID: rec.PhoneNumberID, Backfill: rec.Backfill, Status: rec.Status,
		Index: rec.Index, ReceivedAt: time.UnixMicro(rec.ReceivedAt).UTC(), Body: s.bodies[rec.Delivery],
		Attempts: rec.Attempts, Abandoned: rec.Abandoned,
	}
}

func queueIDs(ids []ID) []queue.ID {
	list := make([]queue.ID, len(ids))
	for i, id := range ids {
		list[i] = queue.ID(id)
	}
	return list
}
