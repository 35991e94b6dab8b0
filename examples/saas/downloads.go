package main

import (
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// maxNumberFiles is how many bytes of files are kept of a number.
const maxNumberFiles = 10 << 30

// fetched is told of each attempt to fetch a file: a page that is open shows the file then.
func (a *app) fetched(_ context.Context, attempt inbox.Attempt) {
	if attempt.Disposition == inbox.DispositionDone {
		a.changes.add(attempt.PhoneNumberID)
	}
}

// forgetWaiting is for coexistence.Config.WrapForget: what the tracker forgets loses its files, and
// what waits to be downloaded or to go on, or was given up.
func (a *app) forgetWaiting(
	ctx context.Context, r coexistence.ForgetRequest, forget func(context.Context) error,
) error {
	of := inbox.ForgetRequest{PhoneNumberID: r.PhoneNumberID, Before: r.Before}
	if r.Person != "" {
		c, err := a.tracker.Store().Conversation(ctx, r.PhoneNumberID, r.Person)
		if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
			return err
		}
		of.People = append(c.Contact.Identities(), coexistence.IdentityOf(coexistence.Alias(r.Person)))
	}
	return a.archive.Forget(ctx, r, func(ctx context.Context) error {
		for _, in := range a.queues() {
			if err := in.Forget(ctx, of); err != nil {
				return err
			}
		}
		return forget(ctx)
	})
}
