package pginbox_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/inboxtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/pginbox"
)

// database returns the URL of an empty schema of its own, which is dropped at the end.
func database(t testing.TB) string {
	t.Helper()
	server := os.Getenv("COEXISTENCE_POSTGRES")
	if server == "" {
		t.Skip("set COEXISTENCE_POSTGRES to the URL of a PostgreSQL database, like postgres://postgres@127.0.0.1:5432/test; " +
			"each test makes schemas of its own there and drops them")
	}
	db, err := sql.Open("pgx", server)
	require.NoError(t, err)
	schema := "inbox_test_" + strings.ToLower(rand.Text())
	_, err = db.ExecContext(t.Context(), "CREATE SCHEMA "+schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+" CASCADE")
		require.NoError(t, errors.Join(err, db.Close()))
	})
	return with(t, server, "search_path", schema)
}

// with adds a parameter to a URL.
func with(t testing.TB, server, name, value string) string {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // which pgx leaves as it is
	return u.String()
}

// engine makes storages in schemas of their own. Each store over one has connections of its own, like a process.
func engine(t testing.TB, settings ...string) inboxtest.Engine {
	return inboxtest.Engine{New: func(context.Context) (inboxtest.Storage, error) {
		var stores []*pginbox.Store
		url := database(t)
		for i := 0; i < len(settings); i += 2 {
			url = with(t, url, settings[i], settings[i+1])
		}
		return inboxtest.Storage{
			Open: func(ctx context.Context) (inbox.Store, error) {
				s, err := pginbox.OpenStore(ctx, url)
				if err == nil {
					stores = append(stores, s)
				}
				return s, err
			},
			Close: func() (err error) {
				for _, s := range stores {
					err = errors.Join(err, s.Close())
				}
				return err
			},
		}, nil
	}}
}

func TestADatabaseKeepsThePromisesOfAStore(t *testing.T) {
	t.Parallel()
	require.NoError(t, inboxtest.TestStore(t.Context(), engine(t)))
}

// A pooler that knows no prepared statements, and a host whose transactions are stricter than usual.
func TestOtherSettingsOfTheConnectionWorkAsWell(t *testing.T) {
	t.Parallel()
	for _, setting := range [][]string{
		{"default_query_exec_mode", "exec"}, {"default_query_exec_mode", "simple_protocol"}, {"default_transaction_isolation", "serializable"},
	} {
		t.Run(setting[1], func(t *testing.T) {
			t.Parallel()
			require.NoError(t, inboxtest.TestStore(t.Context(), engine(t, setting...)))
		})
	}
}
