package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A lifePage is how a number is.
type lifePage struct {
	*number
	State    coexistence.State
	Features []coexistence.FeatureChange
	Rate     int // messages a second that Meta lets the number pass
	Minute   int // how many it sent in the last minute
	Dead     []inbox.DeadLetter
	Drift    []webhook.DriftCount
}

// serveNumber shows where a number stands, and what did not go as it should.
func (a *app) serveNumber(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, func(ctx context.Context) (view, error) {
		p := lifePage{number: n, Features: coexistence.Features(), Rate: cloudapi.CoexistenceRate, Drift: a.drift(n.Phone).Snapshot()}
		var err error
		if p.State, err = a.state(ctx, n); err != nil {
			return view{}, err
		}
		if p.Dead, err = a.deadLetters(ctx, n); err != nil {
			return view{}, err
		}
		err = a.db.one(ctx, "SELECT COUNT(*) FROM saas_outbox WHERE phone = $1 AND sent_at > {now} - 60000", []any{string(n.Phone)}, &p.Minute)
		return view{Page: "number", Title: "Number", Tenant: t, Number: n, Data: p}, err
	})
}

// deadLetters are the events of a number that could not be handled. A letter names no number, its body does.
func (a *app) deadLetters(ctx context.Context, n *number) (list []inbox.DeadLetter, err error) {
	for l, err := range a.inbox.DeadLetters(ctx) {
		if err != nil {
			return nil, err
		}
		events, err := webhook.Decode(l.Body)
		if err == nil && l.Kind == inbox.KindEvent && l.Index < len(events) && events[l.Index].Info().Phone == n.Phone {
			if list = append(list, l); len(list) == 50 {
				break
			}
		}
	}
	return list, nil
}

// replay handles a dead letter once more.
func (a *app) replay(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	list, err := a.deadLetters(r.Context(), n)
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(r.PathValue("letter"), 10, 64)
	for _, l := range list {
		if l.ID == inbox.ID(id) {
			_, err := a.inbox.Replay(r.Context(), l.ID)
			http.Redirect(w, r, fmt.Sprint("/numbers/", n.Phone), http.StatusSeeOther)
			return err
		}
	}
	return errNotFound
}

// refresh reads the number at Meta, and asks for what is due.
func (a *app) refresh(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	client, err := a.calls(r.Context(), n)
	if err == nil {
		_, err = a.tracker.Confirm(r.Context(), coexistence.API(client), n.Phone)
	}
	if err != nil {
		a.log.WarnContext(r.Context(), "a number could not be read", "phone", n.Phone, "err", err)
	}
	a.tidy(r.Context(), n.Phone)
	http.Redirect(w, r, fmt.Sprint("/numbers/", n.Phone), http.StatusSeeOther)
	return nil
}
