package natsinbox

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A strayLine says up to where the stream of bodies had come at some time.
type strayLine struct {
	seq uint64
	at  time.Time
}

// DeleteExpired implements [inbox.Sweeper]. It also deletes bodies that nothing belongs to, because
// the process that stored them died before it wrote that into the log.
func (s *Store) DeleteExpired(ctx context.Context, keep time.Duration) (int, error) {
	if err := s.current(ctx); err != nil {
		return 0, err
	}
	if err := s.sweepBodies(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	found, limit := false, s.clock()-keep.Microseconds()
	for _, k := range s.machine.keys {
		if found = s.machine.isOld(k, limit); found {
			break
		}
	}
	s.mu.Unlock()
	if !found {
		return 0, nil
	}
	micro := keep.Microseconds()
	res, err := s.writer.do(ctx, command{Forget: &micro})
	return res.n, err
}

func (s *Store) sweepBodies(ctx context.Context) error {
	info, err := s.bodyStream.Info(ctx)
	if err != nil {
		return fmt.Errorf("natsinbox: %w", err)
	}
	s.mu.Lock()
	line, needed := s.stray, 0
	for _, b := range s.machine.bodies {
		if b.needed > 0 {
			needed++
		}
	}
	due := line.at.IsZero() || time.Since(line.at) >= s.strayAge
	if due {
		s.stray = strayLine{info.State.LastSeq, time.Now()}
	}
	s.mu.Unlock()
	if !due || line.seq == 0 || info.State.Msgs <= uint64(needed) {
		return nil
	}
	// From now on, no delivery is accepted whose body is older.
	if _, err := s.writer.do(ctx, command{Floor: line.seq}); err != nil {
		return err
	}
	return s.deleteStrays(ctx, line.seq)
}

func (s *Store) deleteStrays(ctx context.Context, upTo uint64) error {
	c, err := s.js.OrderedConsumer(ctx, s.stream("bodies"), jetstream.OrderedConsumerConfig{HeadersOnly: true, MaxResetAttempts: 1}) // as in follow
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

func (s *Store) needs(body uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.machine.bodies[body]
	return b != nil && b.needed > 0
}
