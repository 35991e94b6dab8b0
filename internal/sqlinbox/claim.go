package sqlinbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A queue is one of the four: deliveries and events, live and backfill.
type queue struct {
	kind inbox.Kind
	bulk int64 // 1 for the backfill: the column bulk
}

// newToken returns a token that names its queue, so that a settlement uses the right tables and
// priority.
func newToken(q queue) inbox.LeaseToken {
	return inbox.LeaseToken(fmt.Sprintf("%d.%d.%s", q.kind, q.bulk, rand.Text()))
}

// queueOf returns the queue of a token of newToken, and false for any other text.
func queueOf(t inbox.LeaseToken) (q queue, ok bool) {
	kind, rest, _ := strings.Cut(string(t), ".")
	bulk, _, found := strings.Cut(rest, ".")
	k, err1 := strconv.Atoi(kind)
	b, err2 := strconv.ParseInt(bulk, 10, 64)
	return queue{inbox.Kind(k), b}, found && err1 == nil && err2 == nil
}

// deliveryID and eventID map the IDs of two tables, which both count from 1, to one range of public
// IDs: even for a delivery, odd for an event.
func deliveryID(n int64) inbox.ID { return inbox.ID(2 * n) }
func eventID(n int64) inbox.ID    { return inbox.ID(2*n + 1) }

// Claim implements [inbox.Store]. Most claims find nothing, so it looks first without a
// transaction. Large bodies are read after the commit, because other transactions would wait
// meanwhile; if that fails, the records are released.
func (s *Store) Claim(ctx context.Context, req inbox.ClaimRequest) (b inbox.Batch, err error) {
	q := queue{req.Kind, number(req.Backfill)}
	found, err := s.look(ctx, s.db, q, req)
	if err != nil || !found.serves(req) {
		return found.emptyBatch(), explain("Claim", err)
	}
	var admitted []inbox.Record
	last := s.turns.of(q)
	err = s.write(ctx, "Claim", req.Backfill, func(tx *sql.Tx) error {
		b = inbox.Batch{LeaseToken: newToken(q), Quarantined: found.quarantined}
		if q.kind == inbox.KindDelivery {
			b.Records, admitted, last, err = s.claimDeliveries(ctx, tx, q, b.LeaseToken, req)
		} else {
			last, err = s.claimEvents(ctx, tx, q, req, found, &b)
		}
		return err
	})
	if err != nil {
		return inbox.Batch{}, err
	}
	s.keys.add(hashesOf(admitted)...)
	s.turns.set(q, last)
	if len(b.Records) == 0 || req.Quarantine { // another process has claimed it, or it is in quarantine
		found, err := s.look(ctx, s.db, q, req)
		if len(b.Records) == 0 || err != nil {
			return found.emptyBatch(), explain("Claim", err)
		}
		b.Quarantined = found.quarantined
	}
	missing, err := s.loadBodies(ctx, b.Records)
	if err != nil {
		outs := make([]inbox.Settlement, len(b.Records))
		for i, rec := range b.Records {
			outs[i] = inbox.Settlement{ID: rec.ID, Disposition: inbox.DispositionRelease}
		}
		_ = s.Settle(context.WithoutCancel(ctx), b.LeaseToken, outs) // if this fails, they come again after the lease
		return inbox.Batch{}, explain("Claim", err)
	}
	if missing {
		return inbox.Batch{}, nil
	}
	return b, nil
}

// A sighting is the result of a look at a queue.
type sighting struct {
	ready       bool          // a lane can be claimed
	numbers     [2][]string   // of ready lanes, by class, in the order of their turns
	due         bool          // a lease or a pause has ended
	quarantined bool          // a lane in quarantine can be claimed
	wait        time.Duration // until the next lease or pause ends; 0 if there is none
}

// serves reports whether a claim may find something.
func (f sighting) serves(req inbox.ClaimRequest) bool {
	if req.Quarantine {
		return req.Kind == inbox.KindEvent && (f.quarantined || f.due)
	}
	return f.ready || f.due
}

func (f sighting) emptyBatch() inbox.Batch {
	return inbox.Batch{Drained: !f.ready && !f.due, Wait: f.wait, Quarantined: f.quarantined}
}

// smallBody is the body of a delivery in a claim, if it is so small that loading it later would
// take longer; else NULL.
const smallBody = "CASE WHEN d.size <= 4096 THEN d.body END"

// loadBodies loads the bodies of the records' deliveries that the claim did not bring. Events of
// one delivery share its bytes. missing says that a body was deleted: the lease has ended and
// another worker has settled the records.
func (s *Store) loadBodies(ctx context.Context, recs []inbox.Record) (missing bool, err error) {
	bodies := map[int64][]byte{}
	var ids []int64
	for i, rec := range recs {
		id := int64(rec.Delivery) / 2
		if body, ok := bodies[id]; ok {
			recs[i].Body = body
			continue
		}
		if bodies[id] = rec.Body; rec.Body == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return false, nil
	}
	found := 0
	among, arg := s.db.Dialect.Among("id", ids)
	err = s.read(ctx, s.db, func(rows *sql.Rows) error {
		var id int64
		var body []byte
		err := rows.Scan(&id, &body)
		bodies[id] = body
		found++
		return err
	}, "SELECT id, body FROM webhook_deliveries WHERE body IS NOT NULL AND "+among, arg)
	for i := range recs {
		recs[i].Body = bodies[int64(recs[i].Delivery)/2]
	}
	return found < len(ids), err
}
