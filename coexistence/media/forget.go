package media

import (
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// Forget deletes the files of what is forgotten: set it as coexistence.Config.WrapForget. forget is
// what the tracker does. Files go before it, since afterwards it is not known any more which they
// are, so that a process that ends in between leaves none; those of a person or of a number once
// more after it, since one may have arrived meanwhile.
//
// What a person sent to a group stays: as of November 2026, Meta shares no groups of coexistence
// numbers.
func (a *Archive) Forget(
	ctx context.Context, r coexistence.ForgetRequest, forget func(context.Context) error,
) error {
	if r.Everything() {
		if err := a.cfg.Files.Delete(ctx, prefix(r.PhoneNumberID)); err != nil {
			return err
		}
		if err := forget(ctx); err != nil {
			return err
		}
		return a.delete(ctx, r.PhoneNumberID, prefix(r.PhoneNumberID))
	}
	keys, err := a.keysOf(ctx, r)
	if err != nil {
		return err
	}
	if err := a.delete(ctx, r.PhoneNumberID, keys...); err != nil {
		return err
	}
	if err := forget(ctx); err != nil || r.Person == "" {
		return err
	}
	return a.delete(ctx, r.PhoneNumberID, keys...)
}

// delete deletes files of a number, whose size is not known any more then.
func (a *Archive) delete(ctx context.Context, phone graph.PhoneNumberID, keys ...string) error {
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.sizes, phone)
	}()
	for _, key := range keys {
		if err := a.cfg.Files.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns the keys of the files of a person, or of what is older than a moment. Messages of
// a conversation come the oldest first.
func (a *Archive) keysOf(ctx context.Context, r coexistence.ForgetRequest) (keys []string, err error) {
	add := func(conversation string) error {
		for m, err := range a.cfg.Messages.Messages(ctx, r.PhoneNumberID, conversation) {
			if err != nil {
				return err
			}
			if !r.Before.IsZero() && !m.At.Before(r.Before) {
				return nil
			}
			if m.Media != nil || m.Original != nil && m.Original.Media != nil {
				keys = append(keys, Key(m.PhoneNumberID, m.ID))
			}
		}
		return nil
	}
	if r.Person != "" {
		err := add(r.Person)
		if errors.Is(err, coexistence.ErrNotFound) {
			err = nil
		}
		return keys, err
	}
	for c, err := range a.cfg.Messages.Conversations(ctx, r.PhoneNumberID) {
		if err == nil {
			err = add(c.ID)
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}
