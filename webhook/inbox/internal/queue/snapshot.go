package queue

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"slices"
)

// A Snapshot is a machine as data. Its JSON is deterministic once it is sorted.
type Snapshot struct {
	Now     int64         `json:"now"`
	LastID  ID            `json:"last_id"`
	Keys    []byte        `json:"keys"` // savedKeySize bytes each: hash, delivery, doneAt
	Records []SavedRecord `json:"records"`
	Lanes   []SavedLane   `json:"lanes"`
	Lost    []Token       `json:"lost,omitzero"` // leases that lost a lane
}

// A SavedRecord is a record of a snapshot.
type SavedRecord struct {
	Record

	State  state  `json:"state,omitzero"`
	Size   int    `json:"size,omitzero"`
	Open   int    `json:"open,omitzero"`
	Reason string `json:"reason,omitzero"`
	DeadAt int64  `json:"dead_at,omitzero"`
}

// A SavedLane is a lane of a snapshot. Which records it has follows from the records.
type SavedLane struct {
	Kind     Kind   `json:"kind,omitzero"`
	Backfill bool   `json:"bulk,omitzero"`
	Lane     string `json:"lane,omitzero"`
	ReadyAt  int64  `json:"ready_at"`
	Creator  ID     `json:"creator"`
	Token    Token  `json:"token,omitzero"`
	Leased   []ID   `json:"leased,omitzero"`
}

const savedKeySize = 16 + 8 + 8

// Snapshot copies the state. The copy shares nothing with the machine that changes, so that its
// owner can encode it without holding the lock. It is not sorted.
func (m *Machine) Snapshot() Snapshot {
	s := Snapshot{Now: m.now, LastID: m.lastID, Keys: make([]byte, 0, len(m.keys.entries)*savedKeySize)}
	for hash, entry := range m.keys.entries {
		s.Keys = append(s.Keys, hash[:]...)
		s.Keys = binary.BigEndian.AppendUint64(s.Keys, uint64(entry.delivery))
		s.Keys = binary.BigEndian.AppendUint64(s.Keys, uint64(entry.doneAt))
	}
	save := func(rec *record) {
		s.Records = append(s.Records, SavedRecord{rec.Record, rec.state, rec.size, rec.open, rec.reason, rec.deadAt})
	}
	for _, d := range m.deliveries {
		if d.state == split { // the others are in a lane, or dead
			save(d)
		}
	}
	for _, rec := range m.dead {
		save(rec)
	}
	for id, l := range m.lanes {
		for _, rec := range l.records {
			save(rec)
		}
		s.Lanes = append(s.Lanes, SavedLane{
			id.queue.kind, id.queue.backfill, id.name, l.readyAt, l.creator, l.token, slices.Clone(l.leased),
		})
	}
	for token, h := range m.leases {
		if h.lost {
			s.Lost = append(s.Lost, token)
		}
	}
	return s
}

// Sort puts everything in an order that follows from the state alone, so that equal machines have
// equal bytes. The records of a lane are then in the order of the lane.
func (s *Snapshot) Sort() {
	s.Keys = slices.Concat(slices.SortedFunc(slices.Chunk(s.Keys, savedKeySize), bytes.Compare)...)
	slices.SortFunc(s.Records, func(a, b SavedRecord) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Lanes, func(a, b SavedLane) int { return cmp.Compare(a.Creator, b.Creator) })
	slices.Sort(s.Lost)
}

var errDamaged = errors.New("inbox: the snapshot is damaged: its records, lanes and keys do not fit together")

// Restore returns the machine of a snapshot, which goes on as the first one would. onDrop is as in
// [New]. A snapshot whose parts do not fit together is an error.
func Restore(s Snapshot, onDrop func(delivery ID)) (*Machine, error) {
	if len(s.Keys)%savedKeySize != 0 {
		return nil, errDamaged
	}
	m := New(onDrop)
	m.now, m.lastID = s.Now, s.LastID
	for key := range slices.Chunk(s.Keys, savedKeySize) {
		entry := keyEntry{ID(binary.BigEndian.Uint64(key[16:])), int64(binary.BigEndian.Uint64(key[24:]))}
		m.keys.entries[keyHash(key[:16])] = entry
		if entry.doneAt != 0 {
			m.keys.done++
		}
	}
	for _, saved := range s.Lanes {
		if !m.restoreLane(saved) {
			return nil, errDamaged
		}
	}
	slices.SortFunc(s.Records, func(a, b SavedRecord) int { return cmp.Compare(a.ID, b.ID) }) // for the lanes
	for _, saved := range s.Records {
		if !m.restoreRecord(saved) {
			return nil, errDamaged
		}
	}
	for _, token := range s.Lost {
		if h := m.leases[token]; h != nil {
			h.lost = true
		}
	}
	if !m.consistent() {
		return nil, errDamaged
	}
	return m, nil
}

// restoreLane reports whether there was no such lane before.
func (m *Machine) restoreLane(saved SavedLane) bool {
	l := &lane{
		id: laneID{queueID{saved.Kind, saved.Backfill}, saved.Lane}, readyAt: saved.ReadyAt, creator: saved.Creator,
	}
	if m.lanes[l.id] != nil {
		return false
	}
	m.lanes[l.id] = l
	heap.Push(m.schedule(l.id.queue), l)
	if saved.Token != "" {
		m.grant(saved.Token, l, saved.Leased)
	}
	return true
}

// restoreRecord reports whether there is a place for the record.
func (m *Machine) restoreRecord(saved SavedRecord) bool {
	rec := &record{
		Record: saved.Record, state: saved.State, size: saved.Size, open: saved.Open, reason: saved.Reason,
		deadAt: saved.DeadAt,
	}
	if rec.Kind == KindDelivery {
		m.deliveries[rec.ID] = rec
	}
	switch rec.state {
	case waiting:
		rec.lane = m.lanes[laneID{rec.queueID(), rec.Lane}]
		if rec.lane == nil {
			return false
		}
		rec.lane.records = append(rec.lane.records, rec)
	case dead:
		m.dead[rec.ID] = rec
	case split:
		return rec.Kind == KindDelivery
	default:
		return false
	}
	return true
}

// consistent reports whether what other methods rely on is there: the delivery of each record, and
// the leased records of each lane.
func (m *Machine) consistent() bool {
	for _, rec := range m.dead {
		if m.deliveries[rec.Delivery] == nil {
			return false
		}
	}
	for _, l := range m.lanes {
		if len(l.records) == 0 || l.token != "" && len(l.leased) == 0 {
			return false
		}
		for _, rec := range l.records {
			if m.deliveries[rec.Delivery] == nil {
				return false
			}
		}
		for _, id := range l.leased {
			if l.find(id) == nil {
				return false
			}
		}
	}
	return true
}
