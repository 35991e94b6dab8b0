package natsinbox

import (
	"context"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// OpenWith is OpenStore with a snapshot after so many bytes of the log, and another age of orphans.
func OpenWith(ctx context.Context, cfg Config, snapshotBytes int64, orphanAge time.Duration) (*Store, error) {
	return open(ctx, cfg, snapshotBytes, orphanAge)
}

// Dump returns the state of the store as a snapshot has it, once it has caught up, and the last
// message of the log in it.
func (s *Store) Dump(ctx context.Context) (string, uint64, error) {
	if err := s.catchUp(ctx); err != nil {
		return "", 0, err
	}
	s.mu.Lock()
	d, at := s.machine.snapshot(), s.at
	s.mu.Unlock()
	data, err := d.encode()
	return string(data), at, err
}

// Snapshot makes one now.
func (s *Store) Snapshot(ctx context.Context) error { return s.writeSnapshot(ctx) }

// AppendLate stores two deliveries whose bodies share a message, and has between run after the
// first is in the log, and before the second.
func (s *Store) AppendLate(ctx context.Context, first, second inbox.Record, between func()) error {
	parts, err := s.bodies.store(ctx, [][]byte{first.Body, second.Body}, false)
	if err != nil {
		return err
	}
	for i, rec := range []inbox.Record{first, second} {
		if _, err := s.writer.do(ctx, command{Append: []appended{{
			queue.Record{Key: rec.DedupKey}, parts[i],
		}}}); err != nil {
			return err
		}
		if i == 0 {
			between()
		}
	}
	return nil
}

// StoreBody stores a body that no delivery follows.
func (s *Store) StoreBody(ctx context.Context, body []byte) error {
	_, err := s.bodies.store(ctx, [][]byte{body}, false)
	return err
}
