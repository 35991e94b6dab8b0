package natsinbox

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// An orphanMark says up to where the stream of bodies had come at a time. A body before a mark that
// is old enough belongs to a delivery in the log, or is an orphan: the process that stored it has
// died before it wrote the delivery into the log.
type orphanMark struct {
	seq uint64
	at  time.Time
}

// DeleteExpired implements [inbox.Sweeper]. It also deletes orphans: bodies that no delivery
// belongs to.
func (s *Store) DeleteExpired(ctx context.Context, keep time.Duration) (int, error) {
	if err := s.current(ctx); err != nil {
		return 0, err
	}
	// Those whose Forget has failed, and was not called again.
	if err := s.bodies.erase(ctx); err != nil {
		return 0, err
	}
	if err := s.deleteOrphans(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	found := s.machine.queue.HasExpired(s.clock() - keep.Microseconds())
	s.mu.Unlock()
	if !found {
		return 0, nil // nothing is written for nothing, since every process comes here
	}
	micro := keep.Microseconds()
	res, err := s.writer.do(ctx, command{Forget: &micro})
	return res.n, err
}

// deleteOrphans sets a new mark every orphanAge, and deletes the orphans before the previous one.
// The low watermark goes into the log first: a process that is slower than orphanAge must not add a
// delivery whose body is being deleted here.
func (s *Store) deleteOrphans(ctx context.Context) error {
	info, err := s.bodyStream.Info(ctx)
	if err != nil {
		return fmt.Errorf("natsinbox: %w", err)
	}
	s.mu.Lock()
	mark, needed := s.orphans, s.machine.bodies.needed()
	// Time is that of this process: it only decides when to look, not what is an orphan.
	due := mark.at.IsZero() || time.Since(mark.at) >= s.orphanAge
	if due {
		s.orphans = orphanMark{info.State.LastSeq, time.Now()}
	}
	s.mu.Unlock()
	if !due || mark.seq == 0 || info.State.Msgs <= uint64(needed) {
		return nil
	}
	if _, err := s.writer.do(ctx, command{LowWatermark: mark.seq}); err != nil {
		return err
	}
	return s.deleteUnneeded(ctx, mark.seq)
}

// deleteUnneeded deletes the bodies up to a message that no delivery needs. It goes through the
// stream once, without reading the bodies themselves. An error leaves the rest to the next time.
func (s *Store) deleteUnneeded(ctx context.Context, upTo uint64) error {
	c, err := s.js.OrderedConsumer(ctx, s.stream("bodies"), jetstream.OrderedConsumerConfig{
		HeadersOnly: true, MaxResetAttempts: 1, // as in consumeLog
	})
	if err != nil {
		return fmt.Errorf("natsinbox: %w", err)
	}
	for {
		const page = 500
		list, err := c.FetchNoWait(page)
		if err != nil {
			return fmt.Errorf("natsinbox: %w", err)
		}
		n := 0
		for msg := range list.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return fmt.Errorf("natsinbox: %w", err)
			}
			if meta.Sequence.Stream > upTo {
				return nil
			}
			n++
			if !s.needs(meta.Sequence.Stream) {
				if err := s.bodyStream.DeleteMsg(ctx, meta.Sequence.Stream); err != nil {
					return fmt.Errorf("natsinbox: %w", err)
				}
			}
		}
		if n == 0 || list.Error() != nil {
			return list.Error()
		}
	}
}

// needs reports whether a delivery needs a part of a message of bodies.
func (s *Store) needs(body uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.machine.bodies.needs(body)
}
