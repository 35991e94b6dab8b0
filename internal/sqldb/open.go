package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// SQLiteFile creates the file at path if it is not there, readable by its owner alone, and returns the name under which the driver
// modernc.org/sqlite opens it with the settings that make it durable, and fit for several connections of one process.
func SQLiteFile(path string) (dsn string, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	// SQLite gives the files beside it the same mode.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("the file cannot be opened; its folder has to exist and to be writable: %w", err)
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join([]string{
		"_txlock=immediate", // a transaction that reads first must not lose against one that has written meanwhile
		"_pragma=busy_timeout(10000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)", // NORMAL loses what was acknowledged when the power fails
		"_pragma=foreign_keys(1)",
		"_pragma=temp_store(MEMORY)",       // what a statement changes is noted until it is over: not in a file
		"_pragma=wal_autocheckpoint(4000)", // 16 MB: pages that change often are copied into the database a quarter as often
		"_pragma=journal_size_limit(67108864)",
	}, "&")}
	return u.String(), nil
}

// VerifySQLite refuses a file that would not keep what it acknowledges.
func VerifySQLite(ctx context.Context, db *sql.DB) error {
	for _, setting := range []struct{ name, want string }{{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+setting.name).Scan(&got); err != nil {
			return fmt.Errorf("the file cannot be read; is it a SQLite database: %w", err)
		}
		if got != setting.want {
			return fmt.Errorf("%s is %s and not %s; put the file on a local disk that allows it", setting.name, got, setting.want)
		}
	}
	return nil
}

// VerifyPostgreSQL refuses a database that would not keep what it acknowledges.
func VerifyPostgreSQL(ctx context.Context, db *sql.DB) error {
	var commit, fsync, pages string
	err := db.QueryRowContext(ctx,
		"SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')").Scan(&commit, &fsync, &pages)
	if err != nil {
		return fmt.Errorf("the database cannot be reached: %w", err)
	}
	switch {
	case commit == "off":
		return errors.New("synchronous_commit is off, so a crash of the server would lose what was stored; turn it on for this role or database")
	case fsync == "off":
		return errors.New("fsync is off, so a loss of power would destroy the database; turn it on in the server's configuration")
	case pages == "off":
		return errors.New("full_page_writes is off, so a loss of power can tear pages apart; turn it on in the server's configuration")
	}
	return nil
}
