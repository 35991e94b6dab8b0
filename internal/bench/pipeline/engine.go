//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
)

// An engine makes databases, each of which is used for one round.
type engine struct {
	name string

	// create makes an empty database.
	create func(ctx context.Context) (database, error)
}

// A database exists until drop.
type database struct {
	address string // a path or a URL, as open takes it
	open    func(ctx context.Context, address string) (*storage.DB, error)
	drop    func() error

	// server returns the processor time of the server's processes that work for this database. It
	// is nil where there is none, or where it cannot be read.
	server func(ctx context.Context, db *sql.DB) time.Duration

	// size is a query for the bytes of what is stored, with indexes.
	size string
}

// engines returns SQLite and, if server is a URL, PostgreSQL.
func engines(server string) []engine {
	list := []engine{{"SQLite", createFile}}
	if server != "" {
		list = append(list, engine{"PostgreSQL", func(ctx context.Context) (database, error) {
			return createDatabase(ctx, server)
		}})
	}
	return list
}

func createFile(context.Context) (database, error) {
	folder, err := os.MkdirTemp("", "pipeline-")
	return database{
		address: filepath.Join(folder, "whatsapp.db"), open: openFile,
		drop: func() error { return os.RemoveAll(folder) },
		size: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
	}, err
}

func openFile(ctx context.Context, path string) (*storage.DB, error) {
	return sqlite.Open(ctx, sqlite.Config{Path: path})
}

func createDatabase(ctx context.Context, server string) (database, error) {
	u, err := url.Parse(server)
	if err != nil {
		return database{}, errors.New("COEXISTENCE_POSTGRES is not the URL of a database")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		return database{}, err
	}
	name := "coexistence_pipeline_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return database{}, errors.Join(err, db.Close())
	}
	u.Path = "/" + name
	return database{
		address: u.String(), open: openServer, server: backends,
		size: "SELECT pg_database_size(current_database())",
		drop: func() error {
			_, err := db.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
			return errors.Join(err, db.Close())
		},
	}, nil
}

func openServer(ctx context.Context, address string) (*storage.DB, error) {
	return postgres.Open(ctx, postgres.Config{URL: address})
}

// processor is the time that this process has had on a processor, with that of the kernel on its
// behalf. What other programs do on the machine does not show in it.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// backends is the processor time of the processes that serve the connections to the database of db,
// if the server runs on this machine. What its other processes do for all databases, such as
// checkpoints, is not in it.
func backends(ctx context.Context, db *sql.DB) time.Duration {
	rows, err := db.QueryContext(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
	if err != nil {
		return 0
	}
	defer rows.Close()
	var sum time.Duration
	for rows.Next() {
		var pid int
		if rows.Scan(&pid) == nil {
			sum += processTime(pid)
		}
	}
	if rows.Err() != nil {
		return 0
	}
	return sum
}

// clockTick is the unit of the times in /proc.
const clockTick = 10 * time.Millisecond

// processTime reads the processor time of a process of PostgreSQL from /proc. It is 0 where there
// is no such file, or the process of that number is another one.
func processTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	command, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	const userTime, systemTime = 11, 12 // fields 14 and 15, counted behind the name
	if !strings.HasSuffix(command, "(postgres") || len(fields) <= systemTime {
		return 0
	}
	user, _ := strconv.ParseInt(fields[userTime], 10, 64)
	system, _ := strconv.ParseInt(fields[systemTime], 10, 64)
	return time.Duration(user+system) * clockTick
}
