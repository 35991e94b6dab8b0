package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A number is a phone number that a tenant has connected. The SDK keeps it beside its token, so
// that the product has no table of its own for it.
type number = storage.TokenInfo

// openKeys parses the keys that encrypt tokens. Without a text, it makes a key for this process,
// which is enough for a demo: after a restart, earlier tokens cannot be read.
func openKeys(text graph.Secret) (*signup.Keyring, error) {
	if text == "" {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails, or ends the program
		return signup.NewKeyring(key)
	}
	return signup.ParseKeyring(text)
}

// resumeSignups continues interrupted signups. Every process may do it: the package ensures that
// nothing happens twice.
func (a *app) resumeSignups(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := a.flow.ResumeAll(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "not all signups could be resumed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
		}
	}
}

// shownLetters is how many dead letters a page shows. Further ones are shown when these are done.
const shownLetters = 20

// serveNumber shows the state of a number, and what has failed.
func (a *app) serveNumber(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, t, n, func(ctx context.Context) (view, error) {
		state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
		dead, err2 := a.deadLetters(ctx, n, shownLetters+1)
		month, err3 := a.usageOf(ctx, n)
		how, err4 := a.healthOf(ctx, n)
		data := struct {
			Number   *number
			State    coexistence.Number
			Features []coexistence.FeatureChange // what the business loses or gains in the app
			Rate     int                         // messages a second that Meta lets the number pass
			Dead     []inbox.DeadLetter
			MoreDead bool // than are shown
			Usage    usageView
			Health   health.Health
		}{
			n, state, coexistence.Features(), cloudapi.CoexistenceRate,
			dead[:min(len(dead), shownLetters)], len(dead) > shownLetters, month, how,
		}
		v := view{Page: "number", Title: "Number", Tenant: t, Number: n, Data: data}
		return v, errors.Join(err1, err2, err3, err4)
	})
}

// deadLetters returns the events of a number that could not be handled: a handler returned a
// permanent error, or failed until the inbox gave up. They stay until they are replayed or deleted.
// The oldest come first, up to most.
func (a *app) deadLetters(ctx context.Context, n *number, most int) (list []inbox.DeadLetter, err error) {
	for l, err := range a.inbox.DeadLetters(ctx, inbox.Filter{PhoneNumberID: n.PhoneNumberID}) {
		if err != nil || len(list) == most {
			return list, err
		}
		list = append(list, l)
	}
	return list, nil
}

// replay handles a dead letter again. It looks it up among those of the tenant's number, because an
// id from a form is not trusted.
func (a *app) replay(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	for l, err := range a.inbox.DeadLetters(r.Context(), inbox.Filter{PhoneNumberID: n.PhoneNumberID}) {
		if err != nil {
			return err
		}
		if fmt.Sprint(l.ID) == r.PathValue("letter") {
			_, err = a.inbox.ReplayDeadLetters(r.Context(), l.ID)
			return see(w, r, fmt.Sprint("/numbers/", n.PhoneNumberID), err)
		}
	}
	return errNotFound
}
