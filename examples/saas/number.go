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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A number is a phone number that a tenant has connected. The SDK keeps it beside its token, so
// that the product has no table of its own for it.
type number = storage.TokenInfo

// openKeys reads the keys that tokens are encrypted with. Without any text, a key lives as long as
// the process, which is good for playing: after a restart, no token of before can be read.
func openKeys(text graph.Secret) (*signup.Keyring, error) {
	if text == "" {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails, or ends the program
		return signup.NewKeyring(key)
	}
	return signup.ParseKeyring(text)
}

// resumeSignups goes on with signups that were cut off. Every process may do it: the package sees
// to it that nothing happens twice.
func (a *app) resumeSignups(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := a.flow.ResumeAll(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "not all signups could be resumed; it is tried again", "err", err)
		}
		a.news.Tell()
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
		}
	}
}

// serveNumber shows where a number stands, and what did not go as it should.
func (a *app) serveNumber(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, func(ctx context.Context) (view, error) {
		state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
		dead, err2 := a.deadLetters(ctx, n)
		data := struct {
			Number   *number
			State    coexistence.Number
			Features []coexistence.FeatureChange // what the business loses or gains in the app
			Rate     int                         // messages a second that Meta lets the number pass
			Dead     []inbox.DeadLetter
			Drift    []webhook.DriftCount
		}{n, state, coexistence.Features(), cloudapi.CoexistenceRate, dead, a.drift(n.PhoneNumberID).Snapshot()}
		return view{Page: "number", Title: "Number", Tenant: t, Number: n, Data: data}, errors.Join(err1, err2)
	})
}

// deadLetters are the events of a number that could not be handled: a handler returned a permanent
// error, or failed until the inbox gave up. They stay until a person replays or deletes them.
func (a *app) deadLetters(ctx context.Context, n *number) ([]inbox.DeadLetter, error) {
	return graph.Collect(a.inbox.DeadLetters(ctx, inbox.Filter{PhoneNumberID: n.PhoneNumberID}))
}

// replay handles a dead letter once more. It looks for the letter among those of the number, which
// belongs to the tenant: an id from a form is a claim.
func (a *app) replay(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	list, err := a.deadLetters(r.Context(), n)
	l, err := pick(list, err, func(l inbox.DeadLetter) bool { return fmt.Sprint(l.ID) == r.PathValue("letter") })
	if err == nil {
		_, err = a.inbox.ReplayDeadLetters(r.Context(), l.ID)
	}
	return see(w, r, fmt.Sprint("/numbers/", n.PhoneNumberID), err)
}
