package queue

import (
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Token stands for the lease of a batch. Its owner sees to it that no two claims have the same.
type Token string

// ErrLeaseLost says that a token does not hold what it was used for. It is inbox.ErrLeaseLost.
var ErrLeaseLost = errors.New("inbox: the lease was lost; another worker handles the records, forget them")

// A Claim asks for records.
type Claim struct {
	// Token is what the records are then leased under. Without one, a claim brings nothing.
	Token Token `json:"token"`

	// Kind selects, together with Backfill, the queue.
	Kind     Kind `json:"kind,omitzero"`
	Backfill bool `json:"bulk,omitzero"` // see Kind

	// Lanes limits how many lanes are leased.
	Lanes int `json:"lanes"`

	// PerLane limits the records of each lane. Less than 1 counts as 1.
	PerLane int `json:"per_lane"`

	// Except are numbers of which nothing is leased.
	Except []graph.PhoneNumberID `json:"except,omitzero"`

	// Quarantine asks for the first record of a lane in quarantine, and nothing else. Then Except,
	// PerLane and Lanes do not matter.
	Quarantine bool `json:"quarantine,omitzero"`

	// MaxBytes limits the sum of the bodies, each counted once; 0 is no limit. One record comes in
	// any case.
	MaxBytes int `json:"max_bytes,omitzero"`

	// Lease is how long the records are leased.
	Lease time.Duration `json:"lease"`

	// Worker names the worker, for people who read the log.
	Worker string `json:"worker,omitzero"`
}

// AbandonedPause is how long a lane pauses after it was abandoned so many times in a row.
func AbandonedPause(times int) time.Duration {
	if times < 2 {
		return 0
	}
	return min(time.Second<<min(times-2, 10), time.Minute)
}

// A lease is what a token holds.
type lease struct {
	lanes []*lane
	lost  bool // another claim took a lane after the lease had ended; it cannot be extended
}

// Claim leases records of lanes that are ready, and returns them: those of one lane follow each
// other in order. Before that, lanes whose lease has ended are taken away from their holders.
func (m *Machine) Claim(c Claim) (claimed []Record) {
	if c.Token == "" {
		return nil
	}
	s := m.schedule(queueID{c.Kind, c.Backfill})
	m.abandon(s)
	if c.Quarantine {
		if len(s.quarantined) == 0 {
			return nil
		}
		return m.lease(c, s.quarantined[0], 1)
	}
	defer s.messages.except(c.Except)()
	defer s.statuses.except(c.Except)()
	bytes := budget{max: c.MaxBytes, counted: map[ID]bool{}}
	for range c.Lanes {
		l := s.next()
		if l == nil || bytes.spent() {
			break
		}
		n := 0
		for n < min(len(l.records), max(c.PerLane, 1)) {
			if !bytes.take(m.deliveries[l.records[n].Delivery]) && len(claimed)+n > 0 {
				break
			}
			if n++; l.Abandoned > 0 {
				break // which of several it was would not be known
			}
		}
		if n == 0 {
			break
		}
		s.took(l, m)
		claimed = append(claimed, m.lease(c, l, n)...)
	}
	return claimed
}

// lease leases the first records of a lane, and returns them.
func (m *Machine) lease(c Claim, l *lane, n int) []Record {
	recs, ids := make([]Record, n), make([]ID, n)
	for i, rec := range l.records[:n] {
		recs[i], ids[i] = rec.Record, rec.ID
	}
	recs[0].Abandoned = l.Abandoned
	m.grant(c.Token, l, ids)
	l.ReadyAt = m.now + max(1, c.Lease.Microseconds())
	m.place(l)
	return recs
}

// abandon takes the lanes of a queue whose lease has ended away from their holders, who lose with
// them the right to extend the rest of their batches. It counts that.
func (m *Machine) abandon(s *schedule) {
	for l := s.leased.due(m.now); l != nil; l = s.leased.due(m.now) {
		m.leases[l.Token].lost = true
		m.release(l)
		l.Abandoned++
		l.ReadyAt = m.now
		if l.inQuarantine() {
			l.ReadyAt += AbandonedPause(l.Abandoned).Microseconds()
		}
		m.place(l)
	}
}

// A budget counts the bytes of a batch.
type budget struct {
	max     int // 0 is no limit
	used    int
	counted map[ID]bool // deliveries: their events share one body
}

// take adds a delivery's body, and reports whether the batch may have this record as well. The
// events of a delivery that is in the batch cost nothing more.
func (b *budget) take(d *record) bool {
	if b.counted[d.ID] {
		return true
	}
	b.counted[d.ID] = true
	b.used += d.Size
	return !b.spent()
}

// spent reports whether the limit is exceeded.
func (b *budget) spent() bool { return b.max > 0 && b.used > b.max }

// Extend makes a lease end when so much time has passed from now. It returns [ErrLeaseLost] if a
// part of the batch was claimed by another worker, or if all of it is settled.
func (m *Machine) Extend(token Token, d time.Duration) error {
	held := m.leases[token]
	if held == nil || held.lost {
		return ErrLeaseLost
	}
	for _, l := range held.lanes {
		l.ReadyAt = m.now + d.Microseconds()
		heap.Fix(l.heap, l.index)
	}
	return nil
}

// grant leases records of a lane to a token.
func (m *Machine) grant(token Token, l *lane, ids []ID) {
	l.Token, l.Leased = token, ids
	held := m.leases[token]
	if held == nil {
		held = new(lease)
		m.leases[token] = held
	}
	held.lanes = append(held.lanes, l)
}

// release ends the lease of a lane. A lease without lanes is forgotten.
func (m *Machine) release(l *lane) {
	held := m.leases[l.Token]
	held.lanes = slices.DeleteFunc(held.lanes, func(other *lane) bool { return other == l })
	if len(held.lanes) == 0 {
		delete(m.leases, l.Token)
	}
	l.Token, l.Leased = "", nil
}
