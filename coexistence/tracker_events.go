package coexistence

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// batchSize is how many messages of a chunk are held and stored at once.
const batchSize = 500

// apply stores the state after ev, if that is another one. Echoes and contacts come by the thousand
// and seldom change it, so the state is read before it is locked.
func (t *Tracker) apply(ctx context.Context, phone graph.PhoneNumberID, ev webhook.Event) error {
	return t.change(ctx, phone, ev, func(s Number) Number { return s.Apply(ev) })
}

// change does what apply does, with a function that does what [Number.Apply] does.
func (t *Tracker) change(ctx context.Context, phone graph.PhoneNumberID, ev webhook.Event, apply func(Number) Number) error {
	now := time.Now().UTC()
	step := func(s Number) Number { return apply(s).arrived(ev, now) }
	if have, err := t.cfg.Store.Number(ctx, phone); err == nil && reflect.DeepEqual(step(have.Clone()), have) {
		return nil
	}
	_, err := t.cfg.Store.UpdateNumber(ctx, phone, func(s Number) (Number, error) { return step(s), nil })
	return err
}

// arrived notes when a sync last showed a sign. History webhooks carry no time of their own.
func (s Number) arrived(ev webhook.Event, now time.Time) Number {
	switch ev.(type) {
	case *webhook.HistoryChunk, *webhook.HistoryFailure:
		if !s.straggler() {
			s.History.seen(now)
		}
		s.sign(now)
	case *webhook.AppStateSync:
		if s.Contacts.Status.Outstanding() {
			s.Contacts.seen(now.Truncate(time.Minute)) // an address book is thousands of events
		}
	default:
	}
	return s
}

