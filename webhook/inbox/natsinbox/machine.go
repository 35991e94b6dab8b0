package natsinbox

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A machine is what is in the inbox, without the bodies. It is what comes of the commands in the
// log, and of nothing else: everybody who reads the log has the same. Its clock is the time at
// which the server stored a command, and never goes back.
type machine struct {
	now        int64 // microseconds
	lastID     inbox.ID
	keys       map[keyHash]known
	deliveries map[inbox.ID]*record // those whose body is kept
	dead       map[inbox.ID]*record
	lanes      map[laneName]*lane
	queues     map[queueName]*queue
	holds      map[inbox.LeaseToken]*hold
	bodies     map[uint64]*shared // of the stream of bodies
	pieces     map[string]*pieces
	floor      uint64
	snap       snapshots

	// What the last command did, for whoever gave it.
	freed []uint64 // bodies that nothing needs any more
	ready bool     // something may have become ready
}

// A keyHash is a key as it is remembered: many of them have to fit into memory.
type keyHash [16]byte

func hashKey(key string) keyHash {
	sum := sha256.Sum256([]byte(key))
	return keyHash(sum[:16])
}

// A known is a remembered key.
type known struct {
	delivery inbox.ID
	doneAt   int64 // 0 as long as the record is not done
}

// A record is a delivery or an event, without a body.
type record struct {
	inbox.Record

	body   []part // of a delivery
	size   int    // of a delivery's body
	lane   *lane
	open   int  // of a delivery: its events that are neither done nor deleted
	split  bool // of a delivery: it is neither waiting nor dead
	reason string
	diedAt int64
}

// A shared is a message of the stream of bodies.
type shared struct {
	needed int // how many parts deliveries need
	came   int // how many parts have come into the inbox
}

// A snapshots says what snapshots there are, and who makes the next one.
type snapshots struct {
	Last, Before snapshotAt
	Maker        string
	Until        int64 // the maker's turn, in microseconds
}

// taken reports whether somebody has the turn to make the next one.
func (s snapshots) taken(now int64) bool { return s.Maker != "" && s.Until > now }

// A pieces is what there is of an entry that is too large for one message.
type pieces struct {
	Data  []byte
	Count int
	At    int64
}

// A result is what a command did, for whoever gave it.
type result struct {
	n     int
	batch inbox.Batch
	body  [][]part // of the batch's records
	err   error
}

func newMachine() *machine {
	return &machine{
		keys: map[keyHash]known{}, deliveries: map[inbox.ID]*record{}, dead: map[inbox.ID]*record{},
		lanes: map[laneName]*lane{}, queues: map[queueName]*queue{}, holds: map[inbox.LeaseToken]*hold{}, bodies: map[uint64]*shared{},
		pieces: map[string]*pieces{},
	}
}

// tick sets the clock.
func (m *machine) tick(at time.Time) { m.now = max(m.now, at.UnixMicro()) }

// run carries a command out.
func (m *machine) run(c command) result {
	switch {
	case c.Append != nil:
		return m.append(c.Append)
	case c.Claim != nil:
		return m.claim(*c.Claim)
	case c.Extend != nil:
		return result{err: m.extend(*c.Extend)}
	case c.Settle != nil:
		return result{err: m.settle(*c.Settle)}
	case c.Replay != nil:
		return result{n: m.exhume(c.Replay, m.replay)}
	case c.Purge != nil:
		return result{n: m.exhume(c.Purge, m.purge)}
	case c.Forget != nil:
		return result{n: m.forget(*c.Forget)}
	case c.Floor != 0:
		m.floor = max(m.floor, c.Floor)
		maps.DeleteFunc(m.bodies, func(seq uint64, b *shared) bool { return seq <= m.floor && b.needed == 0 })
	case c.Snapshot != "":
		return m.snapshotTurn(c.Snapshot)
	case c.Snapshotted != nil && c.Snapshotted.At > m.snap.Last.At:
		m.snap = snapshots{Last: *c.Snapshotted, Before: m.snap.Last}
	}
	return result{}
}

var errTooLate = errors.New("natsinbox: the delivery took longer on its way into the log than its body is kept; send it again")

// append stores deliveries. What is not stored leaves its body behind, to be deleted.
func (m *machine) append(list []appended) (res result) {
	for _, d := range list {
		for _, p := range d.Body {
			if p.Seq <= m.floor {
				return result{err: errTooLate}
			}
		}
	}
	for _, d := range list {
		for _, p := range d.Body {
			m.ref(p)
		}
	}
	for _, a := range list {
		if m.isKnown(a.Key, "") {
			m.unref(a.Body)
			continue
		}
		m.lastID++
		d := &record{body: a.Body, Record: inbox.Record{
			ID: m.lastID, Delivery: m.lastID, DedupKey: a.Key, Backfill: a.Bulk,
			ReceivedAt: time.UnixMicro(a.ReceivedAt).UTC(),
		}}
		for _, p := range a.Body {
			d.size += p.Size
		}
		m.deliveries[d.ID] = d
		m.remember(d.Record)
		m.enqueue(d)
		res.n++
	}
	return res
}

func (m *machine) isKnown(key, yieldsTo string) bool {
	if key != "" {
		if _, ok := m.keys[hashKey(key)]; ok {
			return true
		}
	}
	if yieldsTo == "" {
		return false
	}
	_, ok := m.keys[hashKey(yieldsTo)]
	return ok
}

