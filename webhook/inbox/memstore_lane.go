package inbox

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"time"
)

// A memQueueName is one of the four queues of a MemStore.
type memQueueName struct {
	kind Kind
	bulk bool
}

type memLaneName struct {
	queue memQueueName
	lane  string
}

// A memLane is what has to be in order: records that are not settled.
type memLane struct {
	name    string
	queue   memQueueName
	records []*memRecord
	next    time.Time  // when the lane can be claimed: the end of a pause, or of a lease
	token   LeaseToken // who holds it; whoever claims it after the lease has ended takes it away
	held    []ID       // what of the batch is not settled
	place   int        // in the queue
}

// A memQueue is a heap of lanes: first the one that can be claimed first.
type memQueue []*memLane

func (q memQueue) Len() int           { return len(q) }
func (q memQueue) Less(i, j int) bool { return q[i].next.Before(q[j].next) }
func (q memQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push adds a lane, for package heap.
func (q *memQueue) Push(lane any) { //nolint:forcetypeassert // package heap hands over what it was handed
	lane.(*memLane).place = len(*q)
	*q = append(*q, lane.(*memLane))
}

// Pop takes the last lane away, for package heap.
func (q *memQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (s *MemStore) queue(name memQueueName) *memQueue {
	q := s.queues[name]
	if q == nil {
		q = new(memQueue)
		s.queues[name] = q
	}
	return q
}

// enqueue puts a record at its place in its lane.
func (s *MemStore) enqueue(rec *memRecord) {
	name := memLaneName{memQueueName{rec.Kind, rec.Backfill}, rec.Lane}
	lane := s.lanes[name]
	if lane == nil {
		lane = &memLane{name: rec.Lane, queue: name.queue, next: time.Now()}
		s.lanes[name] = lane
		heap.Push(s.queue(name.queue), lane)
	}
	rec.lane = lane
	i := len(lane.records) // what was replayed belongs further to the front
	for i > 0 && lane.records[i-1].ID > rec.ID {
		i--
	}
	lane.records = slices.Insert(lane.records, i, rec)
}

// A memHold is what a token holds.
type memHold struct {
	lanes []*memLane
	lost  bool // somebody else took a lane after the lease had ended
}

// let takes a lane out of its hold.
func (s *MemStore) let(lane *memLane) {
	hold := s.holds[lane.token]
	hold.lanes = slices.DeleteFunc(hold.lanes, func(l *memLane) bool { return l == lane })
	if len(hold.lanes) == 0 {
		delete(s.holds, lane.token)
	}
}

// fence takes a lane away from whoever did not settle it in time.
func (s *MemStore) fence(lane *memLane) {
	if lane.token != "" {
		s.holds[lane.token].lost = true
		s.let(lane)
	}
}

// free ends the hold on a lane, which can be claimed again at next.
func (s *MemStore) free(lane *memLane, next time.Time) {
	s.let(lane)
	lane.token, lane.held, lane.next = "", nil, next
	q := s.queue(lane.queue)
	if len(lane.records) == 0 {
		heap.Remove(q, lane.place)
		delete(s.lanes, memLaneName{lane.queue, lane.name})
		return
	}
	heap.Fix(q, lane.place)
}

var errOutOfOrder = errors.New("inbox: the outcomes of a lane are not in its order; settle its records one after the other")

// Settle implements [Store].
func (s *MemStore) Settle(ctx context.Context, token LeaseToken, outcomes []Settlement) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	recs, err := s.settled(token, outcomes)
	if err != nil {
		return err
	}
	for i, out := range outcomes {
		s.settle(recs[i], out)
	}
	return nil
}

// settled returns the records that the outcomes are about, if the token holds them all.
func (s *MemStore) settled(token LeaseToken, outcomes []Settlement) ([]*memRecord, error) {
	hold := s.holds[token]
	if hold == nil {
		return nil, ErrLeaseLost
	}
	held := map[*memLane][]ID{}
	recs := make([]*memRecord, len(outcomes))
	for i, out := range outcomes {
		for _, lane := range hold.lanes {
			if !slices.Contains(lane.held, out.ID) {
				continue
			}
			ids, seen := held[lane]
			if !seen {
				ids = lane.held
			}
			if len(ids) == 0 || ids[0] != out.ID {
				return nil, errOutOfOrder
			}
			if held[lane] = ids[1:]; out.Disposition == DispositionRetry || out.Disposition == DispositionRelease {
				held[lane] = []ID{}
			}
			recs[i] = lane.records[slices.IndexFunc(lane.records, func(r *memRecord) bool { return r.ID == out.ID })]
		}
		if recs[i] == nil {
			return nil, ErrLeaseLost
		}
	}
	return recs, nil
}

func (s *MemStore) settle(rec *memRecord, out Settlement) {
	lane, now := rec.lane, time.Now()
	switch out.Disposition {
	case DispositionRetry:
		rec.Attempts++
		rec.reason = out.Reason
		s.free(lane, now.Add(out.RetryAfter))
		return
	case DispositionRelease:
		s.free(lane, now)
		return
	case DispositionDone:
		if rec.Kind == KindDelivery {
			s.splitUp(rec, out)
			break
		}
		s.finish(rec.DedupKey)
		s.deliveries[rec.Delivery].open--
	case DispositionDead:
		rec.reason, rec.diedAt = out.Reason, now
		s.dead[rec.ID] = rec
	}
	lane.records = slices.DeleteFunc(lane.records, func(r *memRecord) bool { return r == rec })
	if lane.held = lane.held[1:]; len(lane.held) == 0 {
		s.free(lane, now)
	}
	s.drop(rec.Delivery)
}

// splitUp stores the events of a delivery.
func (s *MemStore) splitUp(d *memRecord, out Settlement) {
	d.split = true
	if out.DropKey {
		delete(s.keys, d.DedupKey)
	}
	for _, rec := range out.Events {
		if s.known(rec) {
			continue
		}
		s.lastID++
		rec.ID, rec.Delivery, rec.Kind, rec.ReceivedAt, rec.Body = s.lastID, d.ID, KindEvent, d.ReceivedAt, nil
		s.remember(rec)
		d.open++
		s.enqueue(&memRecord{Record: rec})
	}
}
