package natsinbox

import (
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// A machine is the state of the inbox: the queue, and what only an inbox in streams has. It follows
// from the commands in the log and the times at which the server stored them, and from nothing
// else, so all processes that read the log have the same.
type machine struct {
	queue     *queue.Machine
	bodies    *bodyRefs
	partial   map[string]*partialEntry
	snapshots snapshotTurns
}

// A snapshotTurns says which snapshots there are, and which process may make the next one. The log
// is kept from the one before the last, for processes that are reading that one.
type snapshotTurns struct {
	Last, Before snapshotRef
	Maker        string // the node whose turn it is, or was
	Until        int64  // when the turn ends, in microseconds
}

// taken reports whether a process has the turn.
func (s snapshotTurns) taken(now int64) bool { return s.Maker != "" && s.Until > now }

// A partialEntry is the beginning of an entry that is too large for one message: a delivery can be
// split into thousands of events, and they are stored together or not at all.
type partialEntry struct {
	Data  []byte
	Count int   // messages so far
	At    int64 // when the last one came, in microseconds
}

// A result is what a command did, for the process that wrote it.
type result struct {
	n     int         // records stored, letters found, keys forgotten, or 1 for yes
	batch inbox.Batch // of a claim, without bodies
	parts [][]part    // where the bodies of the batch's records lie
	err   error       // why the command did nothing
}

// newMachine is the state before the first command.
func newMachine() *machine {
	refs := newBodyRefs()
	return &machine{queue: queue.New(refs.drop), bodies: refs, partial: map[string]*partialEntry{}}
}

// advance sets the clock to the time at which the server stored a message of the log.
func (m *machine) advance(at time.Time) { m.queue.Advance(at.UnixMicro()) }

// apply carries out a command. A command without a member that this release knows does nothing.
func (m *machine) apply(c command) result {
	switch {
	case c.Append != nil:
		return m.append(c.Append)
	case c.Claim != nil:
		return m.claim(*c.Claim)
	case c.Extend != nil:
		return result{err: m.queue.Extend(c.Extend.Token, c.Extend.Lease)}
	case c.Settle != nil:
		return result{err: m.queue.Settle(c.Settle.Token, c.Settle.Outcomes)}
	case c.Replay != nil:
		return result{n: m.queue.Replay(c.Replay)}
	case c.Delete != nil:
		return result{n: m.queue.Delete(c.Delete)}
	case c.Forget != nil:
		m.dropPartial()
		return result{n: m.queue.DeleteExpired(m.queue.Now() - *c.Forget)}
	case c.Erase != nil:
		busy := 0
		if m.queue.Forget(c.Erase.Number, c.Erase.Lanes) {
			busy = 1
		}
		return result{n: busy}
	case c.Replace != nil:
		return m.replace(*c.Replace)
	case c.LowWatermark != 0:
		m.bodies.raise(c.LowWatermark)
	case c.Snapshot != "":
		return m.takeSnapshotTurn(c.Snapshot)
	case c.Snapshotted != nil && c.Snapshotted.At > m.snapshots.Last.At: // an older one is late, and of no use
		m.snapshots = snapshotTurns{Last: *c.Snapshotted, Before: m.snapshots.Last}
	}
	return result{}
}

var errTooLate = errors.New(
	"natsinbox: the delivery took longer on its way into the log than its body is kept; send it again",
)

// append stores deliveries, all or, if the body of one may be gone, none: then their sender gets an
// error and sends them again, with new bodies. The body of a delivery that is known already is
// released at once.
func (m *machine) append(list []appended) (res result) {
	for _, d := range list {
		if m.bodies.tooLate(d.Body) {
			return result{err: errTooLate}
		}
	}
	// All parts arrive before the first is released: bodies of this command can share a message.
	for _, d := range list {
		m.bodies.arrive(d.Body)
	}
	for _, d := range list {
		size := 0 // of the body, for limits of claims
		for _, p := range d.Body {
			size += p.Size
		}
		id, ok := m.queue.Append(d.Record, size)
		if !ok {
			m.bodies.release(d.Body)
			continue
		}
		if len(d.Body) > 0 {
			m.bodies.parts[id] = d.Body
		}
		res.n++
	}
	return res
}

// claim leases records, and says where their bodies lie. An empty batch has no token.
func (m *machine) claim(c queue.Claim) (res result) {
	for _, rec := range m.queue.Claim(c) {
		res.batch.Records = append(res.batch.Records, fromQueue(rec))
		res.parts = append(res.parts, m.bodies.parts[rec.Delivery])
	}
	res.batch.Quarantined = m.queue.Quarantined(c.Kind, c.Backfill)
	if len(res.batch.Records) > 0 {
		res.batch.LeaseToken = inbox.LeaseToken(c.Token)
		return res
	}
	res.batch.Wait, _ = m.queue.Wait(c, m.queue.Now())
	return res
}

// deadLetters lists dead letters that f selects, without bodies, and where those lie.
func (m *machine) deadLetters(f inbox.Filter, after inbox.ID, limit int) (list []inbox.DeadLetter, parts [][]part) {
	for _, l := range m.queue.DeadLetters(f.PhoneNumberID, queue.ID(after), limit) {
		list = append(list, inbox.DeadLetter{
			Record: fromQueue(l.Record), Reason: l.Reason, DeadAt: time.UnixMicro(l.DeadAt).UTC(),
		})
		parts = append(parts, m.bodies.parts[l.Delivery])
	}
	return list, parts
}

// stats counts everything but keys, with ages as of now.
func (m *machine) stats(now int64) inbox.Stats {
	st := m.queue.Stats(now)
	return inbox.Stats{
		Deliveries: st.Deliveries, Live: st.Live, Backfill: st.Backfill, Dead: st.Dead, DedupKeys: -1,
		Oldest: st.Oldest, OldestLive: st.OldestLive,
	}
}

// join appends a message of an entry that has several to those before it. It returns the entry once
// that is complete, and nil until then. An entry of which a message is missing is forgotten: the
// process that wrote it got an error.
func (m *machine) join(id string, index, of int, data []byte) []byte {
	p := m.partial[id]
	if index == 0 { // begins again, whatever was there
		p = new(partialEntry)
		m.partial[id] = p
	}
	if p == nil || p.Count != index {
		delete(m.partial, id)
		return nil
	}
	p.Data, p.Count, p.At = append(p.Data, data...), index+1, m.queue.Now()
	if p.Count < of {
		return nil
	}
	delete(m.partial, id)
	return p.Data
}

// dropPartial forgets entries whose process has died while it wrote them. It goes with the
// forgetting of keys, which comes every few minutes.
func (m *machine) dropPartial() {
	for id, p := range m.partial {
		if p.At < m.queue.Now()-time.Hour.Microseconds() {
			delete(m.partial, id)
		}
	}
}

// takeSnapshotTurn lets one process at a time make a snapshot, since that takes time and bandwidth.
// A process that dies over it loses its turn after a while.
func (m *machine) takeSnapshotTurn(node string) result {
	if m.snapshots.taken(m.queue.Now()) {
		return result{}
	}
	m.snapshots.Maker, m.snapshots.Until = node, m.queue.Now()+snapshotTurn.Microseconds()
	return result{n: 1}
}

// snapshotTurn is how long a process has for a snapshot before another one may try.
const snapshotTurn = 5 * time.Minute
