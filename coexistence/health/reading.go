package health

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// readAgain is how soon a number is read again that could not be read.
const readAgain = 10 * time.Minute

// A reading is what Meta has said about a number. The zero reading says nothing.
type reading struct {
	triedAt time.Time // of the latest try
	at      time.Time // of the latest that brought an answer; the rest is of then

	preflight      coexistence.Preflight
	messagingLimit string
	refused        bool // the token does not give access to the number
}

// missing is the verdict of what is not known without a reading of the number.
func (r reading) missing() Verdict {
	if r.triedAt.IsZero() {
		return judge(StatusUnknown, CodeNotRead)
	}
	return judge(StatusUnknown, CodeUnreadable)
}

// due reports whether it is time for another one.
func (r reading) due(interval time.Duration, changedAt, now time.Time) bool {
	if interval == 0 {
		return false
	}
	if r.at.Before(r.triedAt) {
		interval = min(interval, readAgain)
	}
	return now.Sub(r.triedAt) >= interval || changedAt.After(r.triedAt)
}

// reading returns what is remembered of a number.
func (m *Monitor) reading(phone graph.PhoneNumberID) reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.numbers[phone].reading
}

// Read asks Meta about a number, and returns its health with that: quality, limits, subscriptions,
// fields, overrides, what pays, and whether the token is accepted. What it reads is remembered for
// [Monitor.Health], and where the number lives is stored, as by [coexistence.Tracker.Refresh]. If
// Meta does not answer, the error says so, and what was read before stays. It makes six calls at
// most, and three more for each further account that holds the number.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/phone-numbers
func (m *Monitor) Read(ctx context.Context, phone graph.PhoneNumberID) (Health, error) {
	n, err := m.number(ctx, phone)
	if err != nil {
		return Health{}, err
	}
	n, err1 := m.read(ctx, n)
	all, err2 := m.backlog(ctx)
	h, err3 := m.look(ctx, n, all)
	return h, errors.Join(err1, err2, err3)
}

// read reads a number, remembers what was read, and returns the number as it is then. A refusal of
// the token is an answer; every other error leaves the reading of before.
func (m *Monitor) read(ctx context.Context, n coexistence.Number) (coexistence.Number, error) {
	r := reading{triedAt: time.Now().UTC()}
	stored, err := m.ask(ctx, n, &r)
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := m.numbers[n.PhoneNumberID]
	if err != nil {
		rec.reading.triedAt = r.triedAt
	} else {
		r.at = r.triedAt
		rec.reading = r
	}
	m.numbers[n.PhoneNumberID] = rec
	return stored, err
}

// ask fills a reading, and stores where the number lives.
func (m *Monitor) ask(ctx context.Context, n coexistence.Number, r *reading) (coexistence.Number, error) {
	var err error
	if r.preflight, err = m.cfg.Tracker.Preflight(ctx, n.PhoneNumberID); err != nil {
		return n, err
	}
	if r.preflight.Phone == nil {
		err := unread(r.preflight)
		r.refused = errors.Is(err, graph.ErrAuth) || errors.Is(err, graph.ErrPermission) ||
			errors.Is(err, graph.ErrAccessLost)
		if r.refused {
			return n, nil
		}
		return n, err
	}
	client, err := m.cfg.Tracker.Client(ctx, n.PhoneNumberID)
	if err != nil {
		return n, err
	}
	// A field of its own, since versions before v24.0 refuse the whole call for it.
	p, err := client.Phones.Get(ctx, n.PhoneNumberID, cloudapi.PhoneGetOptions{
		Fields: []string{"id", "whatsapp_business_manager_messaging_limit"},
	})
	switch {
	case err == nil:
		r.messagingLimit = p.MessagingLimit
	case !errors.Is(err, graph.CodeInvalidParameter):
		return n, err
	}
	return m.cfg.Tracker.Store().UpdateNumber(ctx, n.PhoneNumberID,
		func(n coexistence.Number) (coexistence.Number, error) {
			return n.ApplyReading(r.preflight.Phone, r.preflight.ReadAt), nil
		})
}

// unread returns why the number itself could not be read.
func unread(p coexistence.Preflight) error {
	i := slices.IndexFunc(p.Problems, func(f coexistence.Finding) bool {
		return f.Check == coexistence.CheckNumber && f.Err != nil
	})
	if i < 0 {
		return errors.New("health: the number was not read")
	}
	return p.Problems[i].Err
}
