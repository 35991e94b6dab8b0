package natsinbox

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// Append implements [inbox.Sink]. The bodies are stored first, then the command that refers to
// them: a process that dies in between leaves orphans, and no delivery without a body. The backfill
// has a queue of its own for bodies, if all of the records are of it.
func (s *Store) Append(ctx context.Context, recs []inbox.Record) (added int, err error) {
	unknown, err := s.unknown(ctx, recs)
	if err != nil || len(unknown) == 0 {
		return 0, err
	}
	list, backfill := make([]appended, len(unknown)), true
	texts := make([][]byte, len(unknown))
	for i, rec := range unknown {
		list[i].Record = queue.Record{Key: rec.DedupKey, Backfill: rec.Backfill, ReceivedAt: rec.ReceivedAt.UnixMicro()}
		texts[i], backfill = rec.Body, backfill && rec.Backfill
	}
	parts, err := s.bodies.store(ctx, texts, backfill)
	if err != nil {
		return 0, err
	}
	for i := range list {
		list[i].Body = parts[i]
	}
	res, err := s.writer.do(ctx, command{Append: list})
	return res.n, err
}

// unknown leaves out the records whose keys are known, so that Meta's repeats are not written
// anywhere. Whether a record that is left is a duplicate is decided where its command is applied.
func (s *Store) unknown(ctx context.Context, recs []inbox.Record) ([]inbox.Record, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	unknown := func() (list []inbox.Record) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, rec := range recs {
			if !s.machine.queue.Known(rec.DedupKey) {
				list = append(list, rec)
			}
		}
		return list
	}
	list := unknown()
	if len(list) == len(recs) {
		return list, nil
	}
	// A key that is known here may have been forgotten by another process, and then the delivery is
	// new: before it is called a duplicate, everything that was written has to be applied.
	if err := s.catchUp(ctx); err != nil {
		return nil, err
	}
	return unknown(), nil
}

// Claim implements [inbox.Store]. Most claims find nothing to do: these write nothing into the log.
// If the bodies cannot be read, the records are given back.
func (s *Store) Claim(ctx context.Context, req inbox.ClaimRequest) (inbox.Batch, error) {
	if err := s.usable(ctx); err != nil {
		return inbox.Batch{}, err
	}
	c := queue.Claim{
		Token: queue.Token(rand.Text()), Kind: queue.Kind(req.Kind), Backfill: req.Backfill, Lanes: req.Lanes,
		PerLane: req.PerLane, Except: req.Except, Quarantine: req.Quarantine, MaxBytes: req.MaxBytes,
		Lease: req.LeaseDuration, Worker: req.WorkerID,
	}
	if _, nothing := s.nothingFor(c); nothing {
		if err := s.catchUp(ctx); err != nil {
			return inbox.Batch{}, err
		}
		if b, nothing := s.nothingFor(c); nothing {
			return b, nil
		}
	}
	res, err := s.writer.do(ctx, command{Claim: &c})
	if err != nil || len(res.batch.Records) == 0 {
		return res.batch, err
	}
	list, err := s.bodies.load(ctx, res.parts)
	if err != nil {
		s.abandon(res.batch) // another worker gets them at once, and not after the lease
		return inbox.Batch{}, err
	}
	for i := range list {
		res.batch.Records[i].Body = list[i]
	}
	return res.batch, nil
}

// nothingFor reports whether a claim brings nothing yet, as far as this process knows, and returns
// the batch that says so.
func (s *Store) nothingFor(c queue.Claim) (inbox.Batch, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, ok := s.machine.queue.Wait(c, s.clock())
	return inbox.Batch{Wait: wait, Quarantined: s.machine.queue.Quarantined(c.Kind, c.Backfill)}, !ok || wait > 0
}

// Extend implements [inbox.Store]. The lease runs from the moment at which the server stores the
// command.
func (s *Store) Extend(ctx context.Context, token inbox.LeaseToken, lease time.Duration) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	_, err := s.writer.do(ctx, command{Extend: &extended{queue.Token(token), lease}})
	return err
}

// Settle implements [inbox.Store]. If it returns an error other than [inbox.ErrLeaseLost], the
// outcomes may be stored all the same; then another call returns that, although nothing is handled
// again.
func (s *Store) Settle(ctx context.Context, token inbox.LeaseToken, outcomes []inbox.Settlement) error {
	if err := s.usable(ctx); err != nil || len(outcomes) == 0 {
		return err
	}
	_, err := s.writer.do(ctx, command{Settle: newSettled(token, outcomes)})
	return err
}

// Stats implements [inbox.Store]. It does not count keys. It counts what the log held when it was
// called, so that an empty inbox is empty.
func (s *Store) Stats(ctx context.Context) (inbox.Stats, error) {
	if err := s.current(ctx); err != nil {
		return inbox.Stats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine.stats(s.clock()), nil
}

// DeadLetters implements [inbox.Store]. It reads the bodies of a page from the server.
func (s *Store) DeadLetters(
	ctx context.Context, f inbox.Filter, after inbox.ID, limit int,
) ([]inbox.DeadLetter, error) {
	if err := s.current(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	letters, parts := s.machine.deadLetters(f, after, limit)
	s.mu.Unlock()
	list, err := s.bodies.load(ctx, parts)
	if err != nil {
		return nil, err
	}
	for i := range letters {
		letters[i].Body = list[i]
	}
	return letters, nil
}

// ReplayDeadLetters implements [inbox.Store].
func (s *Store) ReplayDeadLetters(ctx context.Context, ids []inbox.ID) (int, error) {
	if err := s.usable(ctx); err != nil || len(ids) == 0 {
		return 0, err
	}
	res, err := s.writer.do(ctx, command{Replay: queueIDs(ids)})
	return res.n, err
}

// DeleteDeadLetters implements [inbox.Store]. The server overwrites bodies that nothing needs any
// more before it returns, which takes some milliseconds each.
func (s *Store) DeleteDeadLetters(ctx context.Context, ids []inbox.ID) (int, error) {
	if err := s.usable(ctx); err != nil || len(ids) == 0 {
		return 0, err
	}
	res, err := s.writer.do(ctx, command{Delete: queueIDs(ids)})
	if err == nil {
		err = s.bodies.erase(ctx)
	}
	return res.n, err
}

// Wait implements [inbox.Waker]. What this process has written does not wake it: the inbox knows of
// that. It returns an error once the store is closed.
func (s *Store) Wait(ctx context.Context) error {
	select {
	case <-s.wake:
		return nil
	case <-s.over:
		return s.reason()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// usable returns why the store takes no call, or nil.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed() {
		return s.reason()
	}
	return nil
}

// current is for what is answered without writing: it waits until this process has seen what the
// others wrote before.
func (s *Store) current(ctx context.Context) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.catchUp(ctx)
}
