package storage_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// each runs a test on a database of each kind. open opens it again, with another keyring.
func each(t *testing.T, test func(t *testing.T, open func(keys *signup.Keyring) *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "whatsapp.db")
		test(t, func(keys *signup.Keyring) *storage.DB {
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Keyring: keys})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		})
	})
	t.Run("postgresql", func(t *testing.T) {
		t.Parallel()
		if pgtest.Server() == "" {
			t.Skip(pgtest.Missing)
		}
		url, drop, err := pgtest.Schema(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
		test(t, func(keys *signup.Keyring) *storage.DB {
			db, err := postgres.Open(t.Context(), postgres.Config{URL: url, Keyring: keys})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		})
	})
}

func keyring(t *testing.T, names ...byte) *signup.Keyring {
	t.Helper()
	keys := make([][]byte, len(names))
	for i, name := range names {
		keys[i] = make([]byte, 32)
		keys[i][0] = name
	}
	ring, err := signup.NewKeyring(keys...)
	require.NoError(t, err)
	return ring
}

const canary = graph.Secret("EAAcanary")

func business(tenant string, phone graph.PhoneNumberID) *signup.Connection {
	return &signup.Connection{
		Tenant: tenant, Token: canary, TokenExpiresAt: time.Date(2027, 1, 20, 9, 0, 0, 0, time.UTC),
		WABAID: "102290129340398", Phone: &cloudapi.Phone{ID: phone},
		Onboarding: cloudapi.Onboarding{
			PhoneNumberID: phone, WABAIDs: []graph.WABAID{"102290129340398", "102290129340399"},
			DisplayPhoneNumber: "+1 555 0100",
		},
	}
}

func TestATokenIsKeptForItsNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(*signup.Keyring) *storage.DB) {
		tokens := open(keyring(t, 1)).Tokens()
		_, err := tokens.Get(t.Context(), "106540352242922")
		require.ErrorIs(t, err, storage.ErrNoToken)
		require.NoError(t, tokens.Put(t.Context(), business("bakery", "106540352242922")))
		require.NoError(t, tokens.Put(t.Context(), business("butcher", "106540352242923")))

		want := storage.TokenInfo{
			PhoneNumberID: "106540352242922", Tenant: "bakery", WABAID: "102290129340398",
			WABAIDs:            []graph.WABAID{"102290129340398", "102290129340399"},
			DisplayPhoneNumber: "+1 555 0100", ExpiresAt: time.Date(2027, 1, 20, 9, 0, 0, 0, time.UTC),
		}
		got, err := tokens.Get(t.Context(), "106540352242922")
		require.NoError(t, err)
		require.Equal(t, want, got)
		list, err := tokens.List(t.Context(), "bakery")
		require.NoError(t, err)
		require.Equal(t, []storage.TokenInfo{want}, list)

		// Another tenant does not get the number, before the signup and after it.
		require.ErrorIs(t, tokens.Reserve(t.Context(), "butcher", "", "106540352242922"), signup.ErrTaken)
		require.NoError(t, tokens.Reserve(t.Context(), "bakery", "", "106540352242922"))
		require.NoError(t, tokens.Reserve(t.Context(), "butcher", "", "106540352242924"))
		require.ErrorIs(t, tokens.Put(t.Context(), business("butcher", "106540352242922")), signup.ErrTaken)

		require.NoError(t, tokens.Delete(t.Context(), "106540352242922"))
		_, err = tokens.Get(t.Context(), "106540352242922")
		require.ErrorIs(t, err, storage.ErrNoToken)
	})
}

func TestAClientCallsWithTheTokenOfItsNumber(t *testing.T) {
	t.Parallel()
	meta := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(meta.Close)
	phone := meta.AddPhone(cloudapitest.Phone{})
	base, err := cloudapi.NewClient(meta.ClientConfig())
	require.NoError(t, err)
	each(t, func(t *testing.T, open func(*signup.Keyring) *storage.DB) {
		tokens := open(keyring(t, 1)).Tokens()
		b := business("bakery", phone.ID)
		b.Token = meta.ClientConfig().AccessToken
		require.NoError(t, tokens.Put(t.Context(), b))
		client, err := tokens.Client(base.WithToken("none"))(t.Context(), phone.ID)
		require.NoError(t, err)
		_, err = client.Phones.Get(t.Context(), phone.ID, cloudapi.PhoneGetOptions{})
		require.NoError(t, err)
		_, err = tokens.Client(base)(t.Context(), "106540352242999")
		require.ErrorIs(t, err, storage.ErrNoToken)
	})
}

// A person who can write to the database cannot give one tenant's token to another's number.
func TestATokenInAnotherRowDoesNotOpen(t *testing.T) {
	t.Parallel()
	base, err := cloudapi.NewClient(cloudapi.Config{AccessToken: "none"})
	require.NoError(t, err)
	for _, change := range []string{
		"UPDATE coexistence_tokens SET tenant = 'butcher'", "UPDATE coexistence_tokens SET waba = '1'",
		"UPDATE coexistence_tokens SET phone = '106540352242922'",
	} {
		each(t, func(t *testing.T, open func(*signup.Keyring) *storage.DB) {
			db := open(keyring(t, 1))
			require.NoError(t, db.Tokens().Put(t.Context(), business("bakery", "106540352242921")))
			_, err := db.SQL().ExecContext(t.Context(), change)
			require.NoError(t, err)
			var phone graph.PhoneNumberID
			require.NoError(t, db.SQL().QueryRowContext(t.Context(),
				"SELECT phone FROM coexistence_tokens").Scan(&phone))
			_, err = db.Tokens().Client(base)(t.Context(), phone)
			require.ErrorContains(t, err, "does not open")
			require.NotContains(t, err.Error(), string(canary))
		})
	}
}

// A new key in front takes over as tokens are used; then the old one can go.
func TestKeysAreChanged(t *testing.T) {
	t.Parallel()
	base, err := cloudapi.NewClient(cloudapi.Config{AccessToken: "none"})
	require.NoError(t, err)
	each(t, func(t *testing.T, open func(*signup.Keyring) *storage.DB) {
		db := open(keyring(t, 1))
		require.NoError(t, db.Tokens().Put(t.Context(), business("bakery", "106540352242922")))
		require.NoError(t, db.Close())
		use := func(names ...byte) error {
			db := open(keyring(t, names...))
			_, err := db.Tokens().Client(base)(t.Context(), "106540352242922")
			require.NoError(t, db.Close())
			return err
		}
		require.ErrorContains(t, use(2), "is the key that sealed it missing")
		require.NoError(t, use(2, 1))
		require.NoError(t, use(2))
	})
}

func TestTokensNeedAKeyring(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(*signup.Keyring) *storage.DB) {
		db := open(nil)
		require.ErrorContains(t, db.Tokens().Put(t.Context(), business("bakery", "106540352242922")),
			"Config.Keyring is nil")
		require.NoError(t, db.Close())
		require.ErrorContains(t, open(keyring(t, 1)).Tokens().Put(t.Context(), &signup.Connection{}),
			"the signup is not finished")
	})
}
