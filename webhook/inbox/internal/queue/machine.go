package queue

import "time"

// A Machine is the state of an inbox. Make one with [New] or [Restore]. It is not safe for
// concurrent use: its owner has the lock.
type Machine struct {
	now    int64 // microseconds since 1970
	lastID ID
	keys   keyIndex

	deliveries map[ID]*record // those whose body is needed
	dead       deadIndex      // dead letters, deliveries and events
	lanes      map[laneID]*lane
	schedules  map[queueID]*schedule
	leases     map[Token]*lease
	lastTurn   int64 // given to a number in a ring

	onDrop func(delivery ID)
	ready  bool // since the last TakeReady
}

// New returns an empty machine. It calls onDrop, within a method that changes the state, when
// nothing needs the body of a delivery any more.
func New(onDrop func(delivery ID)) *Machine {
	return &Machine{
		keys:       keyIndex{entries: map[keyHash]keyEntry{}},
		deliveries: map[ID]*record{},
		dead:       newDeadIndex(),
		lanes:      map[laneID]*lane{},
		schedules:  map[queueID]*schedule{},
		leases:     map[Token]*lease{},
		onDrop:     onDrop,
	}
}

// Advance sets the clock to a time in microseconds since 1970, before an input of that time. The
// clock never goes back: an earlier time leaves it where it is.
func (m *Machine) Advance(now int64) {
	m.now = max(m.now, now)
	m.advance()
}

// Now returns the time that the machine was told last.
func (m *Machine) Now() int64 { return m.now }

// TakeReady reports whether something may have become claimable since its last call, other than by
// the passing of time. It is for waking those who wait, not a part of the state.
func (m *Machine) TakeReady() bool {
	ready := m.ready
	m.ready = false
	return ready
}

// Append stores a delivery whose body has so many bytes. Of rec, its Key, Backfill and ReceivedAt
// count. It returns the delivery's ID, or false if its key is known; then nothing has changed.
func (m *Machine) Append(rec Record, size int) (ID, bool) {
	if m.Known(rec.Key) {
		return 0, false
	}
	m.lastID++
	d := &record{StoredRecord: StoredRecord{Size: size, Record: Record{
		ID: m.lastID, Delivery: m.lastID, Kind: KindDelivery, Key: rec.Key, Backfill: rec.Backfill,
		ReceivedAt: rec.ReceivedAt,
	}}}
	m.deliveries[d.ID] = d
	m.keys.add(d.Record)
	m.enqueue(d)
	return d.ID, true
}

// Known reports whether a record with this key would be a duplicate.
func (m *Machine) Known(key string) bool { return m.keys.has(key) }

// dropIfDone forgets a delivery that is split and has no open event, which lets its body go. Its
// key expires from now on.
func (m *Machine) dropIfDone(id ID) {
	d := m.deliveries[id]
	if d == nil || d.State != split || d.Open > 0 {
		return
	}
	delete(m.deliveries, id)
	m.keys.finish(d.Key, m.now)
	m.onDrop(id)
}

// DeleteExpired forgets the keys of what was done before a time, and returns how many. The keys of
// a delivery whose body is still there stay, because a replay of it must find them.
func (m *Machine) DeleteExpired(before int64) (n int) {
	for hash, entry := range m.keys.entries {
		if m.expired(entry, before) {
			m.keys.removeHash(hash)
			n++
		}
	}
	return n
}

// HasExpired reports whether DeleteExpired would forget something.
func (m *Machine) HasExpired(before int64) bool {
	for _, entry := range m.keys.entries {
		if m.expired(entry, before) {
			return true
		}
	}
	return false
}

func (m *Machine) expired(entry keyEntry, before int64) bool {
	return entry.doneAt != 0 && entry.doneAt < before && m.deliveries[entry.delivery] == nil
}

// Stats counts what a machine holds.
type Stats struct {
	Deliveries     int // not split yet
	Live, Backfill int // events that are not handled yet
	Dead           int // dead letters
	DoneKeys       int // remembered keys of what is done

	// Oldest is the age of the oldest waiting record, OldestLive that of the oldest which is no
	// backfill; 0 if there is none.
	Oldest, OldestLive time.Duration
}

// Stats counts, with ages as of now. It looks at every waiting record.
func (m *Machine) Stats(now int64) Stats {
	st := Stats{Dead: len(m.dead.records), DoneKeys: m.keys.done}
	for _, l := range m.lanes {
		n := len(l.records)
		switch {
		case l.Kind == KindDelivery:
			st.Deliveries += n
		case l.Backfill:
			st.Backfill += n
		default:
			st.Live += n
		}
		for _, rec := range l.records {
			age := time.UnixMicro(now).Sub(time.UnixMicro(rec.ReceivedAt)) // Sub does not overflow
			st.Oldest = max(st.Oldest, age)
			if !rec.Backfill {
				st.OldestLive = max(st.OldestLive, age)
			}
		}
	}
	return st
}
