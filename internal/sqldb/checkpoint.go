package sqldb

import "context"

const (
	// longLog is how many pages of a SQLite log are copied into the file at once: 16 MB. Pages that
	// change often are copied once for all their changes in it.
	longLog = 4000

	// shortLog is how many pages a writer may wait for.
	shortLog = 500

	// copies is how often a checkpoint begins again with the pages that were written meanwhile.
	copies = 3
)

// A walLog is the state of the log of a SQLite file, in pages.
type walLog struct {
	busy   bool // a checkpoint could not do all that its mode says
	pages  int  // from its beginning
	copied int  // of them, into the file
}

// Checkpoint copies the log of a SQLite file into the file if it is long. SQLite itself does that
// in the commit that finds it long, and all other writers wait for it, tens of milliseconds. Here
// only the last few pages are copied in the turn of a writer: the log begins anew when all of it is
// copied and nothing is written meanwhile.
func (d *DB) Checkpoint(ctx context.Context) error {
	log, err := d.checkpoint(ctx, "NOOP")
	if err != nil || log.pages-log.copied < longLog {
		return err
	}
	for n := 0; n < copies && log.pages-log.copied > shortLog; n++ {
		before := log.copied
		if log, err = d.checkpoint(ctx, "PASSIVE"); err != nil {
			return err
		}
		if log.copied == before { // a reader needs the file as it is
			return nil
		}
		if log, err = d.checkpoint(ctx, "NOOP"); err != nil {
			return err
		}
	}
	end, err := d.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer end()
	_, err = d.checkpoint(ctx, "PASSIVE")
	return err
}

// checkpoint does as much as the mode says and can be done without waiting.
func (d *DB) checkpoint(ctx context.Context, mode string) (log walLog, err error) {
	err = d.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&log.busy, &log.pages, &log.copied)
	return log, err
}
