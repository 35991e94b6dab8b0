package sqldb

import (
	"context"
	"database/sql"
	"time"
)

// scrubStep is how many bytes of free pages are overwritten in one transaction.
const scrubStep = 4 << 20

// Scrub overwrites what deleted rows have left in a SQLite file: pages that nothing uses any more,
// and the log beside it. (Within pages that are in use, SQLite overwrites what it deletes: see
// secure_delete in package sqlitedb.) It works in small steps. PostgreSQL overwrites with time,
// when it vacuums.
//
// Zeros are put into free pages as rows of a table, until there are no more free pages, and are
// deleted then; other writers may take some of the pages meanwhile, which serves as well.
func (d *DB) Scrub(ctx context.Context) error {
	if d.Dialect != SQLite {
		return nil
	}
	const table = "coexistence_scrub"
	if _, err := d.Write(ctx, "CREATE TABLE IF NOT EXISTS "+table+" (zeros BLOB NOT NULL)"); err != nil {
		return err
	}
	for done := false; !done; {
		err := d.Transact(ctx, func(tx *sql.Tx) error {
			var free, size int64
			err := tx.QueryRowContext(ctx, "SELECT f.freelist_count, s.page_size FROM pragma_freelist_count AS f "+
				"CROSS JOIN pragma_page_size AS s").Scan(&free, &size)
			if err != nil {
				return err
			}
			// One more than there are, since a row needs a little beside its zeros.
			n := min(free*size+size, scrubStep)
			done = free == 0
			_, err = tx.ExecContext(ctx, "INSERT INTO "+table+" (zeros) VALUES (zeroblob(?))", n)
			return err
		})
		if err != nil {
			return err
		}
	}
	for n := int64(1); n > 0; {
		var err error
		n, err = d.Write(ctx, "DELETE FROM "+table+" WHERE rowid IN (SELECT rowid FROM "+table+" LIMIT 1)")
		if err != nil {
			return err
		}
	}
	if _, err := d.Write(ctx, "DROP TABLE "+table); err != nil {
		return err
	}
	return d.emptyLog(ctx)
}

// emptyLog copies the log into the file and makes it empty. Readers keep what they read in the log,
// so it is tried until none is in the way. With a log that is never empty, it becomes so with the
// next Scrub, or when the file is closed.
func (d *DB) emptyLog(ctx context.Context) error {
	const tries = 50
	for range tries {
		end, err := d.takeTurn(ctx)
		if err != nil {
			return err
		}
		log, err := d.checkpoint(ctx, "TRUNCATE")
		end()
		if err != nil || !log.busy {
			return err
		}
		if err := Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
