package sqlsignup_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlsignup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup/signuptest"
)

// engines open a new database, and can open the same one again.
var engines = map[string]func(t *testing.T) (open func() *sql.DB, dialect sqlsignup.Dialect){
	"sqlite": func(t *testing.T) (func() *sql.DB, sqlsignup.Dialect) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "signups.db")
		return func() *sql.DB {
			s, err := sqlite.Open(t.Context(), path)
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			return s.DB()
		}, sqlsignup.SQLite
	},
	"postgresql": func(t *testing.T) (func() *sql.DB, sqlsignup.Dialect) {
		t.Helper()
		server := os.Getenv("COEXISTENCE_POSTGRES")
		if server == "" {
			t.Skip("set COEXISTENCE_POSTGRES to the URL of a PostgreSQL database; each test makes a schema of its own there and drops it")
		}
		db, err := sql.Open("pgx", server)
		require.NoError(t, err)
		schema := "signup_test_" + strings.ToLower(rand.Text())
		_, err = db.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
		require.NoError(t, err)
		t.Cleanup(func() {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+" CASCADE")
			require.NoError(t, errors.Join(err, db.Close()))
		})
		u, err := url.Parse(server)
		require.NoError(t, err)
		q := u.Query()
		q.Set("search_path", schema)
		u.RawQuery = q.Encode()
		return func() *sql.DB {
			s, err := postgres.Open(t.Context(), u.String())
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			return s.DB()
		}, sqlsignup.PostgreSQL
	},
}

func each(t *testing.T, test func(t *testing.T, open func() *sql.DB, dialect sqlsignup.Dialect)) {
	t.Helper()
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open, dialect := engine(t)
			test(t, open, dialect)
		})
	}
}

func TestADatabaseKeepsThePromises(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() *sql.DB, dialect sqlsignup.Dialect) {
		require.NoError(t, signuptest.TestStore(t.Context(), func(ctx context.Context) (signup.Store, error) {
			return sqlsignup.Open(ctx, open(), dialect)
		}))
	})
}

func TestTheTableIsMadeOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() *sql.DB, dialect sqlsignup.Dialect) {
		db := open()
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, errs[i] = sqlsignup.Open(t.Context(), db, dialect) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		_, err := db.ExecContext(t.Context(), "INSERT INTO signup_schema (version) VALUES (99)")
		require.NoError(t, err)
		_, err = sqlsignup.Open(t.Context(), db, dialect)
		require.ErrorContains(t, err, "run the newer release")
	})
}

func TestADatabaseIsNeeded(t *testing.T) {
	t.Parallel()
	_, err := sqlsignup.Open(t.Context(), nil, sqlsignup.SQLite)
	require.ErrorContains(t, err, "open it first")
	open, _ := engines["sqlite"](t)
	_, err = sqlsignup.Open(t.Context(), open(), "oracle")
	require.ErrorContains(t, err, "use SQLite or PostgreSQL")
}

// A process takes the code, stops before the end and is gone. Another one finds the signup in the database and finishes it.
func TestASignupGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() *sql.DB, dialect sqlsignup.Dialect) {
		world := coexistencetest.NewWorld(coexistencetest.Config{})
		t.Cleanup(world.Close)
		phone := world.NewPhone(coexistencetest.PhoneConfig{})
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		start := func(db *sql.DB, progress func(signup.Step) error) *signup.Flow {
			client, err := cloudapi.NewClient(world.ClientConfig())
			require.NoError(t, err)
			store, err := sqlsignup.Open(t.Context(), db, dialect)
			require.NoError(t, err)
			cipher, err := signup.NewCipher(key)
			require.NoError(t, err)
			f, err := signup.NewFlow(signup.Config{
				ConfigurationID: world.ConfigurationID(), Client: client, Store: store, Cipher: cipher,
				Progress: func(_ context.Context, step signup.Step, _ *signup.Business) error { return progress(step) },
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
		launch, err := f.Launch(signup.LaunchOptions{})
		require.NoError(t, err)
		options, err := json.Marshal(launch)
		require.NoError(t, err)
		a, err := f.Begin(t.Context(), "tenant-1")
		require.NoError(t, err)
		popup, err := world.OpenSignup(options)
		require.NoError(t, err)
		result, err := popup.Complete(phone, true)
		require.NoError(t, err)
		session, err := signup.ParseSession(result.Message)
		require.NoError(t, err)
		_, err = f.Finish(t.Context(), signup.Submission{State: a.State, Owner: "tenant-1", Code: result.Code, Session: session})
		require.Error(t, err)
		require.NoError(t, first.Close())

		f = start(open(), func(signup.Step) error { return nil })
		waiting, err := f.Attempts(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, waiting, 1)
		require.True(t, waiting[0].Granted)
		require.Equal(t, signup.StepVerify, waiting[0].Step)
		var taken *signup.Business
		b, err := f.Continue(t.Context(), waiting[0].ID, "", func(_ context.Context, b *signup.Business) error { taken = b; return nil })
		require.NoError(t, err)
		require.Equal(t, signup.OutcomeReady, b.Outcome)
		require.Same(t, b, taken)
		require.Equal(t, phone.ID(), b.Phone.ID)
		require.Equal(t, session, b.Session)
	})
}
