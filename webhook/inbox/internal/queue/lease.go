package queue

import (
	"errors"
	"slices"
	"time"
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

	// MaxBytes limits the sum of the bodies, each counted once; 0 is no limit. One record comes in
	// any case.
	MaxBytes int `json:"max_bytes,omitzero"`

	// Lease is how long the records are leased.
	Lease time.Duration `json:"lease"`

	// Worker names the worker, for people who read the log.
	Worker string `json:"worker,omitzero"`
}

// A lease is what a token holds.
type lease struct {
	lanes []*lane
	lost  bool // another claim took a lane after the lease had ended; it cannot be extended
}

// Claim leases records of lanes that are due, and returns them: those of one lane follow each other
// in order. A lane whose lease has ended is taken away from its holder.
func (m *Machine) Claim(c Claim) (claimed []Record) {
	if c.Token == "" {
		return nil
	}
	due := m.schedule(queueID{c.Kind, c.Backfill})
	bytes := budget{max: c.MaxBytes, counted: map[ID]bool{}}
	for range c.Lanes {
		if len(*due) == 0 || (*due)[0].ReadyAt > m.now || bytes.spent() {
			break
		}
		l := (*due)[0]
		var ids []ID
		for _, rec := range l.records[:min(len(l.records), max(c.PerLane, 1))] {
			if !bytes.take(m.deliveries[rec.Delivery]) && len(claimed) > 0 {
				break
			}
			ids = append(ids, rec.ID)
			claimed = append(claimed, rec.Record)
		}
		if len(ids) == 0 {
			break
		}
		m.revoke(l)
		m.grant(c.Token, l, ids)
		// A lease is at least as long as the clock's unit, so that this call does not claim the
		// lane twice.
		m.reschedule(l, m.now+max(1, c.Lease.Microseconds()))
	}
	return claimed
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
		m.reschedule(l, m.now+d.Microseconds())
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

// revoke takes a lane whose lease has ended away from its holder, who loses with it the right to
// extend the rest of the batch.
func (m *Machine) revoke(l *lane) {
	if l.Token != "" {
		m.leases[l.Token].lost = true
		m.release(l)
	}
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
