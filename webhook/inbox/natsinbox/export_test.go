package natsinbox

import (
	"context"
	"time"
)

// OpenWith is OpenStore with a snapshot after so many bytes of the log, and strays after such a time.
func OpenWith(ctx context.Context, cfg Config, snapshotBytes int64, strayAge time.Duration) (*Store, error) {
	return open(ctx, cfg, snapshotBytes, strayAge)
}

// Dump returns everything that the store knows, in an order of its own, after it has caught up, and where in the log that was.
func (s *Store) Dump(ctx context.Context) (string, uint64, error) {
	if err := s.catchUp(ctx); err != nil {
		return "", 0, err
	}
	s.mu.Lock()
	d, at := s.machine.dump(), s.at
	s.mu.Unlock()
	data, err := d.encode()
	return string(data), at, err
}

// Snapshot makes one now.
func (s *Store) Snapshot(ctx context.Context) error { return s.snapshot(ctx) }

// StoreBody stores a body that no delivery follows.
func (s *Store) StoreBody(ctx context.Context, body []byte) error {
	_, err := s.bodies.store(ctx, [][]byte{body})
	return err
}
