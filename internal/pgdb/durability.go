package pgdb

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
)

// verify refuses a database that would not keep what it acknowledges, or that takes no writes. It
// looks at the settings of this role and database, which may differ from the server's.
func verify(ctx context.Context, db *sql.DB) error {
	var commit, fsync, pages, readOnly string
	err := db.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync'),
		current_setting('full_page_writes'), current_setting('transaction_read_only')`).
		Scan(&commit, &fsync, &pages, &readOnly)
	switch {
	case err != nil:
		return err
	case readOnly == "on":
		return errors.New("the database is read-only; connect to the primary, not to a standby " +
			"(target_session_attrs=read-write in the URL), and with default_transaction_read_only off")
	case commit == "off":
		return errors.New(
			"synchronous_commit is off, so a crash of the server would lose what was stored; turn it on for this " +
				"role or database",
		)
	case fsync == "off":
		return errors.New(
			"fsync is off, so a loss of power would destroy the database; turn it on in the server's configuration",
		)
	case pages == "off":
		return errors.New(
			"full_page_writes is off, so a loss of power can tear pages apart; turn it on in the server's " +
				"configuration",
		)
	}
	return nil
}

// asynchronous counts the standbys of a server that acknowledges commits without waiting for any of
// them. A role without pg_read_all_stats sees the rows, and not their state: what takes a copy, the
// log only, or logical changes is no standby.
const asynchronous = `SELECT count(*) FROM pg_stat_replication r
	WHERE COALESCE(r.state, 'streaming') IN ('streaming', 'catchup')
	AND r.application_name NOT IN ('pg_basebackup', 'pg_receivewal')
	AND NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
	AND (current_setting('synchronous_standby_names') = '' OR current_setting('synchronous_commit') = 'local')`

// warnOfStandbys says in the log that a failover would lose what was acknowledged. That is no
// reason to refuse: a host may never fail over, or prefer it so. Where it cannot be read, nothing
// is said.
func warnOfStandbys(ctx context.Context, db *sql.DB, logger *slog.Logger) {
	if logger == nil {
		return
	}
	var standbys int
	if err := db.QueryRowContext(ctx, asynchronous).Scan(&standbys); err != nil || standbys == 0 {
		return
	}
	logger.WarnContext(ctx, "PostgreSQL answers before a standby has what is stored: after a failover, webhook "+
		"deliveries that were acknowledged are missing; set synchronous_standby_names, and synchronous_commit to on",
		"standbys", standbys)
}
