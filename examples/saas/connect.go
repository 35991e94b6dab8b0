package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// connected runs when a business has finished Embedded Signup, and again if the process died within
// it. The number is stored before contacts and history are requested, because these belong to its
// tenant.
func (a *app) connected(ctx context.Context, b *signup.Connection) error {
	if err := a.db.Tokens().Put(ctx, b); err != nil {
		return err
	}
	if err := a.tracker.Onboard(ctx, b.Onboarding); err != nil {
		return err
	}
	if err := a.tracker.Reconcile(ctx, b.Phone.ID); err != nil {
		// The number works without, and Tracker.Run tries again for 24 hours.
		a.log.WarnContext(ctx, "contacts or history were not asked for yet", "phone", b.Phone.ID, "err", err)
	}
	a.changes.add(b.Phone.ID)
	return nil
}

// serveConnect shows how to connect a number, and the progress of connected ones.
func (a *app) serveConnect(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	type progress struct {
		Info number
		coexistence.Number

		Unread string
	}
	return a.show(w, r, t, nil, func(ctx context.Context) (view, error) {
		v := view{Page: "connect", Title: "Connect", Tenant: t}
		list, err := a.db.Tokens().List(ctx, t.id)
		all := make([]progress, len(list))
		for i, n := range list {
			state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
			unread, err2 := a.unread(ctx, n.PhoneNumberID)
			all[i] = progress{n, state, unread}
			v.Number, err = &list[0], errors.Join(err, err1, err2)
		}
		v.Data = all
		return v, err
	})
}
