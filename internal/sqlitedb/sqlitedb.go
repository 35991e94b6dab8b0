// Package sqlitedb opens a SQLite file in which several of our stores keep what they have: package
// coexistence/sqlite and package sqliteinbox hand it on.
//
// The file belongs to one process. Stores of that process share one sqldb.DB, whose turn decides
// which of them writes; SQLite itself would let them poll for its lock.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite/migrations"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb/migrate"
)

// maxConns is one connection that writes, and some that read meanwhile.
const maxConns = 16

// A File is an open database that no other process uses.
type File struct {
	*sqldb.DB

	lock    *sql.DB
	copying *checkpointer
}

// Open opens the file at path, creates it and its folder if they do not exist, checks that it keeps
// what it acknowledges, and brings its tables up to date. The lock comes before anything is read: a
// second process would see what the first one is in the middle of.
func Open(ctx context.Context, path string) (*File, error) {
	name, err := create(path)
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(ctx, name)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", settings(name))
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	f := &File{DB: sqldb.New(db, sqldb.SQLite), lock: lock}
	f.copying = newCheckpointer(f.DB)
	f.Committed = f.copying.committed
	if err := verify(ctx, db); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := migrate.Up(ctx, f.DB, migrations.FS); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close closes the file, and then lets other processes have it.
func (f *File) Close() error {
	f.copying.close()
	return errors.Join(f.DB.Close(), f.lock.Close())
}

// create makes the file if it does not exist, readable by its owner alone, and returns its absolute
// path. It refuses what SQLite would take for something other than the name of a file.
func create(path string) (string, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return "", errors.New("the path is not the name of a file; write one like data/whatsapp.db " +
			"(what needs no file is in memory: coexistence.MemStore, inbox.MemStore)")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		example := filepath.Join(filepath.Base(path), "whatsapp.db")
		return "", errors.New("the path names a folder; name a file in it, like " + example)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("the folder of the file cannot be made: %w", err)
	}
	// SQLite gives the files that it makes itself the mode of the first
	for _, name := range []string{path, path + "-lock"} {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return "", fmt.Errorf(
				"the file cannot be opened for writing; let this user write to it and to its folder: %w", err,
			)
		}
		if err := file.Close(); err != nil {
			return "", err
		}
	}
	for _, suffix := range []string{"", "-lock", "-wal", "-shm"} {
		if err := narrow(path + suffix); err != nil {
			return "", err
		}
	}
	return path, nil
}

// narrow takes a file from all but its owner: it may have been made with a wider mode, by a copy
// for instance. Windows keeps no such mode.
func narrow(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && (info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows"):
		return nil
	case err == nil:
		err = os.Chmod(name, info.Mode().Perm()&0o700)
	}
	if err != nil {
		return fmt.Errorf("the file can be read by others, and its mode cannot be changed to 0600: %w", err)
	}
	return nil
}

// settings is the name under which the driver opens the file durably, and fit for several
// connections of one process.
func settings(path string) string {
	return uri(path,
		"_txlock=immediate", // a transaction that reads first must not lose against one that has written meanwhile
		"_pragma=busy_timeout(10000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)", // NORMAL loses what was acknowledged when the power fails
		"_pragma=foreign_keys(1)",
		"_pragma=temp_store(MEMORY)", // what a statement changes is noted until it is over: not in a file
		// what is deleted within a page is overwritten there, which costs nothing; for other pages,
		// see Scrub
		"_pragma=secure_delete(FAST)",
		// 64 MB: the checkpointer is before that
		"_pragma=wal_autocheckpoint(16000)",
		"_pragma=journal_size_limit(67108864)",
	)
}

// uri is the name of a file with settings, as the driver takes it.
func uri(path string, settings ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(settings, "&")}
	return u.String()
}

// lockFile takes a lock that the system gives back when the process ends, however it ends: the
// exclusive lock of a database beside the file, held by a transaction that never ends. A lock of
// the file itself would keep our own connections out.
func lockFile(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", uri(path+"-lock", "_pragma=busy_timeout(0)", "_pragma=journal_mode(DELETE)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		err = fmt.Errorf("the file is in use, by another process or by this one (one of them may have it open, once), "+
			"or its folder cannot be written to: %w", err)
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// verify refuses a file that would not keep what it acknowledges. A network file system may
// silently refuse WAL, for example.
func verify(ctx context.Context, db *sql.DB) error {
	for _, setting := range []struct{ name, want string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
	} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+setting.name).Scan(&got); err != nil {
			return fmt.Errorf("the file cannot be read as a SQLite database; is it one, and whole: %w", err)
		}
		if got != setting.want {
			return fmt.Errorf(
				"%s is %s and not %s; put the file on a local disk that allows it", setting.name, got, setting.want,
			)
		}
	}
	return nil
}
