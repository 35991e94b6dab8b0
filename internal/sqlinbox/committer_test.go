package sqlinbox_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A panicking driver panics in each statement.
type panicking struct{}

func (panicking) Connect(context.Context) (driver.Conn, error) { panic("a defect") }
func (panicking) Driver() driver.Driver                        { return nil }

// A hanging driver answers no statement until it is released, but only one hangs.
type hanging struct {
	hung     atomic.Bool
	released chan struct{}
}

func (h *hanging) Connect(context.Context) (driver.Conn, error) { return hangingConn{h}, nil }
func (h *hanging) Driver() driver.Driver                        { return nil }

type hangingConn struct{ h *hanging }

func (hangingConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not needed") }
func (hangingConn) Begin() (driver.Tx, error)           { return nil, errors.New("not needed") }
func (hangingConn) Close() error                        { return nil }

func (c hangingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	if c.h.hung.CompareAndSwap(false, true) {
		<-c.h.released
	}
	return noRows{}, nil
}

type noRows struct{}

func (noRows) Columns() []string         { return []string{"record_key"} }
func (noRows) Close() error              { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }

func TestDeliveriesDoNotWaitForAConnectionThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hanging{released: make(chan struct{})}
		db := sql.OpenDB(h)
		defer db.Close()
		store := sqlinbox.New(sqldb.New(db, sqldb.PostgreSQL))
		stored := make(chan string, 3)
		add := func(key string) {
			_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: key}})
			assert.NoError(t, err)
			stored <- key
		}
		go add("hangs")
		synctest.Wait()
		go add("waits") // when the first one is known to take long
		assert.Equal(t, "waits", <-stored)
		go add("next") // at once
		assert.Equal(t, "next", <-stored)
		close(h.released)
		assert.Equal(t, "hangs", <-stored)
		go add("after it")
		assert.Equal(t, "after it", <-stored)
	})
}

func TestADriverThatPanicsEndsNoProcess(t *testing.T) {
	t.Parallel()
	for _, dialect := range []sqldb.Dialect{sqldb.SQLite, sqldb.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			store := sqlinbox.New(sqldb.New(sql.OpenDB(panicking{}), dialect))
			for range 3 { // the panic released the slot
				_, err := store.Append(t.Context(), []inbox.Record{{DedupKey: "a"}})
				var panicked *webhook.PanicError
				require.ErrorAs(t, err, &panicked)
				require.Equal(t, "string", panicked.Type)
			}
		})
	}
}
