package sqldb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// A counting driver counts statements that were parsed, and those that ran prepared.
type counting struct{ parsed, ran map[string]int }

func (c *counting) Connect(context.Context) (driver.Conn, error) { return countingConn{c}, nil }
func (c *counting) Driver() driver.Driver                        { return nil }

type countingConn struct{ c *counting }

func (countingConn) Begin() (driver.Tx, error) { return countingConn{}, nil }
func (countingConn) Commit() error             { return nil }
func (countingConn) Rollback() error           { return nil }
func (countingConn) Close() error              { return nil }

func (c countingConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	c.c.parsed[query]++
	return driver.RowsAffected(1), nil
}

func (c countingConn) Prepare(query string) (driver.Stmt, error) {
	c.c.parsed[query]++
	return countingStmt{c.c, query}, nil
}

type countingStmt struct {
	c     *counting
	query string
}

func (countingStmt) Close() error  { return nil }
func (countingStmt) NumInput() int { return -1 }

func (s countingStmt) Exec([]driver.Value) (driver.Result, error) {
	s.c.ran[s.query]++
	return driver.RowsAffected(1), nil
}

func (countingStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errors.New("not needed") }

// Parsing takes SQLite as long as running a statement for a few rows.
func TestAStatementIsParsedOnce(t *testing.T) {
	t.Parallel()
	c := &counting{map[string]int{}, map[string]int{}}
	pool := sql.OpenDB(c)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	pool.SetMaxOpenConns(2)
	pool.SetMaxIdleConns(2)
	db := sqldb.New(pool, sqldb.SQLite)
	for range 10 {
		require.NoError(t, db.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := db.Exec(t.Context(), tx, "UPDATE within")
			return err
		}))
		_, err := db.Write(t.Context(), "UPDATE without")
		require.NoError(t, err)
	}
	// The first transaction cannot prepare anything, and there are two connections.
	require.LessOrEqual(t, c.parsed["UPDATE within"], 3)
	require.Equal(t, 9, c.ran["UPDATE within"])
	require.LessOrEqual(t, c.parsed["UPDATE without"], 2)
	require.Equal(t, 10, c.ran["UPDATE without"])
}

// A text with a value in it would be kept for each value.
func TestStatementsWithoutAnEndAreNotAllKept(t *testing.T) {
	t.Parallel()
	c := &counting{map[string]int{}, map[string]int{}}
	pool := sql.OpenDB(c)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	db := sqldb.New(pool, sqldb.SQLite)
	for i := range 2000 {
		_, err := db.Write(t.Context(), fmt.Sprintf("UPDATE %d", i))
		require.NoError(t, err)
	}
	require.Len(t, c.ran, 1000)
	require.Len(t, c.parsed, 2000)
}