// account hands an update to the numbers that it is about.
func (t *Tracker) account(ctx context.Context, ev *webhook.AccountUpdate) error {
	states, err := t.cfg.Store.NumbersByWABA(ctx, ev.WABAID)
	if err != nil {
		return err
	}
	for _, st := range states {
		if !concerns(ev, st) || t.othersApp(ctx, ev, st.PhoneNumberID) {
			continue
		}
		_, err := t.cfg.Store.UpdateNumber(ctx, st.PhoneNumberID, func(s Number) (Number, error) {
			return s.Apply(ev), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// othersApp reports whether an update is about another app of the same partner.
func (t *Tracker) othersApp(ctx context.Context, ev *webhook.AccountUpdate, phone graph.PhoneNumberID) bool {
	if ev.WABAInfo == nil || ev.WABAInfo.PartnerAppID == "" {
		return false
	}
	ours := t.app(ctx, phone).id
	return ours != "" && ours != ev.WABAInfo.PartnerAppID
}

// concerns reports whether an update is about a number. An account can hold several, and the number
// in the update, if there is one, is all that tells them apart.
func concerns(ev *webhook.AccountUpdate, st Number) bool {
	named, own := graph.EquivalenceKey(ev.PhoneNumber), graph.EquivalenceKey(st.DisplayPhoneNumber)
	return named == "" || own == "" || named == own
}

func (t *Tracker) incoming(ctx context.Context, ev *webhook.IncomingMessage) error {
	from := notOwn(ev.From, ev.DisplayPhoneNumber)
	if sys, ok := ev.Content.(*webhook.SystemMessage); ok {
		if err := t.moved(ctx, ev.PhoneNumberID, movedFrom(ev, sys), movedTo(sys), ev.At); err != nil {
			return err
		}
	} else if err := t.learn(ctx, ev.PhoneNumberID, from, ev.At, ev.ProfileName); err != nil {
		return err
	}
	return t.store(ctx, ev.PhoneNumberID, incomingSaying(ev).patch())
}

func (t *Tracker) status(ctx context.Context, ev *webhook.MessageStatus) error {
	if ev.Type == "payment" {
		return nil // its id names a payment, not a message
	}
	if ev.GroupID == "" && ev.RecipientType != "group" {
		who := notOwn(ev.Recipient, ev.DisplayPhoneNumber)
		if err := t.learn(ctx, ev.PhoneNumberID, who, ev.At, ev.ProfileName); err != nil {
			return err
		}
	}
	return t.store(ctx, ev.PhoneNumberID, statusPatch(ev, ev.DisplayPhoneNumber))
}

// chunk stores the messages of a chunk, a batch at a time, and counts those that cannot be stored.
func (t *Tracker) chunk(ctx context.Context, ev *webhook.HistoryChunk) (lost int, err error) {
	var batch []patch
	var known []string // of the thread at hand
	for th, m := range ev.Messages() {
		if err := ctx.Err(); err != nil {
			return lost, err
		}
		if !readable(m) {
			lost++
			t.cfg.Logger.WarnContext(ctx, "a message of history does not fit its type", "phone", ev.PhoneNumberID, "id", m.ID, "err", m.Err)
			continue
		}
		who := notOwn(threadCustomer(th), ev.DisplayPhoneNumber)
		if aliases := Aliases(who); !slices.Equal(aliases, known) {
			if err := t.learn(ctx, ev.PhoneNumberID, who, time.Time{}, ""); err != nil {
				return lost, err
			}
			known = aliases
		}
		batch = append(batch, historySaying(ev.EventInfo, th, m).patch())
		if len(batch) == batchSize {
			if err := t.store(ctx, ev.PhoneNumberID, batch...); err != nil {
				return lost, err
			}
			clear(batch)
			batch = batch[:0]
		}
	}
	return lost, t.store(ctx, ev.PhoneNumberID, batch...)
}

// store applies patches in one step. What speaks about no message is skipped: Meta's test bodies
// have no ids.
func (t *Tracker) store(ctx context.Context, phone graph.PhoneNumberID, patches ...patch) error {
	byID := make(map[graph.MessageID][]patch, len(patches))
	ids := make([]graph.MessageID, 0, len(patches))
	for _, p := range patches {
		if p.id == "" {
			t.cfg.Logger.WarnContext(ctx, "an event about a message names none", "phone", phone)
			continue
		}
		if byID[p.id] == nil {
			ids = append(ids, p.id)
		}
		byID[p.id] = append(byID[p.id], p)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return t.cfg.Store.UpdateMessages(ctx, phone, ids, func(m *Message) {
		for _, p := range byID[m.ID] {
			p.apply(m)
		}
	})
}

// learn records that a person was seen. at is zero for what says nothing about when.
func (t *Tracker) learn(ctx context.Context, phone graph.PhoneNumberID, who graph.Identity, at time.Time, profile string) error {
	aliases := Aliases(who)
	if len(aliases) == 0 {
		return nil
	}
	_, err := t.cfg.Store.UpdateContact(ctx, phone, aliases, func(c *Contact) {
		c.see(sighting{Identity: who, At: at})
		c.profile(profile, at)
		c.settle()
	})
	return err
}

// moved records that a person took another number or id.
func (t *Tracker) moved(ctx context.Context, phone graph.PhoneNumberID, from, to graph.Identity, at time.Time) error {
	aliases := append(Aliases(from), Aliases(to)...)
	if len(aliases) == 0 {
		return nil
	}
	slices.Sort(aliases)
	_, err := t.cfg.Store.UpdateContact(ctx, phone, slices.Compact(aliases), func(c *Contact) {
		if !from.IsZero() {
			c.see(sighting{Identity: from})
		}
		if !to.IsZero() {
			c.see(sighting{Identity: to, At: at, MovedAt: at})
		}
		c.settle()
	})
	return err
}

// addressBook records an entry of the address book.
func (t *Tracker) addressBook(ctx context.Context, ev *webhook.AppStateSync) error {
	if ev.Type != webhook.AppStateContact || ev.Action != webhook.AppStateAdd && ev.Action != webhook.AppStateRemove {
		return nil
	}
	who := notOwn(ev.Customer(), ev.DisplayPhoneNumber)
	aliases := Aliases(who)
	if len(aliases) == 0 {
		return nil
	}
	_, err := t.cfg.Store.UpdateContact(ctx, ev.PhoneNumberID, aliases, func(c *Contact) {
		c.see(sighting{Identity: who, FromAddressBook: true})
		c.enter(bookEntry{
			PhoneNumber: phonenumber.Digits(who.WAID), UserID: who.UserID, FullName: ev.Contact.FullName, FirstName: ev.Contact.FirstName,
			At: ev.At, Removed: ev.Action == webhook.AppStateRemove,
		})
		c.settle()
	})
	return err
}
