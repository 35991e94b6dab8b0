package postgres_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// childOpens names, in a child, the database that it only opens.
const childOpens = "COEXISTENCE_TEST_CHILD_OPENS"

// Two processes start at once on an empty database: both open it, and its tables are made once.
func TestTwoProcessesOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	rounds := 5
	if os.Getenv("COEXISTENCE_LONG") != "" {
		rounds = 50
	}
	self, err := os.Executable()
	require.NoError(t, err)
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	for range rounds {
		url, drop, err := pgtest.Schema(t.Context())
		require.NoError(t, err)
		var all sync.WaitGroup
		var out [2][]byte
		var errs [2]error
		for i := range out {
			all.Go(func() {
				cmd := exec.CommandContext(t.Context(), self)
				cmd.Env = append(os.Environ(), childOpens+"="+url)
				out[i], errs[i] = cmd.CombinedOutput()
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs[:]...), "%s%s", out[0], out[1])
		db, err := sql.Open("pgx", url)
		require.NoError(t, err)
		require.Equal(t, []int{1}, versions(t, db))
		require.NoError(t, errors.Join(db.Close(), drop(t.Context())))
	}
}

// versions returns which migrations the database says have been applied.
func versions(t *testing.T, db *sql.DB) (list []int) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT version FROM coexistence_migrations ORDER BY version")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var version int
		require.NoError(t, rows.Scan(&version))
		list = append(list, version)
	}
	require.NoError(t, rows.Err())
	return list
}

// A host that has a pool lends it: everything works in it, another process's deliveries are
// announced in it, and Close leaves it open.
func TestAHostLendsItsPool(t *testing.T) {
	t.Parallel()
	for name, lend := range map[string]func(t *testing.T, url string) (cfg postgres.Config, answers func() error){
		"pgxpool": func(t *testing.T, url string) (postgres.Config, func() error) {
			t.Helper()
			pool, err := pgxpool.New(t.Context(), url)
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			return postgres.Config{Pool: pool}, func() error { return pool.Ping(t.Context()) }
		},
		"database/sql": func(t *testing.T, url string) (postgres.Config, func() error) {
			t.Helper()
			db, err := sql.Open("pgx", url)
			require.NoError(t, err)
			db.SetMaxOpenConns(4)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			return postgres.Config{DB: db}, func() error { return db.PingContext(t.Context()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := database(t)
			cfg, answers := lend(t, url)
			db, err := postgres.Open(t.Context(), cfg)
			require.NoError(t, err)
			require.NoError(t, coexistencetest.TestStore(t.Context(),
				func(context.Context) (coexistence.Store, error) { return db.Store(), nil }))

			handled := make(chan webhook.Event, 8)
			back, err := db.Inbox(webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
				handled <- ev
				return nil
			}), inbox.Config{PollInterval: time.Hour}) // so that what is handled was announced
			require.NoError(t, err)
			require.NoError(t, back.Start(t.Context()))
			front, err := open(t, url).Inbox(new(webhook.Mux), inbox.Config{}) // not started
			require.NoError(t, err)
			for _, id := range []string{"wamid.1", "wamid.2"} {
				require.NoError(t, front.Receive(t.Context(),
					webhook.Delivery{ReceivedAt: time.Now(), Body: []byte(strings.ReplaceAll(message, "ID", id))}))
				select {
				case <-handled:
				case <-time.After(time.Minute):
					require.Fail(t, "the delivery of another process was not announced", id)
				}
			}
			require.NoError(t, back.Shutdown(t.Context()))
			require.NoError(t, db.Close())
			require.NoError(t, answers(), "it is still the host's")
		})
	}
}

const message = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{
	"messaging_product":"whatsapp",
	"metadata":{"display_phone_number":"15550100199","phone_number_id":"106540352242922"},
	"messages":[{"from":"15550100101","id":"ID","timestamp":"1795168800","text":{"body":"hello"},"type":"text"}]},
	"field":"messages"}]}]}`

func TestAPoolThatIsTooSmallIsRefused(t *testing.T) {
	t.Parallel()
	url := database(t)
	pool, err := pgxpool.New(t.Context(), pgtest.With(url, "pool_max_conns", "2"))
	require.NoError(t, err)
	defer pool.Close()
	_, err = postgres.Open(t.Context(), postgres.Config{Pool: pool})
	require.ErrorContains(t, err, "the pool has up to 2 connections; give it 4 at least (pool_max_conns)")
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = postgres.Open(t.Context(), postgres.Config{DB: db})
	require.ErrorContains(t, err, "the pool has up to 1 connections; give it 4 at least (SetMaxOpenConns)")
	for _, size := range []string{"3", "many"} {
		_, err = postgres.Open(t.Context(), postgres.Config{URL: pgtest.With(url, "pool_max_conns", size)})
		require.EqualError(t, err, `postgres: pool_max_conns in the URL is "`+size+
			`"; make it a number, 4 at least`)
	}
}

