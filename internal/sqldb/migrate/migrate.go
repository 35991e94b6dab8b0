// Package migrate brings the tables of our stores up to date, by SQL files and pressly/goose.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// table says which migrations have been applied. It belongs to the files, which make and fill it themselves.
const table = "coexistence_migrations"

// lockID is that of the advisory lock of PostgreSQL under which one process migrates: the text "coexist" as a number.
const lockID = 0x636f6578697374

// ErrPending says that tables are missing or older than this release.
var ErrPending = errors.New("the tables are not up to date")

// Up applies the migrations that have not been applied, each in one transaction. Several processes may do so at once. It only looks if
// there is nothing to do, which takes no right to create tables. It refuses tables of a newer release.
func Up(ctx context.Context, db *sqldb.DB, files fs.FS) error {
	err := Check(ctx, db, files)
	if !errors.Is(err, ErrPending) {
		return err
	}
	if db.Dialect == sqldb.PostgreSQL {
		// A transaction of its own holds the lock: goose's locks belong to a session, and a pooler in front of the database may give each
		// transaction another one. It ends with the process, however that ends.
		tx, err := db.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockID)); err != nil {
			return err
		}
		if err := Check(ctx, db, files); !errors.Is(err, ErrPending) {
			return err // another process has done it meanwhile
		}
	}
	goose, err := newProvider(db, files)
	if err != nil {
		return err
	}
	_, err = goose.Up(ctx)
	return explain(err)
}

// Check returns an error that matches [ErrPending] if tables are missing or of an older release, and another one if they are of a newer one.
func Check(ctx context.Context, db *sqldb.DB, files fs.FS) error {
	want, err := newest(db, files)
	if err != nil {
		return err
	}
	var have int64
	err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM "+table).Scan(&have)
	switch {
	case err != nil && !sqldb.NoTable(err):
		return err
	case have > want:
		return fmt.Errorf("the tables are of version %d and this release knows %d; run the newer release that made them", have, want)
	case have < want:
		return fmt.Errorf("%w: they are of version %d and this release needs %d (0 means that there are none)", ErrPending, have, want)
	}
	return nil
}

// SQL returns the files one after another.
func SQL(files fs.FS) string {
	names, _ := fs.Glob(files, "*.sql") // the pattern is well-formed
	var b strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // they are embedded in the program
		}
		b.WriteString("-- " + name + "\n")
		b.WriteString(strings.TrimPrefix(string(text), "-- +goose Up\n"))
	}
	return b.String()
}

func newest(db *sqldb.DB, files fs.FS) (int64, error) {
	goose, err := newProvider(db, files)
	if err != nil {
		return 0, err
	}
	sources := goose.ListSources()
	return sources[len(sources)-1].Version, nil
}

func newProvider(db *sqldb.DB, files fs.FS) (*goose.Provider, error) {
	return goose.NewProvider("", db.DB, files, goose.WithStore(store{db.Dialect}), goose.WithDisableGlobalRegistry(true))
}

// explain adds what the host can do about an error of a migration.
func explain(err error) error {
	if sqldb.State(err) == "42501" {
		return fmt.Errorf("the role may not create tables; grant it CREATE on the schema, or run the SQL of Schema as another role and open with "+
			"MigrateOff: %w", err)
	}
	return err
}

// A store is the version table, for goose. The files insert their versions themselves, so an insert may find its row there.
type store struct{ dialect sqldb.Dialect }

func (s store) Tablename() string { return table }

func (s store) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	at := "TEXT"
	if s.dialect == sqldb.PostgreSQL {
		at = "TIMESTAMPTZ"
	}
	_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+table+
		" (version BIGINT PRIMARY KEY, applied_at "+at+" NOT NULL DEFAULT CURRENT_TIMESTAMP)")
	return err
}

func (s store) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	_, err := db.ExecContext(ctx, s.dialect.Rebind("INSERT INTO "+table+" (version) VALUES (?) ON CONFLICT (version) DO NOTHING"), req.Version)
	return err
}

func (s store) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	_, err := db.ExecContext(ctx, s.dialect.Rebind("DELETE FROM "+table+" WHERE version = ?"), version)
	return err
}

func (s store) GetMigration(ctx context.Context, db database.DBTxConn, version int64) (*database.GetMigrationResult, error) {
	var n int
	err := db.QueryRowContext(ctx, s.dialect.Rebind("SELECT COUNT(*) FROM "+table+" WHERE version = ?"), version).Scan(&n)
	if err == nil && n == 0 {
		err = database.ErrVersionNotFound
	}
	if err != nil {
		return nil, err
	}
	return &database.GetMigrationResult{Timestamp: time.Time{}, IsApplied: true}, nil
}

func (s store) GetLatestVersion(ctx context.Context, db database.DBTxConn) (int64, error) {
	var version sql.NullInt64
	err := db.QueryRowContext(ctx, "SELECT MAX(version) FROM "+table).Scan(&version)
	if err == nil && !version.Valid {
		err = database.ErrVersionNotFound
	}
	return version.Int64, err
}

func (s store) ListMigrations(ctx context.Context, db database.DBTxConn) (list []*database.ListMigrationsResult, err error) {
	rows, err := db.QueryContext(ctx, "SELECT version FROM "+table+" ORDER BY version DESC")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		m := &database.ListMigrationsResult{IsApplied: true}
		if err := rows.Scan(&m.Version); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
