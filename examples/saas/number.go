package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// A number is a phone number that a tenant has connected.
type number struct {
	Phone  graph.PhoneNumberID
	WABA   graph.WABAID
	Phrase string // the number as people write it
	tenant string
	token  []byte // sealed
	endsAt int64  // of the token, or 0
}

// State is what the tracker knows of the number.
func (a *app) state(ctx context.Context, n *number) (coexistence.State, error) {
	return a.tracker.Store().State(ctx, n.Phone)
}

// TokenEnds is when the business has to go through the signup again, or the zero time.
func (n *number) TokenEnds() time.Time { return moment(n.endsAt) }

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
	n, err := a.db.exec(ctx, `INSERT INTO saas_numbers (phone, tenant, waba, display, token, token_ends_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (phone) DO UPDATE SET waba = excluded.waba, display = excluded.display, token = excluded.token,
			token_ends_at = excluded.token_ends_at WHERE saas_numbers.tenant = excluded.tenant`,
		b.Phone.ID, b.Owner, b.WABA, b.Phone.DisplayPhoneNumber, sealed, millis(b.TokenExpiresAt))
	if err == nil && n == 0 {
		err = signup.ErrTaken
	}
	return err
}

// reserve lets the signup stop before anything changes at Meta, if another tenant has the number.
func (a *app) reserve(ctx context.Context, owner string, _ graph.WABAID, phone graph.PhoneNumberID) error {
	n, err := a.numberBy(ctx, "phone", string(phone))
	switch {
	case errors.Is(err, errNotFound):
		return nil
	case err == nil && n.tenant != owner:
		return signup.ErrTaken
	}
	return err
}

func (a *app) numberBy(ctx context.Context, column, value string) (*number, error) {
	list, err := a.numbers(ctx, " WHERE "+column+" = ?", value)
	if err == nil && len(list) == 0 {
		err = errNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (a *app) numbers(ctx context.Context, where string, args ...any) (list []*number, err error) {
	err = a.db.each(ctx, "SELECT phone, tenant, waba, display, token, token_ends_at FROM saas_numbers"+where+" ORDER BY phone", args, func(rows *sql.Rows) error {
		n := new(number)
		list = append(list, n)
		return rows.Scan(&n.Phone, &n.tenant, &n.WABA, &n.Phrase, &n.token, &n.endsAt)
	})
	return list, err
}

// calls returns a client with the token of the business. A token that an old key has sealed is sealed anew on the way.
func (a *app) calls(ctx context.Context, n *number) (*cloudapi.Client, error) {
	token, err := a.keys.Decrypt(n.token, associated(n.tenant, n.WABA))
	if err != nil {
		return nil, err
	}
	if a.keys.Stale(n.token) {
		sealed, err := a.keys.Encrypt(token, associated(n.tenant, n.WABA))
		if err == nil {
			_, err = a.db.exec(ctx, "UPDATE saas_numbers SET token = $1 WHERE phone = $2 AND token = $3", sealed, n.Phone, n.token)
		}
		if err != nil {
			return nil, err
		}
	}
	return a.client.WithToken(graph.Secret(token)), nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
