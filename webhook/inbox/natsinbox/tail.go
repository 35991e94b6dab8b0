package natsinbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// tail carries out what is in the log, until the store is closed.
func (s *Store) tail(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.follow(ctx)
		if errors.Is(err, errUnknown) {
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

var errUnknown = errors.New("natsinbox: the inbox cannot be read any further")

// errGap says that messages of the log are gone that this process has not seen; they are in a
// snapshot.
var errGap = errors.New("natsinbox: a gap in the log")

// follow reads the log from where this process has come to, until something goes wrong.
func (s *Store) follow(ctx context.Context) error {
	c, err := s.js.OrderedConsumer(ctx, s.stream("log"), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: s.position() + 1,
		// A consumer lives on one server. If that dies before it has answered, to ask for the same
		// one again waits until it is back; a new one, which comes with the next call, lives on
		// another.
		MaxResetAttempts: 1,
	})
	if err != nil {
		return err
	}
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
		err = s.carryOut(msg, meta)
		if errors.Is(err, errGap) {
			if err = s.load(ctx); err == nil {
				return nil // from there
			}
		}
		if err != nil {
			return err
		}
	}
}

// carryOut carries out a message of the log.
func (s *Store) carryOut(msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
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
	s.machine.tick(meta.Timestamp)
	if piece := msg.Headers().Get(headerPiece); piece != "" {
		var id string
		var index, of int
		if _, err := fmt.Sscanf(piece, "%s %d %d", &id, &index, &of); err != nil {
			return fmt.Errorf("%w: %w", errUnknown, err)
		}
		data = s.machine.join(id, index, of, data)
	}
	if data != nil {
		if err := s.runEntry(data); err != nil {
			return fmt.Errorf("%w: %w", errUnknown, err)
		}
	}
	s.at, s.seenAt = seq, time.Now()
	s.logged += int64(len(msg.Data()))
	close(s.advanced)
	s.advanced = make(chan struct{})
	return nil
}

func (s *Store) runEntry(data []byte) error {
	node, number, commands, err := decodeEntry(data)
	if err != nil {
		return err
	}
	s.machine.freed, s.machine.ready = nil, false
	results := make([]result, len(commands))
	for i, c := range commands {
		results[i] = s.machine.run(c)
	}
	if node == s.node {
		s.bodies.discard(s.machine.freed)
		s.writer.apply(number, results)
	} else if s.machine.ready {
		ring(s.woken)
	}
	for _, c := range commands {
		if c.Snapshotted != nil {
			s.logged = 0
		}
	}
	if s.logged > max(s.snapshotBytes, 2*int64(s.machine.snap.Last.Size)) {
		ring(s.full)
	}
	return nil
}

// catchUp waits until everything is carried out that was in the log when it was called.
func (s *Store) catchUp(ctx context.Context) error {
	info, err := s.logStream.Info(ctx)
	if err != nil {
		return fmt.Errorf("natsinbox: the server does not answer: %w", err)
	}
	s.mu.Lock()
	s.heard, s.heardAt = info.TimeStamp.UnixMicro(), time.Now()
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

func (s *Store) position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// clock is the time by the store's clock, or a little less. The caller holds the lock.
func (s *Store) clock() int64 {
	return max(s.machine.now+time.Since(s.seenAt).Microseconds(), s.heard+time.Since(s.heardAt).Microseconds())
}

// ring wakes whoever waits for c. Ringing while it rings changes nothing.
func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
