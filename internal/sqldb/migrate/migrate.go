// Package migrate brings the tables of our stores up to date by SQL files. Files are only added:
// what a release has published is never changed, so that all databases of a version are alike.
// There is no way back; an older release refuses newer tables.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// lockID is that of the advisory lock of PostgreSQL under which one process migrates: the text
// "coexist" as a number.
const lockID = 0x636f6578697374

// ErrPending says that tables are missing or older than this release.
var ErrPending = errors.New("the tables are not up to date")

// A file is a migration. Its text adds its version to the table coexistence_migrations itself, so
// that any tool may run it.
type file struct {
	name    string
	version int
	text    string
}

// Up applies the migrations that have not been applied, all or none. Several processes may do so at
// once: the first one does it, and the others find it done. It only looks if there is nothing to
// do, which takes no right to create tables. It refuses tables of a newer release.
func Up(ctx context.Context, db *sqldb.DB, files fs.FS) error {
	if err := Check(ctx, db, files); !errors.Is(err, ErrPending) {
		return err
	}
	list, err := read(files)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, db.Dialect.TxOptions()) // in SQLite, with the lock of the file
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if db.Dialect == sqldb.PostgreSQL {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockID)); err != nil {
			return err
		}
	}
	// Outside of the transaction, which a missing table would end: what another process has done
	// while this one waited for the lock is committed.
	have, err := version(ctx, db)
	if err != nil {
		return err
	}
	for _, f := range list {
		if f.version <= have {
			continue
		}
		if _, err := tx.ExecContext(ctx, f.text); err != nil {
			return explain(f, err)
		}
	}
	return tx.Commit()
}

// Check returns an error that matches [ErrPending] if tables are missing or of an older release,
// and another one if they are of a newer one.
func Check(ctx context.Context, db *sqldb.DB, files fs.FS) error {
	list, err := read(files)
	if err != nil {
		return err
	}
	want := list[len(list)-1].version
	have, err := version(ctx, db)
	switch {
	case err != nil:
		return err
	case have > want:
		return fmt.Errorf("the tables are of version %d and this release knows %d; "+
			"run the newer release that made them", have, want)
	case have < want:
		return fmt.Errorf("%w: they are of version %d and this release needs %d (0 means that there are none)",
			ErrPending, have, want)
	}
	return nil
}

// version is that of the tables, 0 if there are none.
func version(ctx context.Context, db *sqldb.DB) (version int, err error) {
	err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM coexistence_migrations").Scan(&version)
	if sqldb.NoTable(err) {
		return 0, nil
	}
	return version, err
}

// SQL returns the files one after another, for hosts that run migrations with a tool of their own.
func SQL(files fs.FS) string {
	list, err := read(files)
	if err != nil {
		panic(err) // they are embedded in the program
	}
	var b strings.Builder
	for _, f := range list {
		b.WriteString("-- " + f.name + "\n" + strings.TrimPrefix(f.text, "-- +goose Up\n"))
	}
	return b.String()
}

// read returns the files, which are named like 0001_tables.sql, in the order of their versions. A
// gap in the numbers is an error.
func read(files fs.FS) (list []file, err error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil || len(names) == 0 {
		return nil, errors.Join(err, errors.New("there is no migration"))
	}
	for _, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(digits)
		if err != nil || version != len(list)+1 {
			return nil, fmt.Errorf("migration %s is out of order; the next number is %04d", name, len(list)+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		list = append(list, file{name, version, string(text)})
	}
	return list, nil
}

// explain adds what the host can do about an error of a migration.
func explain(f file, err error) error {
	if sqldb.State(err) == "42501" {
		return fmt.Errorf("the role may not create tables; grant it CREATE on the schema, or run the SQL of Schema "+
			"as another role and open with MigrateOff: %w", err)
	}
	return fmt.Errorf("migration %s: %w", f.name, err)
}