func (m *machine) remember(rec inbox.Record) {
	if rec.DedupKey != "" {
		m.keys[hashKey(rec.DedupKey)] = known{delivery: rec.Delivery}
	}
}

// finish notes that the record of a key is done.
func (m *machine) finish(key string) {
	if k, ok := m.keys[hashKey(key)]; ok && key != "" {
		k.doneAt = m.now
		m.keys[hashKey(key)] = k
	}
}

// ref counts a part of a body as needed.
func (m *machine) ref(p part) {
	b := m.bodies[p.Seq]
	if b == nil {
		b = new(shared)
		m.bodies[p.Seq] = b
	}
	b.needed++
	b.came++
}

// unref counts parts of bodies as not needed. A message of which parts have not come yet stays; if
// they never come, a sweep finds it.
func (m *machine) unref(body []part) {
	for _, p := range body {
		b := m.bodies[p.Seq]
		if b.needed--; b.needed == 0 && b.came >= p.Of {
			delete(m.bodies, p.Seq)
			m.freed = append(m.freed, p.Seq)
		}
	}
}

// drop lets go of a delivery's body if nothing needs it any more.
func (m *machine) drop(id inbox.ID) {
	d := m.deliveries[id]
	if d == nil || !d.split || d.open > 0 {
		return
	}
	delete(m.deliveries, id)
	m.unref(d.body)
	m.finish(d.DedupKey)
}

// forget forgets the keys of what was done longer than keep ago.
func (m *machine) forget(keep int64) (n int) {
	for hash, k := range m.keys {
		if m.isOld(k, m.now-keep) {
			delete(m.keys, hash)
			n++
		}
	}
	for id, p := range m.pieces {
		if p.At < m.now-time.Hour.Microseconds() {
			delete(m.pieces, id) // whoever wrote them has died over it
		}
	}
	return n
}

// join puts a piece of an entry to those before it. It returns the entry once it is complete.
func (m *machine) join(id string, index, of int, data []byte) []byte {
	p := m.pieces[id]
	if index == 0 {
		p = new(pieces)
		m.pieces[id] = p
	}
	if p == nil || p.Count != index {
		delete(m.pieces, id)
		return nil
	}
	p.Data, p.Count, p.At = append(p.Data, data...), index+1, m.now
	if p.Count < of {
		return nil
	}
	delete(m.pieces, id)
	return p.Data
}

// isOld reports whether a key is of something that was done before a time, and whose body is gone.
func (m *machine) isOld(k known, limit int64) bool {
	return k.doneAt != 0 && k.doneAt < limit && m.deliveries[k.delivery] == nil
}

// exhume takes dead letters out and hands each, with its delivery, to fn.
func (m *machine) exhume(ids []inbox.ID, fn func(rec, delivery *record)) (n int) {
	for _, id := range ids {
		if rec := m.dead[id]; rec != nil {
			delete(m.dead, id)
			fn(rec, m.deliveries[rec.Delivery])
			n++
		}
	}
	return n
}

func (m *machine) replay(rec, d *record) {
	if rec.Kind == inbox.KindEvent {
		d.open--
		delete(m.keys, hashKey(rec.DedupKey))
	}
	if rec.Kind == inbox.KindDelivery || d.split {
		d.split, d.Attempts = false, 0
		m.enqueue(d)
	}
}

func (m *machine) purge(rec, d *record) {
	if rec.Kind == inbox.KindDelivery {
		d.split = true
	} else {
		d.open--
		m.finish(rec.DedupKey)
	}
	m.drop(d.ID)
}

// letters lists dead letters that f selects.
func (m *machine) letters(f inbox.Filter, after inbox.ID, limit int) (list []inbox.DeadLetter, bodies [][]part) {
	var ids []inbox.ID
	for id, rec := range m.dead {
		if id > after && (f.PhoneNumberID == "" || rec.PhoneNumberID == f.PhoneNumberID) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids[:min(len(ids), limit)] {
		rec := m.dead[id]
		list = append(list, inbox.DeadLetter{Record: rec.Record, Reason: rec.reason, DeadAt: time.UnixMicro(rec.diedAt).UTC()})
		bodies = append(bodies, m.deliveries[rec.Delivery].body)
	}
	return list, bodies
}

// stats counts, as of a time by the store's clock.
func (m *machine) stats(now int64) inbox.Stats {
	st := inbox.Stats{Dead: len(m.dead), DedupKeys: -1}
	for _, l := range m.lanes {
		n := len(l.records)
		switch {
		case l.name.queue.kind == inbox.KindDelivery:
			st.Deliveries += n
		case l.name.queue.bulk:
			st.Backfill += n
		default:
			st.Live += n
		}
		for _, rec := range l.records {
			age := time.UnixMicro(now).Sub(rec.ReceivedAt)
			st.Oldest = max(st.Oldest, age)
			if !rec.Backfill {
				st.OldestLive = max(st.OldestLive, age)
			}
		}
	}
	return st
}

// snapshotTurn lets one process at a time make a snapshot.
func (m *machine) snapshotTurn(node string) result {
	if m.snap.taken(m.now) {
		return result{}
	}
	m.snap.Maker, m.snap.Until = node, m.now+snapshotTurn.Microseconds()
	return result{n: 1}
}

const snapshotTurn = 5 * time.Minute
