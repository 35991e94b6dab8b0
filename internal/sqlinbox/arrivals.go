package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Arrivals are live deliveries in SQLite that were not claimed yet, all those of a commit in one
// row. A claim admits them to the table of deliveries, in rows of their own.
//
// Meta waits for the commit. A row for each delivery, with its index entries, would be three times
// as much to write, since keys are hashes and scattered over the index.

// arrive stores deliveries in one row. The caller adds their keys to the known ones after the
// commit.
func (s *Store) arrive(ctx context.Context, tx *sql.Tx, recs []inbox.Record) error {
	if len(recs) == 0 {
		return nil
	}
	heads, bodies, err := fold(recs)
	if err == nil {
		_, err = s.exec(ctx, tx, "INSERT INTO webhook_arrivals (received_at, deliveries, heads, bodies) VALUES "+
			"(?, ?, ?, ?)",
			recs[0].ReceivedAt.UnixMicro(), len(recs), heads, bodies)
	}
	return err
}

// admit turns the oldest arrivals into deliveries, until there are atLeast of them or they have
// maxBytes. It returns them, so that the caller can add their keys to the known ones after the
// commit.
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

// nextArrivals reads the row after last, and stores its ID in last.
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

// loadArrivals reads the keys of arrivals after a restart.
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
			if h.Key != "" {
				s.keys.arrive(hashKey(h.Key))
			}
		}
		return nil
	}, "SELECT id, heads FROM webhook_arrivals")
}

func damaged(row int64, err error) error {
	return fmt.Errorf("row %d of webhook_arrivals is damaged: %w", row, err)
}

// A head is the metadata of an arrival. The bodies of a row follow each other without separators.
type head struct {
	Key        string `json:"key,omitempty"`
	Number     string `json:"number,omitempty"`
	ReceivedAt int64  `json:"received_at"` // microseconds since 1970
	Size       int    `json:"size"`        // bytes of the body
}

func readHeads(text string) (heads []head, err error) {
	err = json.Unmarshal([]byte(text), &heads)
	return heads, err
}

// fold returns the two columns of a row of arrivals: heads as JSON, and the concatenated bodies.
func fold(recs []inbox.Record) (text string, bodies []byte, err error) {
	heads, size := make([]head, len(recs)), 0
	for i, rec := range recs {
		heads[i] = head{rec.DedupKey, string(rec.PhoneNumberID), rec.ReceivedAt.UnixMicro(), len(rec.Body)}
		size += len(rec.Body)
	}
	bodies = make([]byte, 0, size)
	for _, rec := range recs {
		bodies = append(bodies, rec.Body...)
	}
	list, err := json.Marshal(heads)
	return string(list), bodies, err
}

// unfold is the inverse of fold. The bodies share the bytes of the column.
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
			DedupKey: h.Key, PhoneNumberID: graph.PhoneNumberID(h.Number),
			ReceivedAt: time.UnixMicro(h.ReceivedAt).UTC(), Body: bodies[:h.Size:h.Size],
		}
		bodies = bodies[h.Size:]
	}
	return recs, nil
}
