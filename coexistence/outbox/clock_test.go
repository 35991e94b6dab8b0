package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
)

// wrongClock returns an engine whose database server has a clock that is wrong by so much: the
// outbox finds a clock_timestamp() of the test in front of PostgreSQL's, through the search path.
// set sets it again.
func wrongClock(t *testing.T, by string) (e engine, set func(by string)) {
	t.Helper()
	if pgtest.Server() == "" {
		t.Skip(pgtest.Missing)
	}
	url, drop, err := pgtest.Schema(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(context.WithoutCancel(t.Context()))) })
	var schema string
	open := func() database {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		require.NoError(t, err)
		return db
	}
	db := open()
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT current_schema()").Scan(&schema))
	for _, statement := range []string{
		"CREATE TABLE wrong (by INTERVAL NOT NULL)", "INSERT INTO wrong VALUES ('0')",
		`CREATE FUNCTION clock_timestamp() RETURNS TIMESTAMPTZ VOLATILE LANGUAGE SQL AS
			'SELECT pg_catalog.clock_timestamp() + by FROM ` + schema + `.wrong'`,
	} {
		_, err := db.SQL().ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	set = func(by string) {
		_, err := db.SQL().ExecContext(t.Context(), "UPDATE wrong SET by = CAST($1 AS TEXT)::INTERVAL", by)
		require.NoError(t, err)
	}
	set(by)
	url = pgtest.With(url, "search_path", schema+",pg_catalog")
	return engine{open: open, shared: true}, set
}

// The message history is dated by Meta's clock, and an attempt by the database's.
func TestAMessageInDoubtIsNotRepeatedWhileTheDatabasesClockIsWrong(t *testing.T) {
	t.Parallel()
	for name, clock := range map[string]struct{ before, after string }{
		"ahead": {"1 hour", "1 hour"}, "behind": {"-1 hour", "-1 hour"},
		"set forward": {"-1 hour", "1 hour"}, "set back": {"1 hour", "-1 hour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, set := wrongClock(t, clock.before)
			p := newPlatform(t, 1000)
			p.Inject(cloudapitest.Fault{On: messagesCall, Drop: true, Accept: true})
			h := start(t, e, p, outbox.Config{UnknownTimeout: 200 * time.Millisecond})
			h.put(p.text("doubt", 1))
			h.becomes("doubt", outbox.StateUnknown)
			set(clock.after)
			if clock.after < clock.before { // what was to be looked at is to be so in two hours
				for _, now := range []string{
					"UPDATE outbox_entries SET next_at = 0",
					"UPDATE outbox_numbers SET held_until = 0, rests_until = 0",
				} {
					_, err := h.db.SQL().ExecContext(t.Context(), now)
					require.NoError(t, err)
				}
			}
			require.Eventually(t, func() bool {
				return p.Count("GET", "/{phone-number-id}/message_history") >= 3
			}, 20*time.Second, 5*time.Millisecond)
			require.Len(t, p.Sent(), 1, "it was sent twice")
			h.becomes("doubt", outbox.StateUnknown)
		})
	}
}

// ExpiresAt is a moment of the host's.
func TestEntriesExpireByTheHostsClock(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"1 hour", "-1 hour"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			e, _ := wrongClock(t, by)
			p := newPlatform(t, 1000)
			h := start(t, e, p, outbox.Config{})
			soon, late := p.text("half an hour is left", 1), p.text("half an hour too late", 2)
			soon.ExpiresAt, late.ExpiresAt = time.Now().Add(30*time.Minute), time.Now().Add(-30*time.Minute)
			h.put(soon, late)
			h.becomes(soon.ID, outbox.StateSent)
			h.becomes(late.ID, outbox.StateFailed)
			require.Len(t, p.Sent(), 1)
		})
	}
}
