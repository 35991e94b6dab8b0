package queue

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// A Snapshot is a machine as data. Its JSON is deterministic once it is sorted.
type Snapshot struct {
	Now      int64            `json:"now"`                // the clock
	LastID   ID               `json:"last_id"`            // given to a record
	LastTurn int64            `json:"last_turn,omitzero"` // given to a number
	Keys     []byte           `json:"keys"`               // storedKeySize bytes each: hash, delivery, doneAt
	Records  []StoredRecord   `json:"records"`            // of all states
	Lanes    []StoredLane     `json:"lanes"`              // of waiting records
	Lost     []Token          `json:"lost,omitzero"`      // leases that lost a lane
	Queues   []StoredSchedule `json:"queues"`             // all four
}

// A StoredSchedule is a schedule without its lanes.
type StoredSchedule struct {
	Messages   []StoredTurn `json:"messages,omitzero"`
	Statuses   []StoredTurn `json:"statuses,omitzero"`
	PassedOver int          `json:"passed_over,omitzero"`
}

const storedKeySize = 16 + 8 + 8

// Snapshot copies the state. The copy shares nothing with the machine that changes, so that its
// owner can encode it without holding the lock. It is not sorted.
func (m *Machine) Snapshot() Snapshot {
	s := Snapshot{
		Now: m.now, LastID: m.lastID, LastTurn: m.lastTurn, Keys: make([]byte, 0, len(m.keys.entries)*storedKeySize),
	}
	for hash, entry := range m.keys.entries {
		s.Keys = append(s.Keys, hash[:]...)
		s.Keys = binary.BigEndian.AppendUint64(s.Keys, uint64(entry.delivery))
		s.Keys = binary.BigEndian.AppendUint64(s.Keys, uint64(entry.doneAt))
	}
	for _, d := range m.deliveries {
		if d.State == split { // the others are in a lane, or dead
			s.Records = append(s.Records, d.StoredRecord)
		}
	}
	for _, rec := range m.dead.records {
		s.Records = append(s.Records, rec.StoredRecord)
	}
	for _, l := range m.lanes {
		for _, rec := range l.records {
			s.Records = append(s.Records, rec.StoredRecord)
		}
		stored := l.StoredLane
		stored.Leased = slices.Clone(l.Leased)
		s.Lanes = append(s.Lanes, stored)
	}
	for token, held := range m.leases {
		if held.lost {
			s.Lost = append(s.Lost, token)
		}
	}
	for _, id := range queueIDs {
		q := m.schedule(id)
		s.Queues = append(s.Queues, StoredSchedule{q.messages.snapshot(), q.statuses.snapshot(), q.passedOver})
	}
	return s
}

// Sort puts everything in an order that follows from the state alone, so that equal machines have
// equal bytes. The records of a lane are then in the order of the lane.
func (s *Snapshot) Sort() {
	s.Keys = slices.Concat(slices.SortedFunc(slices.Chunk(s.Keys, storedKeySize), bytes.Compare)...)
	slices.SortFunc(s.Records, func(a, b StoredRecord) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Lanes, func(a, b StoredLane) int { return cmp.Compare(a.Creator, b.Creator) })
	slices.Sort(s.Lost)
	for _, q := range s.Queues {
		for _, turns := range [][]StoredTurn{q.Messages, q.Statuses} {
			slices.SortFunc(turns, func(a, b StoredTurn) int { return cmp.Compare(a.At, b.At) })
		}
	}
}

var errDamaged = errors.New("inbox: the snapshot is damaged: its records, lanes and keys do not fit together")

// Restore returns the machine of a snapshot, which goes on as the first one would. onDrop is as in
// [New]. A snapshot whose parts do not fit together is an error.
func Restore(s Snapshot, onDrop func(delivery ID)) (*Machine, error) {
	if len(s.Keys)%storedKeySize != 0 {
		return nil, errDamaged
	}
	m := New(onDrop)
	m.now, m.lastID, m.lastTurn = s.Now, s.LastID, s.LastTurn
	for key := range slices.Chunk(s.Keys, storedKeySize) {
		entry := keyEntry{ID(binary.BigEndian.Uint64(key[16:])), int64(binary.BigEndian.Uint64(key[24:]))}
		m.keys.entries[keyHash(key[:16])] = entry
		if entry.doneAt != 0 {
			m.keys.done++
		}
	}
	for _, stored := range s.Lanes {
		if !m.restoreLane(stored) {
			return nil, errDamaged
		}
	}
	slices.SortFunc(s.Records, func(a, b StoredRecord) int { return cmp.Compare(a.ID, b.ID) }) // for the lanes
	for _, stored := range s.Records {
		if !m.restoreRecord(stored) {
			return nil, errDamaged
		}
	}
	for _, token := range s.Lost {
		if held := m.leases[token]; held != nil {
			held.lost = true
		}
	}
	if !m.consistent() || !m.restoreSchedules(s.Queues) {
		return nil, errDamaged
	}
	m.lastTurn = s.LastTurn
	return m, nil
}

// restoreLane reports whether there was no such lane before.
func (m *Machine) restoreLane(stored StoredLane) bool {
	l := &lane{StoredLane: stored}
	if m.lanes[l.laneID] != nil {
		return false
	}
	m.lanes[l.laneID] = l
	if l.Token != "" {
		m.grant(l.Token, l, l.Leased)
	}
	return true
}

// restoreRecord reports whether there is a place for the record.
func (m *Machine) restoreRecord(stored StoredRecord) bool {
	rec := &record{StoredRecord: stored}
	if rec.Kind == KindDelivery {
		m.deliveries[rec.ID] = rec
	}
	switch rec.State {
	case waiting:
		rec.lane = m.lanes[laneID{rec.queueID(), rec.Lane}]
		if rec.lane == nil {
			return false
		}
		rec.lane.records = append(rec.lane.records, rec)
		if !rec.Status {
			rec.lane.messages++
		}
		return true
	case dead:
		m.dead.add(rec)
		return true
	case split:
		return rec.Kind == KindDelivery
	}
	return false
}

// restoreSchedules places all lanes, and gives the numbers their turns. It reports whether there is
// a turn for each number with ready lanes, and no other.
func (m *Machine) restoreSchedules(stored []StoredSchedule) bool {
	if len(stored) != len(queueIDs) {
		return false
	}
	for _, l := range m.lanes { // in any order: the turns do not stay
		m.place(l)
	}
	for i, id := range queueIDs {
		s := m.schedule(id)
		s.passedOver = stored[i].PassedOver
		if !s.messages.restore(stored[i].Messages) || !s.statuses.restore(stored[i].Statuses) {
			return false
		}
	}
	return true
}

// consistent reports whether what other methods rely on is there: the delivery of each record, and
// the leased records of each lane.
func (m *Machine) consistent() bool {
	for _, rec := range m.dead.records {
		if m.deliveries[rec.Delivery] == nil {
			return false
		}
	}
	for _, l := range m.lanes {
		if len(l.records) == 0 || l.Token != "" && len(l.Leased) == 0 {
			return false
		}
		for _, rec := range l.records {
			if m.deliveries[rec.Delivery] == nil {
				return false
			}
		}
		for _, id := range l.Leased {
			if l.find(id) == nil {
				return false
			}
		}
	}
	return true
}
