package natsinbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// runLog applies what is in the log, until the store is closed. A log that this release cannot read
// ends the store; anything else is tried again.
func (s *Store) runLog(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.consumeLog(ctx)
		if errors.Is(err, errUnreadable) {
			s.fail(err)
			return
		}
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

var (
	// errUnreadable is permanent for this release.
	errUnreadable = errors.New("natsinbox: the inbox cannot be read any further")

	// errGap says that messages of the log that this process has not applied are deleted. They are
	// in a snapshot.
	errGap = errors.New("natsinbox: a gap in the log")
)

// consumeLog reads the log from the first message that is not applied, until something goes wrong.
// After a gap it continues with a snapshot, and returns nil so as to be called again.
func (s *Store) consumeLog(ctx context.Context) error {
	c, err := s.js.OrderedConsumer(ctx, s.stream("log"), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: s.position() + 1,
		// A consumer lives on one server of a cluster. If that one dies, resetting the consumer
		// waits until it is back; a new consumer, which the next call makes, lives on another
		// server.
		MaxResetAttempts: 1,
	})
	if err != nil {
		return err
	}
	// Without a heartbeat, a connection that is silent would look like a log in which nothing
	// happens.
	messages, err := c.Messages(jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		err = s.applyMessage(msg, meta)
		if errors.Is(err, errGap) {
			return s.load(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// applyMessage applies a message of the log, and tells those who wait for it. A message that was
// applied before is skipped, since a snapshot may be ahead of the consumer.
func (s *Store) applyMessage(msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
	seq := meta.Sequence.Stream
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case seq <= s.at:
		return nil
	case seq > s.at+1:
		return errGap
	}
	data := msg.Data()
	// The clock of the machine is the server's, in the order of the log: all processes have the
	// same.
	s.machine.advance(meta.Timestamp)
	if piece := msg.Headers().Get(headerPiece); piece != "" {
		var id string
		var index, of int
		if _, err := fmt.Sscanf(piece, "%s %d %d", &id, &index, &of); err != nil {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
		data = s.machine.join(id, index, of, data)
	}
	if data != nil {
		if err := s.applyEntry(data); err != nil {
			return fmt.Errorf("%w: %w", errUnreadable, err)
		}
	}
	s.at, s.appliedAt = seq, time.Now()
	s.logged += int64(len(msg.Data()))
	close(s.advanced)
	s.advanced = make(chan struct{})
	return nil
}

// applyEntry applies the commands of an entry. The process that wrote it gets the results, and
// deletes the bodies that nothing needs any more, so that one process does it and not all of them.
// The caller must hold s.mu.
func (s *Store) applyEntry(data []byte) error {
	node, number, commands, err := decodeEntry(data)
	if err != nil {
		return err
	}
	results := make([]result, len(commands))
	for i, c := range commands {
		results[i] = s.machine.apply(c)
		if node == s.node {
			s.bodies.discard(s.machine.bodies.freed, c.erases())
		}
		s.machine.bodies.freed = nil
	}
	ready := s.machine.queue.TakeReady()
	if node == s.node {
		s.writer.apply(number, results)
	} else if ready {
		notify(s.wake)
	}
	for _, c := range commands {
		if c.Snapshotted != nil {
			s.logged = 0
		}
	}
	// A large inbox has large snapshots: they are to be less than the log that they replace.
	if s.logged > max(s.snapshotBytes, 2*int64(s.machine.snapshots.Last.Size)) {
		notify(s.snapshotDue)
	}
	return nil
}

// catchUp waits until everything is applied that was in the log when it was called. What is
// answered from the machine after that includes what other processes were told to be stored before.
func (s *Store) catchUp(ctx context.Context) error {
	info, err := s.logStream.Info(ctx)
	if err != nil {
		return fmt.Errorf("natsinbox: the server does not answer: %w", err)
	}
	// The answer has the server's time as well, so that pauses end here though nothing is written.
	s.mu.Lock()
	s.serverTime, s.serverTimeAt = info.TimeStamp.UnixMicro(), time.Now()
	s.mu.Unlock()
	for {
		s.mu.Lock()
		at, advanced := s.at, s.advanced
		s.mu.Unlock()
		if at >= info.State.LastSeq {
			return nil
		}
		select {
		case <-advanced:
		case <-s.over:
			return s.reason()
		case <-ctx.Done():
			return fmt.Errorf("natsinbox: the server does not answer: %w", ctx.Err())
		}
	}
}

// position is the last message of the log that is applied.
func (s *Store) position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// clock estimates the server's time in microseconds: what it said last, and the time since then by
// this process's clock. It is never ahead of the server's, so that nothing is taken for claimable
// before it is. The caller must hold s.mu.
func (s *Store) clock() int64 {
	return max(
		s.machine.queue.Now()+time.Since(s.appliedAt).Microseconds(),
		s.serverTime+time.Since(s.serverTimeAt).Microseconds(),
	)
}

// notify wakes the receiver of c, or, if it is busy, has it run again. c has room for one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