func TestAURLSaysHowManyConnectionsItsPoolHas(t *testing.T) {
	t.Parallel()
	url := database(t)
	for address, want := range map[string]int{url: 16, pgtest.With(url, "pool_max_conns", "7"): 7} {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: address})
		require.NoError(t, err)
		require.Equal(t, want, db.SQL().Stats().MaxOpenConnections)
		require.NoError(t, db.Close())
	}
}

func TestADatabaseIsNamedInOneWay(t *testing.T) {
	t.Parallel()
	for _, cfg := range []postgres.Config{{}, {URL: "postgres://127.0.0.1/test", DB: new(sql.DB)}} {
		_, err := postgres.Open(t.Context(), cfg)
		require.ErrorContains(t, err, "name the database in one way")
	}
	_, err := postgres.Open(t.Context(), postgres.Config{URL: "postgres://127.0.0.1/test", Migrate: 7})
	require.ErrorContains(t, err, "MigrateAuto")
}

// A role that may not make tables opens what another role has made, by the text of Schema.
func TestARoleWithoutTheRightToMakeTables(t *testing.T) {
	t.Parallel()
	url := database(t)
	_, err := postgres.Open(t.Context(), postgres.Config{URL: url, Migrate: postgres.MigrateOff})
	require.ErrorContains(t, err, "they are of version 0 and this release needs 1")
	require.ErrorContains(t, err, "docs/schema/postgres.sql")

	owner, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer owner.Close()
	role := "coexistence_test_" + strings.ToLower(rand.Text())
	var schema string
	require.NoError(t, owner.QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema))
	run := func(statements string) {
		t.Helper()
		_, err := owner.ExecContext(context.WithoutCancel(t.Context()), statements)
		require.NoError(t, err)
	}
	run("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + schema + " TO " + role)
	defer run("DROP OWNED BY " + role + "; DROP ROLE " + role)
	as := pgtest.With(url, "user", role)

	_, err = postgres.Open(t.Context(), postgres.Config{URL: as})
	require.ErrorContains(t, err, "the role may not create tables")
	require.ErrorContains(t, err, "MigrateOff")

	run(postgres.Schema())
	run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema + " TO " + role +
		"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA " + schema + " TO " + role)
	for _, mode := range []postgres.MigrateMode{postgres.MigrateOff,
		postgres.MigrateAuto} { // there is nothing to be made any more
		db, err := postgres.Open(t.Context(), postgres.Config{URL: as, Migrate: mode})
		require.NoError(t, err)
		require.NoError(t, coexistencetest.TestStore(t.Context(),
			func(context.Context) (coexistence.Store, error) { return db.Store(), nil }))
		require.NoError(t, db.Close())
	}
}

func TestTablesOfANewerReleaseAreRefused(t *testing.T) {
	t.Parallel()
	url := database(t)
	_, err := open(t, url).SQL().ExecContext(t.Context(), "INSERT INTO coexistence_migrations (version) VALUES (99)")
	require.NoError(t, err)
	_, err = postgres.Open(t.Context(), postgres.Config{URL: url})
	require.ErrorContains(t, err, "the tables are of version 99 and this release knows 1; run the newer release")
}

// Each mistake has one error, which says what to do, and holds no password.
func TestADatabaseThatCannotBeOpenedIsExplained(t *testing.T) {
	t.Parallel()
	url := database(t)
	for name, tt := range map[string]struct{ url, want string }{
		"typo": {"postgre://me:canary@127.0.0.1:5432/test", "this is not the URL of a database"},
		"port": {"postgres://me:canary@host:port/test", "this is not the URL of a database"},
		"nothing listens": {"postgres://me:canary@127.0.0.1:1/test?connect_timeout=5",
			"the server does not answer there"},
		"unknown host":     {"postgres://me:canary@no-such-host.invalid/test?connect_timeout=5", "postgres: "},
		"unknown database": {database2(url, "/no_such_database"), "there is no such database"},
		"unknown user": {pgtest.With(pgtest.With(url, "user", "no_such_role"), "password", "canary"),
			"refuses this user or its password"},
		"read-only": {pgtest.With(url, "default_transaction_read_only", "on"),
			"the database is read-only; connect to the primary"},
		"synchronous_commit": {pgtest.With(url, "synchronous_commit", "off"), "synchronous_commit is off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Open(t.Context(), postgres.Config{URL: tt.url})
			require.ErrorContains(t, err, "postgres: ")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

// database2 is the URL with another path.
func database2(url, path string) string {
	head, query, _ := strings.Cut(url, "?")
	return head[:strings.LastIndex(head, "/")] + path + "?" + query
}

// The text in docs is for people who have no Go at hand.
func TestTheSchemaInDocsIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", "postgres.sql"))
	require.NoError(t, err)
	require.Equal(t, postgres.Schema(), string(text), "write what Schema returns into docs/schema/postgres.sql")
}
