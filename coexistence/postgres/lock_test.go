package postgres_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// wrote is a text of a person, with the name that the person had then.
func wrote(id graph.MessageID, from graph.Identity, second int) *webhook.IncomingMessage {
	at := time.Unix(1795168800+int64(second), 0)
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: storetest.Phone, At: at}, ID: id, From: from,
		ProfileName: "Ada", Content: &webhook.Text{Body: "Hi"},
	}
}

// handle tells a tracker over a store of events, one after the other.
func handle(t testing.TB, s coexistence.Store, events ...webhook.Event) {
	t.Helper()
	require.NoError(t, storetest.Handle(t.Context(), s, events))
}

// Each live text moves the time of its author's name, so its contact is written. One that is known
// must not wait for another process that is in the middle of storing a new person of the same
// number, or a number has one text for each commit.
func TestATextOfAKnownPersonWaitsForNoOtherPersonOfItsNumber(t *testing.T) {
	t.Parallel()
	url := database(t)
	a, b := open(t, url), open(t, url)
	ada, grace := graph.Identity{WAID: "15550100101"}, graph.Identity{WAID: "15550100102"}
	handle(t, a, wrote("wamid.1", ada, 1))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // for a store that waits
	defer cancel()
	_, err := a.UpdateContact(t.Context(), storetest.Phone, coexistence.Aliases(grace), func(*coexistence.Contact) {
		require.NoError(t, storetest.Handle(ctx, b, []webhook.Event{wrote("wamid.2", ada, 2)}))
	})
	require.NoError(t, err)
	c, err := b.Contact(t.Context(), storetest.Phone, ada)
	require.NoError(t, err)
	require.Equal(t, int64(1795168802), c.ProfileAt.Unix())
}

// A change of one person that does not take the lock of the number, and one that does, since the
// person gets another name: neither may overwrite the other.
func TestAContactIsNotOverwrittenByAChangeUnderTheLock(t *testing.T) {
	t.Parallel()
	url := database(t)
	other := "other " + rand.Text()
	a, b := open(t, url), open(t, pgtest.With(url, "application_name", other))
	ada, both := graph.Identity{WAID: "15550100101"}, graph.Identity{WAID: "15550100101", UserID: "US.1001"}
	handle(t, a, wrote("wamid.1", ada, 1))
	var known coexistence.MemStore
	handle(t, &known, wrote("wamid.0", both, 0))
	seen, err := known.Contact(t.Context(), storetest.Phone, both)
	require.NoError(t, err)
	told := make(chan error, 1)
	calls := 0
	_, err = a.UpdateContact(t.Context(), storetest.Phone, coexistence.Aliases(both), func(c *coexistence.Contact) {
		*c = c.Merge(seen)
		if calls++; calls != 2 {
			return // the first call is a try, without a lock
		}
		go func() { told <- storetest.Handle(t.Context(), b, []webhook.Event{wrote("wamid.2", ada, 2)}) }()
		// The other change has either been made by now, or waits for the row that this one holds.
		require.Eventually(t, func() bool {
			waiting := 0
			err := b.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity "+
				"WHERE application_name = $1 AND wait_event_type = 'Lock'", other).Scan(&waiting)
			return err == nil && waiting > 0 || len(told) > 0
		}, time.Minute, time.Millisecond)
	})
	require.NoError(t, err)
	require.NoError(t, <-told)
	c, err := b.Contact(t.Context(), storetest.Phone, ada)
	require.NoError(t, err)
	require.Equal(t, int64(1795168802), c.ProfileAt.Unix())
	require.Contains(t, c.Aliases, "US.1001")
}
