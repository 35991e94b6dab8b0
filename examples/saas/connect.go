package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// connected runs when a business is through Embedded Signup, and again if the process died within
// it. The number is stored before its contacts and its history are asked for: what they bring
// belongs to its tenant.
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
	a.news.Tell()
	return nil
}

// serveConnect shows how to connect a number, and how far those are that were connected.
func (a *app) serveConnect(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	type progress struct {
		Info number
		coexistence.Number
		Messages, Chats int
	}
	return a.show(w, r, func(ctx context.Context) (view, error) {
		v := view{Page: "connect", Title: "Connect", Tenant: t}
		list, err := a.db.Tokens().List(ctx, t.id)
		all := make([]progress, len(list))
		for i, n := range list {
			state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
			chats, err2 := graph.Collect(a.tracker.Store().Conversations(ctx, n.PhoneNumberID))
			all[i] = progress{Info: n, Number: state, Chats: len(chats)}
			for _, c := range chats {
				all[i].Messages += c.MessageCount
			}
			v.Number, err = &list[0], errors.Join(err, err1, err2)
		}
		v.Data = all
		return v, err
	})
}
