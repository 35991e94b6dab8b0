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
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A number is a phone number that a tenant has connected.
type number struct {
	Phone  graph.PhoneNumberID
	WABA   graph.WABAID
	Phrase string // the number as people write it
	tenant string
	token  []byte // sealed
	EndsAt int64  // of the token, after which the business has to sign up again; 0 for never
}

// openKeys reads what tokens are sealed with. Without any text, a key lives as long as the process,
// which is good for playing.
func openKeys(text graph.Secret) (*signup.Keyring, error) {
	if text == "" {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails, or ends the program
		return signup.NewCipher(key)
	}
	return signup.ParseKeyring(text)
}

// associated binds a sealed token to whose it is: copied into another tenant's row, it does not open.
func associated(tenant string, waba graph.WABAID) []byte {
	return fmt.Appendf(nil, "token\x00%s\x00%s", tenant, waba)
}

// keep stores a number with its token. A number that another tenant has is not taken over: support decides, after asking both.
func (a *app) keep(ctx context.Context, b *signup.Business) error {
	sealed, err := a.keys.Encrypt([]byte(b.Token.Reveal()), associated(b.Owner, b.WABA))
	if err != nil {
		return err
	}
	ends := max(b.TokenExpiresAt.Unix(), 0)
	r, err := a.db.SQL().ExecContext(ctx, `INSERT INTO saas_numbers (phone, tenant, waba, display, token, token_ends_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (phone) DO UPDATE SET waba = excluded.waba, display = excluded.display, token = excluded.token,
			token_ends_at = excluded.token_ends_at WHERE saas_numbers.tenant = excluded.tenant`,
		string(b.Phone.ID), b.Owner, string(b.WABA), b.Phone.DisplayPhoneNumber, sealed, ends)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, signup.ErrTaken)
	}
	return nil
}

// reserve lets the signup stop before anything changes at Meta, if another tenant has the number.
func (a *app) reserve(ctx context.Context, owner string, _ graph.WABAID, phone graph.PhoneNumberID) error {
	n, err := a.number(ctx, phone)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err == nil && n.tenant != owner {
		err = signup.ErrTaken
	}
	return err
}

func (a *app) number(ctx context.Context, phone graph.PhoneNumberID) (*number, error) {
	list, err := a.numbers(ctx, "WHERE phone = $1", string(phone))
	return pick(list, err, func(*number) bool { return true })
}

func (a *app) numbers(ctx context.Context, where string, args ...any) (list []*number, err error) {
	rows, err := a.db.SQL().QueryContext(ctx, "SELECT phone, tenant, waba, display, token, token_ends_at FROM saas_numbers "+where+" ORDER BY phone", args...)
	for err == nil && rows.Next() {
		n := new(number)
		list = append(list, n)
		err = rows.Scan(&n.Phone, &n.tenant, &n.WABA, &n.Phrase, &n.token, &n.EndsAt)
	}
	if rows != nil {
		err = errors.Join(err, rows.Err(), rows.Close())
	}
	return list, err
}

// calls returns a client with the token of the business that has a number. A token that an old key has sealed is sealed anew on the way.
func (a *app) calls(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error) {
	n, err := a.number(ctx, phone)
	if err != nil {
		return nil, err
	}
	whose := associated(n.tenant, n.WABA)
	token, err := a.keys.Decrypt(n.token, whose)
	if err == nil && a.keys.Stale(n.token) {
		var sealed []byte
		if sealed, err = a.keys.Encrypt(token, whose); err == nil {
			_, err = a.db.SQL().ExecContext(ctx, "UPDATE saas_numbers SET token = $1 WHERE phone = $2 AND token = $3", sealed, string(phone), n.token)
		}
	}
	return a.client.WithToken(graph.Secret(token)), err
}

// resumeSignups goes on with signups that were cut off. Every process may do it: the package sees to it that nothing happens twice.
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
		state, err1 := a.tracker.Store().State(ctx, n.Phone)
		dead, err2 := a.deadLetters(ctx, n)
		return view{Page: "number", Title: "Number", Tenant: t, Number: n, Data: struct {
			*number
			State    coexistence.State
			Features []coexistence.FeatureChange
			Rate     int // messages a second that Meta lets the number pass
			Dead     []inbox.DeadLetter
			Drift    []webhook.DriftCount
		}{n, state, coexistence.Features(), cloudapi.CoexistenceRate, dead, a.drift(n.Phone).Snapshot()}}, errors.Join(err1, err2)
	})
}

// deadLetters are the events of a number that could not be handled. A letter names no number, its body does.
func (a *app) deadLetters(ctx context.Context, n *number) (list []inbox.DeadLetter, err error) {
	all, err := graph.Collect(a.inbox.DeadLetters(ctx))
	for _, l := range all {
		events, _ := webhook.Decode(l.Body)
		if l.Kind == inbox.KindEvent && l.Index < len(events) && events[l.Index].Info().Phone == n.Phone {
			list = append(list, l)
		}
	}
	return list, err
}

// replay handles a dead letter once more.
func (a *app) replay(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	list, err := a.deadLetters(r.Context(), n)
	l, err := pick(list, err, func(l inbox.DeadLetter) bool { return fmt.Sprint(l.ID) == r.PathValue("letter") })
	if err == nil {
		_, err = a.inbox.Replay(r.Context(), l.ID)
	}
	return see(w, r, fmt.Sprint("/numbers/", n.Phone), err)
}
