package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A status finds its entry by an index, however many entries there are. PostgreSQL counts the rows
// that it reads; its processes tell them when they end.
func TestAStatusReadsItsEntryAlone(t *testing.T) {
	t.Parallel()
	eachShared(t, func(t *testing.T, e engine) {
		const entries = 5000
		p := newPlatform(t, 20)
		h := open(t, e, p, outbox.Config{})
		messages := make([]outbox.Message, entries)
		for i := range messages {
			messages[i] = p.text(fmt.Sprint("m", i), i)
		}
		require.Equal(t, entries, h.put(messages...))
		_, err := h.db.SQL().ExecContext(t.Context(), "ANALYZE outbox_entries")
		require.NoError(t, err)
		before := rowsRead(t, h.db)

		other := open(t, e, p, outbox.Config{})
		for i := range 3 {
			err := other.Handle(t.Context(), &webhook.MessageStatus{
				EventInfo: webhook.EventInfo{Field: webhook.FieldMessages, PhoneNumberID: p.phone.ID, At: time.Now()},
				ID:        "wamid.of a message that another one sent", Status: webhook.StatusDelivered,
				CallbackData: fmt.Sprint("none", i),
			})
			require.NoError(t, err)
		}
		require.NoError(t, other.deliver(t.Context(), cloudapitest.SentMessage{
			ID: "wamid.1", From: p.phone.ID, CallbackData: "m1", At: time.Now(),
		}, webhook.StatusSent))
		require.NoError(t, other.db.Close())
		require.Eventually(t, func() bool {
			return rowsRead(t, h.db).byIndex > before.byIndex
		}, time.Minute, 50*time.Millisecond)
		require.Equal(t, before.inSequence, rowsRead(t, h.db).inSequence)
	})
}

// reads are the rows of the table of entries that were read, by way.
type reads struct{ inSequence, byIndex int }

func rowsRead(t *testing.T, db database) (n reads) {
	t.Helper()
	err := db.SQL().QueryRowContext(context.WithoutCancel(t.Context()), `SELECT seq_tup_read, idx_tup_fetch
		FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'outbox_entries'`,
	).Scan(&n.inSequence, &n.byIndex)
	require.NoError(t, err)
	return n
}
