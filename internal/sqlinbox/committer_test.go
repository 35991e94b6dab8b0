package sqlinbox_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

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
