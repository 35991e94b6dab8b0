package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

var (
	// ErrNoToken says that no business has connected the number, or that its token was deleted. It
	// has to go through the signup.
	ErrNoToken = errors.New("storage: there is no token for this number; have the business connect it")

	errNoKeyring = errors.New("storage: Config.Keyring is nil, so no token can be sealed; make one with " +
		"signup.NewKeyring")
)

// Tokens knows which tenant has connected which number, and keeps the access token of each, sealed
// under tenant, account and number: copied into another row, it does not open.
type Tokens struct {
	db   *sqldb.DB
	keys *signup.Keyring
}

// A TokenInfo describes a token, without the token: it may be logged and shown.
type TokenInfo struct {
	// Tenant is the host's customer who has connected the number.
	PhoneNumberID graph.PhoneNumberID
	Tenant        string

	// WABAID is the account that the business named, WABAIDs are all that hold the number.
	WABAID  graph.WABAID
	WABAIDs []graph.WABAID

	// DisplayPhoneNumber is the number as Meta wrote it. Show it; do not route by it.
	DisplayPhoneNumber string

	// ExpiresAt is when the token ends, or the zero time for never. Meta documents no refresh: have
	// the business connect again before.
	ExpiresAt time.Time
}

// Put keeps the token of a business that has just connected its number, in place of an older one. A
// number of another tenant is not taken over: the error is [signup.ErrTaken], and support decides
// after asking both.
func (t *Tokens) Put(ctx context.Context, b *signup.Connection) error {
	switch {
	case t.keys == nil:
		return errNoKeyring
	case b.Phone == nil || b.Phone.ID == "" || b.Tenant == "" || b.Token.IsZero():
		return errors.New("storage: the signup is not finished: it has no number, tenant or token")
	}
	token, err := t.keys.Encrypt([]byte(b.Token.Reveal()), associated(b.Tenant, b.WABAID, b.Phone.ID))
	if err != nil {
		return err
	}
	wabas, err := json.Marshal(b.WABAIDs)
	if err != nil {
		return err
	}
	var expires int64
	if !b.TokenExpiresAt.IsZero() {
		expires = b.TokenExpiresAt.UnixMicro()
	}
	// The condition keeps a number with its tenant: of another one, no row is changed.
	n, err := t.db.Write(ctx, `INSERT INTO coexistence_tokens (phone, tenant, waba, wabas, display, token, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (phone) DO UPDATE SET waba = excluded.waba, wabas = excluded.wabas, display = excluded.display,
			token = excluded.token, expires_at = excluded.expires_at WHERE coexistence_tokens.tenant = excluded.tenant`,
		string(b.Phone.ID), b.Tenant, string(b.WABAID), string(wabas), b.DisplayPhoneNumber, token, expires)
	if err == nil && n == 0 {
		return signup.ErrTaken
	}
	return sqldb.Explain("storage: Tokens.Put", err)
}

// associated binds a sealed token to its owner. A row that was copied to another number, account or
// tenant does not open.
func associated(tenant string, waba graph.WABAID, phone graph.PhoneNumberID) []byte {
	return fmt.Appendf(nil, "token\x00%s\x00%s\x00%s", tenant, waba, phone)
}

// Get returns what is known of a number's token, or [ErrNoToken].
func (t *Tokens) Get(ctx context.Context, phone graph.PhoneNumberID) (TokenInfo, error) {
	list, err := t.list(ctx, "Get", "phone = ?", string(phone))
	if err == nil && len(list) == 0 {
		err = ErrNoToken
	}
	if err != nil {
		return TokenInfo{}, err
	}
	return list[0], nil
}

// List returns what is known of a tenant's tokens, by number. A tenant without numbers has none,
// which is no error.
func (t *Tokens) List(ctx context.Context, tenant string) ([]TokenInfo, error) {
	return t.list(ctx, "List", "tenant = ?", tenant)
}

