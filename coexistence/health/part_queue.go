package health

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// This file holds the parts that are about what comes in and goes out.

const (
	// most is how many dead letters and entries are counted for a number.
	most = 100

	// lateAfter and brokenAfter are how long a live event may wait to be handled.
	lateAfter, brokenAfter = time.Minute, 10 * time.Minute

	// unknownFor is how long a message may be in doubt. By then the outbox has asked Meta's message
	// history.
	unknownFor = 2 * time.Hour
)

// A Delivery says when something last arrived for the number.
type Delivery struct {
	Verdict

	// LastAt is the latest arrival of which this process or the store knows: of a few minutes
	// before, where another process took it. Zero if nothing ever arrived.
	LastAt time.Time
}

// delivery judges the silence of a number. Other processes, and this one before its start, have
// left traces in the store: conversations that customers have written to or that got statuses, and
// what the phone did.
func (m *Monitor) delivery(ctx context.Context, n coexistence.Number, now time.Time) (Delivery, error) {
	d := Delivery{good, m.cfg.Arrivals.lastAt(n.PhoneNumberID)}
	if !n.Stage.Connected() {
		d.Verdict = judge(StatusUnknown, CodeNotConnected)
		return d, nil
	}
	if now.Sub(d.LastAt) > lookEvery {
		stored, err := m.storedArrival(ctx, n)
		if err != nil {
			d.Verdict = judge(StatusUnknown, CodeUnreadable)
			return d, err
		}
		d.LastAt = latest(d.LastAt, stored)
	}
	if now.Sub(latest(d.LastAt, n.OnboardedAt)) >= m.cfg.MaxSilence {
		d.Verdict = judge(StatusWarning, CodeSilent)
	}
	return d, nil
}

// storedArrival returns the latest arrival that the store tells of. It looks at the conversations
// at the top of the list alone: a message that arrives moves its conversation there.
func (m *Monitor) storedArrival(ctx context.Context, n coexistence.Number) (time.Time, error) {
	at := latest(n.PhoneSeenAt, n.History.ActiveAt, n.Contacts.ActiveAt)
	list, err := m.cfg.Tracker.Store().ListConversations(ctx, n.PhoneNumberID,
		coexistence.ConversationListOptions{Limit: 20})
	if err != nil {
		return at, fmt.Errorf("health: number %s: conversations: %w", n.PhoneNumberID, err)
	}
	for _, c := range list {
		at = latest(at, c.CustomerAt)
		if c.Last != nil {
			for _, r := range c.Last.Receipts {
				at = latest(at, r.At)
			}
		}
	}
	return at, nil
}

// latest returns the latest of some times. The zero time is the earliest.
func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// A Drift says what Meta sent about the number, or about one of its accounts, since this process
// began, and this version does not know.
type Drift struct {
	Verdict

	// Counts are its kinds; see [webhook.Drift].
	Counts []webhook.DriftCount
}

func (m *Monitor) drift(n coexistence.Number) Drift {
	if m.cfg.Arrivals == nil {
		return Drift{Verdict: judge(StatusUnknown, CodeNotConfigured)}
	}
	d := Drift{good, m.cfg.Arrivals.drift(n)}
	switch {
	case slices.ContainsFunc(d.Counts, func(c webhook.DriftCount) bool { return c.Event == "UndecodableEvent" }):
		d.Verdict = judge(StatusWarning, CodeUndecodable)
	case len(d.Counts) > 0:
		d.Verdict = judge(StatusWarning, CodeDrift)
	}
	return d
}

// DeadLetters say what handlers gave up of the number. Letters that name no number, such as whole
// deliveries that do not decode, are not among them: see [inbox.Inbox.DeadLetters].
type DeadLetters struct {
	Verdict

	// Count is how many there are, 100 at most.
	Count int

	// LastAt is when the last of them was given up.
	LastAt time.Time
}

// deadLetters counts those of a number. total is how many the inbox has of all numbers: mostly
// none, and then no list is read.
func (m *Monitor) deadLetters(ctx context.Context, n coexistence.Number, all Backlog) (d DeadLetters, err error) {
	d.Verdict = all.Verdict
	if all.Status == StatusUnknown {
		return d, nil
	}
	d.Verdict = good
	if all.Dead == 0 {
		return d, nil
	}
	for l, err := range m.cfg.Inbox.DeadLetters(ctx, inbox.Filter{PhoneNumberID: n.PhoneNumberID}) {
		if err != nil {
			d.Verdict = judge(StatusUnknown, CodeUnreadable)
			return d, fmt.Errorf("health: number %s: dead letters: %w", n.PhoneNumberID, err)
		}
		d.Count++
		d.LastAt = latest(d.LastAt, l.DeadAt)
		if d.Count == most {
			break
		}
	}
	if d.Count > 0 {
		d.Verdict = judge(StatusWarning, CodeDeadLetters)
	}
	return d, nil
}

// A Backlog says what waits to be handled. It is of all numbers, since they share the workers.
type Backlog struct {
	Verdict

	// Metrics are those of the inbox.
	inbox.Metrics
}

// part is the backlog in short.
func (b Backlog) part() Part { return Part{PartBacklog, "", b.Verdict} }

func (m *Monitor) backlog(ctx context.Context) (b Backlog, err error) {
	if m.cfg.Inbox == nil {
		return Backlog{Verdict: judge(StatusUnknown, CodeNotConfigured)}, nil
	}
	if b.Metrics, err = m.cfg.Inbox.Metrics(ctx); err != nil {
		b.Verdict = judge(StatusUnknown, CodeUnreadable)
		return b, fmt.Errorf("health: the inbox cannot be counted: %w", err)
	}
	switch {
	case b.OldestLive >= brokenAfter:
		b.Verdict = judge(StatusBroken, CodeBacklog)
	case b.Hanging > 0:
		b.Verdict = judge(StatusWarning, CodeHandlersHang)
	case b.OldestLive >= lateAfter:
		b.Verdict = judge(StatusWarning, CodeBacklog)
	default:
		b.Verdict = good
	}
	return b, nil
}

// Sends say which messages of the outbox are in doubt: Meta may have taken them, or not.
type Sends struct {
	Verdict

	// Unknown is how many there are, 100 at most.
	Unknown int

	// OldestAt is when the oldest of them was tried.
	OldestAt time.Time
}

func (m *Monitor) sends(ctx context.Context, n coexistence.Number, now time.Time) (s Sends, err error) {
	if m.cfg.Outbox == nil {
		return Sends{Verdict: judge(StatusUnknown, CodeNotConfigured)}, nil
	}
	f := outbox.Filter{PhoneNumberID: n.PhoneNumberID, States: []outbox.State{outbox.StateUnknown}, Limit: most}
	for e, err := range m.cfg.Outbox.List(ctx, f) {
		if err != nil {
			s.Verdict = judge(StatusUnknown, CodeUnreadable)
			return s, fmt.Errorf("health: number %s: outbox: %w", n.PhoneNumberID, err)
		}
		s.Unknown++
		if s.OldestAt.IsZero() || e.AttemptedAt.Before(s.OldestAt) {
			s.OldestAt = e.AttemptedAt
		}
	}
	s.Verdict = good
	if s.Unknown > 0 && now.Sub(s.OldestAt) >= unknownFor {
		s.Verdict = judge(StatusWarning, CodeSendsUnknown)
	}
	return s, nil
}
