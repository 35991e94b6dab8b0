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

// maintain does the work that no caller waits for (durability checks, snapshots, abandoned leases)
// until the store is closed.
func (s *Store) maintain(ctx context.Context) {
	check := time.NewTicker(checkPause)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-check.C:
			s.durability.recheck(ctx, s)
		case b := <-s.abandoned:
			s.giveBack(ctx, b)
		case <-s.snapshotDue:
			s.mu.Lock()
			taken := s.machine.snapshots.taken(s.clock())
			s.mu.Unlock()
			if !taken {
				_ = s.writeSnapshot(ctx) // the log stays longer, and it is tried again after the turn
			}
		}
	}
}

// checkPause is how long a server with other settings may go unnoticed, if the connection stays.
const checkPause = time.Minute

// abandon has a batch given back whose caller is gone, so that its lanes need not wait for the end
// of the lease. It does not block: if too many are on their way, the lease ends by itself.
func (s *Store) abandon(b inbox.Batch) {
	select {
	case s.abandoned <- b:
	default:
	}
}

// giveBack releases the first record of each lane of a batch, and with it the lane.
func (s *Store) giveBack(ctx context.Context, b inbox.Batch) {
	var outs []inbox.Settlement
	for i, rec := range b.Records {
		if i == 0 || rec.Lane != b.Records[i-1].Lane {
			outs = append(outs, inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionRelease})
		}
	}
	_ = s.Settle(ctx, b.LeaseToken, outs) // otherwise its lease ends
}

// writeSnapshot stores a snapshot, unless another process has the turn, and deletes the log before
// the snapshot before it: a process that reads the old one while the new one is written can go on.
//
// First come the parts, then the manifest that names them, which is what readers look for, then the
// command that tells all processes. A process that took longer than its turn and was overtaken
// fails at the manifest, because another message is the last one by then.
func (s *Store) writeSnapshot(ctx context.Context) error {
	last, err := s.lastManifest(ctx)
	if err != nil {
		return err
	}
	// The manifest was looked up before the turn: a process that loses its turn while it writes
	// then expects a manifest that is not the last one any more.
	turn, err := s.writer.do(ctx, command{Snapshot: s.node})
	if err != nil || turn.n == 0 {
		return err
	}
	s.mu.Lock() // for the copy only: encoding it takes a while
	snap, ref := s.machine.snapshot(), snapshotRef{ID: rand.Text(), At: s.at}
	s.mu.Unlock()
	data, err := snap.encode()
	if err != nil {
		return err
	}
	ref.Size = len(data)
	for chunk := range slices.Chunk(data, s.maxMessage) {
		seq, err := s.put(ctx, "snapshots.part", chunk, "")
		if err != nil {
			return err
		}
		ref.Parts = append(ref.Parts, seq)
	}
	manifest, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	if _, err := s.put(ctx, "snapshots.manifest", manifest, fmt.Sprint(last)); err != nil {
		return err
	}
	if _, err := s.writer.do(ctx, command{Snapshotted: &ref}); err != nil {
		return err
	}
	s.mu.Lock()
	before := s.machine.snapshots.Before
	s.mu.Unlock()
	if len(before.Parts) == 0 {
		return nil // this is the first snapshot
	}
	return errors.Join(
		s.logStream.Purge(ctx, jetstream.WithPurgeSequence(before.At+1)),
		s.snapshotStream.Purge(ctx, jetstream.WithPurgeSequence(before.Parts[0])))
}

// put stores a message of a snapshot. If expect is set, the server refuses unless the last message
// of the subject has that number; 0 stands for none.
func (s *Store) put(ctx context.Context, subject string, data []byte, expect string) (uint64, error) {
	msg := &nats.Msg{Subject: s.subject(subject), Data: data, Header: nats.Header{jetstream.MsgIDHeader: {rand.Text()}}}
	if expect != "" {
		msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, expect)
	}
	return s.publish(ctx, msg, s.stream("snapshots"))
}

// lastManifest returns the number of the last manifest's message, or 0.
func (s *Store) lastManifest(ctx context.Context) (uint64, error) {
	msg, err := s.snapshotStream.GetLastMsgForSubject(ctx, s.subject("snapshots.manifest"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("natsinbox: %w", err)
	}
	return msg.Sequence, nil
}

// load replaces the machine by that of the last snapshot, or by an empty one if there is none. The
// log is read from there. Results of commands that are in the snapshot are not known any more:
// those who wait for them get an error.
func (s *Store) load(ctx context.Context) (err error) {
	const tries = 5 // another process may replace the snapshot while it is read
	for range tries {
		var m *machine
		var at uint64
		if m, at, err = s.readSnapshot(ctx); err == nil {
			s.mu.Lock()
			s.machine, s.at, s.appliedAt, s.logged = m, at, time.Now(), 0
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

// readSnapshot returns the machine of the last snapshot, and the last message of the log that is in
// it. Without a snapshot the log has to be there from its first message: otherwise something was
// lost that this process must not go on without.
func (s *Store) readSnapshot(ctx context.Context) (*machine, uint64, error) {
	msg, err := s.snapshotStream.GetLastMsgForSubject(ctx, s.subject("snapshots.manifest"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		info, err := s.logStream.Info(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("natsinbox: %w", err)
		}
		if info.State.FirstSeq > 1 {
			return nil, 0, fmt.Errorf("natsinbox: the beginning of the stream %s is gone, and no snapshot takes "+
				"its place; "+
				"restore the streams from a backup", s.stream("log"))
		}
		return newMachine(), 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("natsinbox: %w", err)
	}
	var ref snapshotRef
	if err := decodeStrictly(msg.Data, &ref); err != nil {
		return nil, 0, err
	}
	var data []byte
	for _, seq := range ref.Parts {
		msg, err := s.snapshotStream.GetMsg(ctx, seq)
		if err != nil {
			return nil, 0, fmt.Errorf("natsinbox: a part of the snapshot cannot be read: %w", err)
		}
		data = append(data, msg.Data...)
	}
	m, err := decodeMachine(data)
	return m, ref.At, err
}
