package sqlsignup_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup/signuptest"
)

// A database is what package sqlite or package postgres has opened.
type database interface {
	Signups() signup.Store
	Close() error
}

// engines open a new database, and can open the same one again.
var engines = map[string]func(t *testing.T) (open func() database){
	"sqlite": func(t *testing.T) func() database {
		t.Helper()
		path := filepath.Join(t.TempDir(), "signups.db")
		return func() database {
			db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		}
	},
	"postgresql": func(t *testing.T) func() database {
		t.Helper()
		if pgtest.Server() == "" {
			t.Skip(pgtest.Missing)
		}
		url, drop, err := pgtest.Schema(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
		return func() database {
			db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		}
	},
}

func each(t *testing.T, test func(t *testing.T, open func() database)) {
	t.Helper()
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, engine(t))
		})
	}
}

func TestADatabaseKeepsThePromises(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() database) {
		db := open()
		require.NoError(t, signuptest.TestStore(t.Context(),
			func(context.Context) (signup.Store, error) { return db.Signups(), nil }))
	})
}

// A process takes the code, stops before the end and is gone. Another one finds the signup in the
// database and finishes it.
func TestASignupGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() database) {
		world := coexistencetest.NewWorld(coexistencetest.Config{})
		t.Cleanup(world.Close)
		phone := world.NewPhone(coexistencetest.PhoneConfig{})
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		var taken *signup.Connection
		start := func(db database, progress func(signup.Step) error) *signup.Flow {
			client, err := cloudapi.NewClient(world.ClientConfig())
			require.NoError(t, err)
			cipher, err := signup.NewKeyring(key)
			require.NoError(t, err)
			f, err := signup.NewFlow(signup.Config{
				ConfigurationID: world.ConfigurationID(), Client: client, Store: db.Signups(), Cipher: cipher,
				Progress: func(_ context.Context, step signup.Step,
					_ *signup.Connection) error {
					return progress(step)
				},
				Connected: func(_ context.Context, b *signup.Connection) error { taken = b; return nil },
			})
			require.NoError(t, err)
			return f
		}
		first := open()
		f := start(first, func(step signup.Step) error {
			if step == signup.StepVerify {
				return errors.New("the process has to end")
			}
			return nil
		})
		_, err := coexistencetest.SignUp(t.Context(), f, phone, coexistencetest.HistoryShared)
		require.ErrorContains(t, err, "the process has to end")
		require.NoError(t, first.Close())

		f = start(open(), func(signup.Step) error { return nil })
		waiting, err := f.Attempts(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, waiting, 1)
		require.Equal(t, signup.PhaseGranted, waiting[0].Phase)
		require.Equal(t, signup.StepVerify, waiting[0].Step)
		require.Nil(t, taken)
		b, err := f.Resume(t.Context(), waiting[0].ID, "")
		require.NoError(t, err)
		require.Equal(t, signup.OutcomeReady, b.Outcome)
		require.Same(t, b, taken)
		require.Equal(t, phone.ID(), b.Phone.ID)
		require.Equal(t, phone.WABA(), b.Session.WABAID, "what the popup said was kept")
	})
}
