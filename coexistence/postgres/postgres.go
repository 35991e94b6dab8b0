// Package postgres opens one PostgreSQL database for everything that the SDK stores about WhatsApp
// coexistence numbers, for one process or for many on several machines: their state, messages and
// contacts, tokens, signups, the inbox and the outbox.
//
//	db, err := postgres.Open(ctx, postgres.Config{URL: os.Getenv("DATABASE_URL")})
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store(), Client: clientOf})
//	…
//	in, err := db.Inbox(webhook.MultiHandler(tracker, &mux), inbox.Config{Logger: logger})
//	…
//	err = in.Start(ctx)
//
// Every process opens the same database and makes a tracker, an inbox and an outbox of its own.
// They may handle the same events, in any order and at once: the result is that of one. A
// conversation is handled by one process at a time; if that dies, another one takes over when its
// lease is over, by the database's clock.
//
// PostgreSQL 13 and newer are supported.
//
// # Connections
//
// One pool serves all of it. With [Config.URL] it is ours and has up to 16 connections, or as many
// as the parameter pool_max_conns of the URL says, 4 at least. [Config.Pool] and [Config.DB] take a
// pool of the host instead, which Close leaves open.
//
// Processes tell each other about new deliveries by LISTEN and NOTIFY, which need a connection that
// lasts: one beside the pool of a URL, one taken out of a pgxpool, one that is kept of a pool of
// database/sql. Behind a pooler that gives each transaction another connection, nothing is lost,
// but new deliveries are found by asking once a second (PollInterval of the inbox.Config). There,
// add default_query_exec_mode=exec to the URL unless the pooler knows prepared statements
// (PgBouncer does since 1.21).
//
// A connection that has died without a word, because a network drops its packets or a pooler hangs,
// costs fifteen seconds at most: what waits for it is given up, idle ones are tested, and the work
// continues with fresh ones. pgx makes a connection to the address of the one that it gives up, to
// cancel what runs there. If that address is gone, a [Config.Pool] waits for this too, so let its
// URL have a connect_timeout of 3 seconds.
//
// # Failover
//
// Open refuses a database with synchronous_commit, fsync or full_page_writes off: it would lose
// what it has acknowledged. Whatever else happens to the one server, nothing is lost.
//
// A standby has what is stored only a moment later, unless it is synchronous. A failover to an
// asynchronous one loses what was stored in that moment: deliveries that Meta does not send again,
// and that the outbox was about to send a message, which is then sent twice. So where PostgreSQL
// fails over, name standbys in synchronous_standby_names, and leave synchronous_commit on:
//
//	synchronous_standby_names = 'ANY 1 (standby1, standby2)'
//
// With two of them, one may be down and commits continue. For a managed database that is the mode
// with a synchronous standby, such as Multi-AZ; read replicas are asynchronous. Open warns through
// [Config.Logger] if standbys are connected and none is synchronous. It says nothing where standbys
// cannot be seen, such as those of a managed database that copies its disks.
//
// # The tables
//
// Their names begin with coexistence_, signup_, webhook_ and outbox_. They are made in the first
// schema of the search path; to keep them in one of their own, create it and add search_path=NAME
// to the URL. Open makes them, and brings those of an older release up to date; several processes
// may do so at once. It refuses those of a newer release; in a rolling upgrade, older processes
// that are already running go on.
//
// The role needs the right to create tables for that. Where the role of production has no such
// right, open with [MigrateOff] and have another role run what [Schema] returns, which is
// docs/schema/postgres.sql too, or the files of package migrations with the tool that you have.
// They say in the table coexistence_migrations which of them have been applied.
//
// Reading the tables with SQL is fine, but they change from release to release. Changing them is
// not: columns are derived from documents.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/storage.md
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres/migrations"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// Config names the database. One of URL, Pool and DB is required.
type Config struct {
	// URL is that of the database: postgres://user:password@host:5432/database. No error repeats
	// it.
	URL string

	// Pool is a pool of the host, of 4 connections or more.
	Pool *pgxpool.Pool

	// DB is a pool of the host through database/sql, of 4 connections or more, with the driver pgx
	// (github.com/jackc/pgx/v5/stdlib). With a driver that wraps pgx, new deliveries of other
	// processes are found by asking.
	DB *sql.DB

	// Keyring seals tokens: see [storage.DB.Tokens]. Without it, none can be kept.
	Keyring *signup.Keyring

	// Migrate says whether Open may make and change tables. The zero value is [MigrateAuto].
	Migrate MigrateMode

	// Logger gets a warning if a failover of the database would lose what was stored. If nil,
	// nothing is logged.
	Logger *slog.Logger
}

// A MigrateMode decides what Open does about tables that are missing or of an older release.
type MigrateMode int

const (
	MigrateAuto MigrateMode = iota // makes them, or brings them up to date
	MigrateOff                     // refuses them, with an error that says what is missing
)

// A DB is an open database with everything that the SDK stores.
type DB = storage.DB

// Open connects to the database, checks that it keeps what it acknowledges, and brings the tables
// up to date. It warns of standbys that would not have what was acknowledged. Close it when the
// program ends.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Migrate != MigrateAuto && cfg.Migrate != MigrateOff {
		return nil, errors.New("postgres: Config.Migrate is neither MigrateAuto nor MigrateOff")
	}
	db, err := pgdb.Open(ctx, pgdb.Config{
		URL: cfg.URL, Pool: cfg.Pool, DB: cfg.DB, Check: cfg.Migrate == MigrateOff, Logger: cfg.Logger,
	})
	if err != nil {
		if errors.Is(err, migrate.ErrPending) {
			err = fmt.Errorf("%w; have a role that may create tables run what postgres.Schema returns "+
				"(docs/schema/postgres.sql), "+
				"or what is missing of the files in coexistence/postgres/migrations", err)
		}
		return nil, fmt.Errorf("postgres: %w", err)
	}
	in, err := db.Inbox(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), db.Close())
	}
	return storage.New(db.DB, cfg.Keyring, in, func() error { return errors.Join(in.Close(), db.Close()) }), nil
}

// Schema returns the SQL that makes the tables in an empty database, for roles that may not do it
// themselves: see [MigrateOff].
func Schema() string { return migrate.SQL(migrations.FS) }
