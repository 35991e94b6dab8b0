package sqlinbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// The arrivals are live deliveries in SQLite that nobody has claimed yet: all those of a commit in
// one row. They are admitted among the deliveries, in rows of their own, when somebody claims some.
//
// Meta waits for the commit. A row for each delivery, with entries in indexes, one of which is
// somewhere else for each key, is three times as much to write.
//
// No index has the keys of arrivals, so they are in memory. They decide what is counted as new.
// That no key is there twice is up to the index of the deliveries, when arrivals are admitted.
type arrivals struct {
	mu   sync.Mutex
	keys map[arrivedKey]struct{}
}

// An arrivedKey is a hash of a key: there may be many of them.
type arrivedKey [16]byte

func hashKey(key string) arrivedKey {
	sum := sha256.Sum256([]byte(key))
	return arrivedKey(sum[:])
}

func (a *arrivals) has(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.keys[hashKey(key)]
	return ok
}

func (a *arrivals) add(keys ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil {
		a.keys = map[arrivedKey]struct{}{}
	}
	for _, key := range keys {
		if key != "" {
			a.keys[hashKey(key)] = struct{}{}
		}
	}
}

func (a *arrivals) remove(recs []inbox.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rec := range recs {
		delete(a.keys, hashKey(rec.DedupKey))
	}
	if len(a.keys) == 0 {
		a.keys = nil // a map does not shrink
	}
}

// arrive stores deliveries in one row.
func (s *Store) arrive(ctx context.Context, tx *sql.Tx, recs []inbox.Record) error {
	if len(recs) == 0 {
		return nil
	}
	heads, bodies, err := fold(recs)
	if err == nil {
		_, err = s.exec(ctx, tx, "INSERT INTO webhook_arrivals (received_at, deliveries, heads, bodies) VALUES (?, ?, ?, ?)",
			recs[0].ReceivedAt.UnixMicro(), len(recs), heads, bodies)
	}
	return err
}

// admit makes deliveries of what arrived first: of so many at least, if there are as many, but of
// no more once they have so many bytes. It returns them. Their keys can be forgotten here once that
// is committed.
func (s *Store) admit(ctx context.Context, tx *sql.Tx, atLeast, maxBytes int) (admitted []inbox.Record, err error) {
	last, bytes := int64(0), 0
	for len(admitted) < atLeast && (maxBytes == 0 || bytes < maxBytes) {
		recs, err := s.nextArrivals(ctx, tx, &last)
		if err != nil {
			return nil, err
		}
		if len(recs) == 0 {
			break
		}
		for _, rec := range recs {
			bytes += len(rec.Body)
		}
		admitted = append(admitted, recs...)
	}
	if len(admitted) == 0 {
		return nil, nil
	}
	if err := s.insertUnknown(ctx, tx, admitted); err != nil {
		return nil, err
	}
	_, err = s.exec(ctx, tx, "DELETE FROM webhook_arrivals WHERE id <= ?", last)
	return admitted, err
}

// nextArrivals reads the row behind the last one.
func (s *Store) nextArrivals(ctx context.Context, q querier, last *int64) (recs []inbox.Record, err error) {
	err = s.read(ctx, q, func(rows *sql.Rows) error {
		var heads string
		var bodies []byte
		if err := rows.Scan(last, &heads, &bodies); err != nil {
			return err
		}
		var err error
		if recs, err = unfold(heads, bodies); err != nil {
			return damaged(*last, err)
		}
		return nil
	}, "SELECT id, heads, bodies FROM webhook_arrivals WHERE id > ? ORDER BY id LIMIT 1", *last)
	return recs, err
}

// loadArrivals finds out which keys have arrived, after a restart.
func (s *Store) loadArrivals(ctx context.Context) error {
	return s.read(ctx, s.db, func(rows *sql.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		heads, err := readHeads(text)
		if err != nil {
			return damaged(id, err)
		}
		for _, h := range heads {
			s.arrivals.add(h.Key)
		}
		return nil
	}, "SELECT id, heads FROM webhook_arrivals")
}

func damaged(row int64, err error) error {
	return fmt.Errorf("row %d of webhook_arrivals is damaged: %w", row, err)
}

// A head is what is kept of an arrived delivery beside its body. The bodies of a row follow each
// other, without anything between.
type head struct {
	Key        string `json:"key,omitempty"`
	ReceivedAt int64  `json:"received_at"` // microseconds since 1970
	Size       int    `json:"size"`
}

func readHeads(text string) (heads []head, err error) {
	err = json.Unmarshal([]byte(text), &heads)
	return heads, err
}

func fold(recs []inbox.Record) (text string, bodies []byte, err error) {
	heads, size := make([]head, len(recs)), 0
	for i, rec := range recs {
		heads[i] = head{rec.DedupKey, rec.ReceivedAt.UnixMicro(), len(rec.Body)}
		size += len(rec.Body)
	}
	bodies = make([]byte, 0, size)
	for _, rec := range recs {
		bodies = append(bodies, rec.Body...)
	}
	list, err := json.Marshal(heads)
	return string(list), bodies, err
}

func unfold(text string, bodies []byte) ([]inbox.Record, error) {
	heads, err := readHeads(text)
	if err != nil {
		return nil, err
	}
	recs := make([]inbox.Record, len(heads))
	for i, h := range heads {
		if h.Size < 0 || h.Size > len(bodies) {
			return nil, errors.New("the bodies are shorter than their heads say")
		}
		recs[i] = inbox.Record{
			DedupKey: h.Key, ReceivedAt: time.UnixMicro(h.ReceivedAt).UTC(), Body: bodies[:h.Size:h.Size],
		}
		bodies = bodies[h.Size:]
	}
	return recs, nil
}
