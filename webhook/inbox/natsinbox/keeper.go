package natsinbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// keep does what has to be done beside, until the store is closed.
func (s *Store) keep(ctx context.Context) {
	check := time.NewTicker(proofPause)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-check.C:
			s.proof.review(ctx, s)
		case b := <-s.abandoned:
			s.giveBack(ctx, b)
		case <-s.full:
			s.mu.Lock()
			taken := s.machine.snap.taken(s.clock())
			s.mu.Unlock()
			if !taken {
				_ = s.snapshot(ctx) // the log stays longer, and it is tried again after the turn
			}
		}
	}
}

const proofPause = time.Minute

// abandon has a batch given back that nobody is going to settle.
func (s *Store) abandon(b inbox.Batch) {
	select {
	case s.abandoned <- b:
	default: // its lease ends
	}
}

func (s *Store) giveBack(ctx context.Context, b inbox.Batch) {
	var outs []inbox.Settlement
	for i, rec := range b.Records {
		if i == 0 || rec.Lane != b.Records[i-1].Lane {
			outs = append(outs, inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionRelease})
		}
	}
	_ = s.Settle(ctx, b.LeaseToken, outs) // otherwise its lease ends
}

// snapshot writes down what is in the inbox, so that the log before it is not needed any more.
func (s *Store) snapshot(ctx context.Context) error {
	last, err := s.lastSnapshot(ctx)
	if err != nil {
		return err
	}
	turn, err := s.writer.do(ctx, command{Snapshot: s.node})
	if err != nil || turn.n == 0 {
		return err
	}
	s.mu.Lock()
	d, at := s.machine.dump(), snapshotAt{ID: rand.Text(), At: s.at}
	s.mu.Unlock()
	data, err := d.encode()
	if err != nil {
		return err
	}
	at.Size = len(data)
	for chunk := range slices.Chunk(data, s.maxMessage) {
		seq, err := s.put(ctx, "snapshots.part", chunk, "")
		if err != nil {
			return err
		}
		at.Parts = append(at.Parts, seq)
	}
	manifest, err := json.Marshal(at)
	if err != nil {
		return err
	}
	// Whoever took too long must not replace a newer one.
	if _, err := s.put(ctx, "snapshots.manifest", manifest, fmt.Sprint(last)); err != nil {
		return err
	}
	if _, err := s.writer.do(ctx, command{Snapshotted: &at}); err != nil {
		return err
	}
	s.mu.Lock()
	before := s.machine.snap.Before
	s.mu.Unlock()
	if len(before.Parts) == 0 {
		return nil
	}
	return errors.Join(
		s.logStream.Purge(ctx, jetstream.WithPurgeSequence(before.At+1)),
		s.snapshotStream.Purge(ctx, jetstream.WithPurgeSequence(before.Parts[0])))
}

// put stores a message of a snapshot. expect is the last message of the subject, if that matters.
func (s *Store) put(ctx context.Context, subject string, data []byte, expect string) (uint64, error) {
	msg := &nats.Msg{Subject: s.subject(subject), Data: data, Header: nats.Header{jetstream.MsgIDHeader: {rand.Text()}}}
	if expect != "" {
		msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, expect)
	}
	return s.publish(ctx, msg, s.stream("snapshots"))
}

// lastSnapshot returns the number of the last manifest's message, or 0.
func (s *Store) lastSnapshot(ctx context.Context) (uint64, error) {
	msg, err := s.snapshotStream.GetLastMsgForSubject(ctx, s.subject("snapshots.manifest"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("natsinbox: %w", err)
	}
	return msg.Sequence, nil
}

// load begins with the last snapshot, or with nothing if there is none.
func (s *Store) load(ctx context.Context) (err error) {
	const tries = 5 // another process may replace the snapshot while it is read
	for range tries {
		var m *machine
		var at uint64
		if m, at, err = s.read(ctx); err == nil {
			s.mu.Lock()
			s.machine, s.at, s.seenAt, s.logged = m, at, time.Now(), 0
			s.mu.Unlock()
			s.writer.skip(at)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (s *Store) read(ctx context.Context) (*machine, uint64, error) {
	msg, err := s.snapshotStream.GetLastMsgForSubject(ctx, s.subject("snapshots.manifest"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		info, err := s.logStream.Info(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("natsinbox: %w", err)
		}
		if info.State.FirstSeq > 1 {
			return nil, 0, fmt.Errorf("natsinbox: the beginning of the stream %s is gone, and no snapshot takes its place; "+
				"restore the streams from a backup", s.stream("log"))
		}
		return newMachine(), 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("natsinbox: %w", err)
	}
	var at snapshotAt
	if err := decodeStrictly(msg.Data, &at); err != nil {
		return nil, 0, err
	}
	var data []byte
	for _, seq := range at.Parts {
		msg, err := s.snapshotStream.GetMsg(ctx, seq)
		if err != nil {
			return nil, 0, fmt.Errorf("natsinbox: a part of the snapshot cannot be read: %w", err)
		}
		data = append(data, msg.Data...)
	}
	m, err := decodeMachine(data)
	return m, at.At, err
}
