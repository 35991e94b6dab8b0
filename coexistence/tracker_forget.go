package coexistence

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Forget forgets a person, what is old, or everything about a number, and does not let it come
// back: see [Forgetter], which Config.Store has to be. With coexistence/sqlite and
// coexistence/postgres, messages, contacts, state, token, signups and outbox are forgotten: see
// storage.DB. It is idempotent: after an error, call it again.
//
// The limiter of the number's client forgets, too, if it is a [cloudapi.LimitForgetter].
//
// With ForgetRequest.AtMeta, Meta is asked first, as long as it is known who the person is.
func (t *Tracker) Forget(ctx context.Context, r ForgetRequest) error {
	if err := r.Validate(); err != nil {
		return err
	}
	store, ok := t.cfg.Store.(Forgetter)
	if !ok {
		return errors.Join(errNoForgetter, errors.ErrUnsupported)
	}
	if r.AtMeta {
		if err := t.forgetAtMeta(ctx, r); err != nil {
			return err
		}
	}
	forgetLimits, err := t.limitsOf(ctx, r)
	if err != nil {
		return err
	}
	if err := t.forget(ctx, store, r); err != nil {
		return err
	}
	if err := forgetLimits(); err != nil {
		return err
	}
	if r.Everything() {
		t.apps.Delete(r.PhoneNumberID) // a new signup may be with another app
		t.ours.Delete(r.PhoneNumberID)
	}
	return nil
}

// forget has a store forget, with Config.WrapForget around it.
func (t *Tracker) forget(ctx context.Context, store Forgetter, r ForgetRequest) error {
	forget := func(ctx context.Context) error { return store.Forget(ctx, r) }
	if t.cfg.WrapForget == nil {
		return forget(ctx)
	}
	return t.cfg.WrapForget(ctx, r, forget)
}

// limitsOf returns the function that has the limiter of a number forget what r names. The client
// and the person are looked for at once: once the store has forgotten, there is no token and no
// name.
func (t *Tracker) limitsOf(ctx context.Context, r ForgetRequest) (func() error, error) {
	limiter, ok := t.app(ctx, r.PhoneNumberID).inbound.(cloudapi.LimitForgetter)
	if !ok || !r.Before.IsZero() {
		return func() error { return nil }, nil
	}
	var people []cloudapi.Recipient
	if r.Person != "" {
		who, err := contactNamed(ctx, t.cfg.Store, r.PhoneNumberID, r.Person)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		for _, id := range append(who.Identities(), IdentityOf(Alias(r.Person))) {
			people = append(people, cloudapi.ToUser(id.UserID), cloudapi.ToPhone(id.WAID))
		}
	}
	return func() error { return limiter.Forget(ctx, r.PhoneNumberID, people...) }, nil
}

// finishForgetting finishes what a process has begun to forget that ended meanwhile.
func (t *Tracker) finishForgetting(ctx context.Context) error {
	store, ok := t.cfg.Store.(Forgetter)
	if !ok {
		return nil
	}
	return store.FinishForgetting(ctx)
}

// retentionEvery is how often what is older than Config.Retention is looked for.
const retentionEvery = 24 * time.Hour

// retentionDue reports whether it is time to look for what is too old of a number.
func (t *Tracker) retentionDue(phone graph.PhoneNumberID) bool {
	if t.cfg.Retention == nil {
		return false
	}
	last, ok := t.kept.Load(phone)
	at, _ := last.(time.Time)
	return !ok || time.Since(at) >= retentionEvery
}

// applyRetention forgets what is older of a number than the host wants it to be.
func (t *Tracker) applyRetention(ctx context.Context, phone graph.PhoneNumberID) error {
	store, ok := t.cfg.Store.(Forgetter)
	if !ok || !t.retentionDue(phone) {
		return nil
	}
	now := time.Now()
	keep, err := t.cfg.Retention(ctx, phone)
	if err == nil && keep < 0 {
		err = errors.New("coexistence: Config.Retention returned less than 0; return 0 to keep everything")
	}
	if err == nil && keep > 0 {
		err = t.forget(ctx, store, ForgetRequest{PhoneNumberID: phone, Before: now.Add(-keep).UTC()})
	}
	if err == nil {
		t.kept.Store(phone, now)
	}
	return err
}

// forgetAtMeta has Meta forget a person under each user id that is known.
func (t *Tracker) forgetAtMeta(ctx context.Context, r ForgetRequest) error {
	users := []graph.UserID{}
	if graph.IsUserID(r.Person) {
		users = append(users, graph.UserID(r.Person))
	}
	who, err := contactNamed(ctx, t.cfg.Store, r.PhoneNumberID, r.Person)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	for _, id := range who.Identities() {
		if id.UserID != "" && !slices.Contains(users, id.UserID) {
			users = append(users, id.UserID)
		}
	}
	if len(users) == 0 {
		return nil
	}
	c, err := t.Client(ctx, r.PhoneNumberID)
	if err != nil {
		return err
	}
	for _, user := range users {
		if _, err := c.ContactBook.Delete(ctx, r.PhoneNumberID, user); err != nil {
			return err
		}
	}
	return nil
}

// contactNamed returns the contact that a name of a person stands for: the id of its conversation,
// a key, an alias, a phone number in any spelling.
func contactNamed(ctx context.Context, s Store, phone graph.PhoneNumberID, name string) (Contact, error) {
	if c, err := s.Conversation(ctx, phone, name); !errors.Is(err, ErrNotFound) {
		return c.Contact, err
	}
	return s.Contact(ctx, phone, IdentityOf(Alias(name)))
}