// list reads what is known of the tokens that match a condition, by number. what names the method
// in errors. The tokens themselves are not read.
func (t *Tokens) list(ctx context.Context, what, condition, arg string) (list []TokenInfo, err error) {
	ctx, answered := t.db.Statement(ctx)
	defer answered()
	rows, err := t.db.QueryContext(ctx, t.db.Dialect.Rebind("SELECT phone, tenant, waba, wabas, display, expires_at "+
		"FROM coexistence_tokens WHERE "+
		condition+" ORDER BY phone"), arg)
	if err != nil {
		return nil, sqldb.Explain("storage: Tokens."+what, err)
	}
	defer rows.Close()
	for rows.Next() {
		var info TokenInfo
		var wabas string
		var expires int64
		if err := rows.Scan(&info.PhoneNumberID, &info.Tenant, &info.WABAID, &wabas, &info.DisplayPhoneNumber,
			&expires); err != nil {
			return nil, sqldb.Explain("storage: Tokens."+what, err)
		}
		if err := json.Unmarshal([]byte(wabas), &info.WABAIDs); err != nil {
			return nil, fmt.Errorf("storage: the accounts of number %s do not decode; something else changed the table",
				info.PhoneNumberID)
		}
		if expires != 0 {
			info.ExpiresAt = time.UnixMicro(expires).UTC()
		}
		list = append(list, info)
	}
	return list, sqldb.Explain("storage: Tokens."+what, rows.Err())
}

// Delete forgets a number's token. It is not revoked at Meta: see [signup.Flow.Revoke]. Calls for
// the number then end with [ErrNoToken]; what was stored of the number stays.
func (t *Tokens) Delete(ctx context.Context, phone graph.PhoneNumberID) error {
	_, err := t.db.Write(ctx, "DELETE FROM coexistence_tokens WHERE phone = ?", string(phone))
	return sqldb.Explain("storage: Tokens.Delete", err)
}

// Reserve returns [signup.ErrTaken] if another tenant has the number. As [signup.Config].Reserve it
// ends such a signup before anything changes at Meta.
func (t *Tokens) Reserve(ctx context.Context, tenant string, _ graph.WABAID, phone graph.PhoneNumberID) error {
	info, err := t.Get(ctx, phone)
	switch {
	case errors.Is(err, ErrNoToken):
		return nil
	case err == nil && info.Tenant != tenant:
		return signup.ErrTaken
	}
	return err
}

// Client returns the function that tracker, outbox and jobs ask for the client of a number: base,
// with the token of the business that has it. The error is [ErrNoToken] if there is none. A token
// that an old key has sealed is sealed again on the way.
func (t *Tokens) Client(base *cloudapi.Client) coexistence.ClientFunc {
	return func(ctx context.Context, phone graph.PhoneNumberID) (*cloudapi.Client, error) {
		token, err := t.open(ctx, phone)
		if err != nil {
			return nil, err
		}
		return base.WithToken(token), nil
	}
}

// open returns a token in the clear, and seals it again if an old key has sealed it, so that the
// old key can go once all numbers have been called. Only what was read is replaced: the business
// may have connected again meanwhile.
func (t *Tokens) open(ctx context.Context, phone graph.PhoneNumberID) (graph.Secret, error) {
	if t.keys == nil {
		return "", errNoKeyring
	}
	var tenant string
	var waba graph.WABAID
	var sealed []byte
	asking, answered := t.db.Statement(ctx)
	defer answered()
	err := t.db.QueryRowContext(asking, t.db.Dialect.Rebind("SELECT tenant, waba, token FROM coexistence_tokens WHERE "+
		"phone = ?"), string(phone)).
		Scan(&tenant, &waba, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNoToken
	}
	if err != nil {
		return "", sqldb.Explain("storage: Tokens.Client", err)
	}
	whose := associated(tenant, waba, phone)
	token, err := t.keys.Decrypt(sealed, whose)
	if err != nil {
		return "", fmt.Errorf("storage: the token of number %s does not open; is the key that sealed it missing, or "+
			"was its row changed: %w", phone, err)
	}
	if t.keys.NeedsReencryption(sealed) {
		anew, err := t.keys.Encrypt(token, whose)
		if err != nil {
			return "", err
		}
		if _, err := t.db.Write(ctx, "UPDATE coexistence_tokens SET token = ? WHERE phone = ? AND token = ?", anew,
			string(phone), sealed); err != nil {
			return "", sqldb.Explain("storage: Tokens.Client", err)
		}
	}
	return graph.Secret(token), nil
}
