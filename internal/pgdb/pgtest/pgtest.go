// Package pgtest gives each test a PostgreSQL schema of its own.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Missing is what a test says that skips because there is no server.
const Missing = "set COEXISTENCE_POSTGRES to the URL of a PostgreSQL database, like " +
	"postgres://postgres@127.0.0.1:5432/test; " +
	"each test makes a schema of its own there and drops it"

// Server is the URL of the server for tests, or "".
func Server() string { return os.Getenv("COEXISTENCE_POSTGRES") }

// Schema makes a schema on the server for tests and returns the URL of a database of which it is
// the first schema. drop drops it.
func Schema(ctx context.Context) (address string, drop func(context.Context) error, err error) {
	db, err := sql.Open("pgx", Server())
	if err != nil {
		return "", nil, err
	}
	schema := "coexistence_test_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, errors.Join(err, db.Close())
	}
	return With(Server(), "search_path", schema), func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, "DROP SCHEMA "+schema+" CASCADE")
		return errors.Join(err, db.Close())
	}, nil
}

// Small returns the URL for a pool of few connections, so that the tests of several packages fit
// into a server with its default of 100.
func Small(address string) string { return With(address, "pool_max_conns", "5") }

// With returns a URL with a parameter added.
func With(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // a test's own
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // which pgx leaves as it is
	return u.String()
}
