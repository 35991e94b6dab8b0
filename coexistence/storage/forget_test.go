package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// The canaries are what there is of a person: each is looked for in everything that is stored.
var canaries = []string{"15550100142", "US.4242424242", "Canary Person", "canary sings"}

const forgottenPhone = graph.PhoneNumberID("106540352242922")

// message is a delivery with a text of the person and one of another.
func message(phone graph.PhoneNumberID, n int, at time.Time) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{
		"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},
		"contacts":[{"profile":{"name":"Canary Person"},"wa_id":"15550100142","user_id":"US.4242424242"},
			{"profile":{"name":"Grace"},"wa_id":"15550100143"}],
		"messages":[{"from":"15550100142","from_user_id":"US.4242424242","id":"wamid.C%d","timestamp":"%d","type":"text",
				"text":{"body":"canary sings %d"}},
			{"from":"15550100143","id":"wamid.G%d","timestamp":"%d","type":"text","text":{"body":"fine %d"}}]}}]}]}`,
		phone, n, at.Unix(), n, n, at.Unix(), n)
}

// history is a delivery with a chunk of history, of both.
func history(phone graph.PhoneNumberID, at time.Time) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{
		"field":"history","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"15550100200","phone_number_id":"%s"},
		"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":10},"threads":[
			{"id":"15550100142","messages":[{"from":"15550100142","id":"wamid.HC","timestamp":"%d","type":"text",
				"text":{"body":"canary sings"},"history_context":{"status":"READ"}}]},
			{"id":"15550100143","messages":[{"from":"15550100143","id":"wamid.HG","timestamp":"%d","type":"text",
				"text":{"body":"fine"},"history_context":{"status":"READ"}}]}]}]}}]}]}`, phone, at.Unix(), at.Unix())
}

// fill stores something about the person in every table: handled, given up, tried again, not split,
// to be sent.
func fill(t *testing.T, db *storage.DB, at time.Time) {
	t.Helper()
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
	require.NoError(t, err)
	require.NoError(t, tracker.Onboard(t.Context(),
		cloudapi.Onboarding{PhoneNumberID: forgottenPhone, WABAIDs: []graph.WABAID{"102290129340398"}}))
	failing := webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		m, ok := ev.(*webhook.IncomingMessage)
		if !ok || strings.TrimLeft(string(m.ID), "wamid.CG") < "3" {
			return webhook.Permanent(errors.New("no"))
		}
		if m.ID == "wamid.C39" {
			return errors.New("later")
		}
		return nil
	})
	require.NoError(t, db.Signups().Put(t.Context(), signup.Record{
		ID: "attempt", Tenant: "bakery", PhoneNumberID: forgottenPhone, BeganAt: at, KeepUntil: at.Add(time.Hour),
		Ciphertext: []byte("sealed"),
	}))
	out, err := db.Outbox(outbox.Config{Tracker: tracker})
	require.NoError(t, err)
	in, err := db.Inbox(webhook.MultiHandler(tracker, out, failing), inbox.Config{
		Workers: 1, Backoff: func(int) time.Duration { return time.Hour },
	})
	require.NoError(t, err)
	require.NoError(t, in.Start(t.Context()))
	for n := range 40 {
		d := webhook.Delivery{Body: message(forgottenPhone, n, at), ReceivedAt: at}
		require.NoError(t, in.Receive(t.Context(), d))
	}
	require.NoError(t, in.Receive(t.Context(), webhook.Delivery{Body: history(forgottenPhone, at), ReceivedAt: at}))
	require.Eventually(t, func() bool {
		st, err := in.Metrics(t.Context())
		return err == nil && st.Stats.Depth() == 1 && st.Dead > 3
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, in.Shutdown(t.Context()))
	for i, to := range []cloudapi.Recipient{
		cloudapi.ToPhone("+15550100142"), cloudapi.ToUser("US.4242424242"), cloudapi.ToPhone("+15550100143"),
	} {
		text := &cloudapi.Text{Body: []string{"canary sings", "canary sings", "fine"}[i]}
		_, err := out.Enqueue(t.Context(), outbox.Message{
			ID: fmt.Sprint("entry-", i), PhoneNumberID: forgottenPhone, ConversationID: fmt.Sprint("desk-", i),
			Payload: cloudapi.Message{To: to, Content: text},
		})
		require.NoError(t, err)
	}
	conv, err := db.Store().Conversation(t.Context(), forgottenPhone, "US.4242424242")
	require.NoError(t, err)
	_, err = out.Enqueue(t.Context(), outbox.Message{
		ID: "entry-conversation", PhoneNumberID: forgottenPhone, ConversationID: conv.ID,
		Payload: cloudapi.Message{To: cloudapi.ToPhone("+15550100199"), Content: &cloudapi.Text{Body: "canary sings"}},
	})
	require.NoError(t, err)
}

// tables are the queries that list the tables of each database.
var tables = map[sqldb.Dialect]string{
	sqldb.SQLite: "SELECT name FROM sqlite_master WHERE type = 'table'",
	sqldb.PostgreSQL: "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() " +
		"AND table_type = 'BASE TABLE'",
}

// everything returns what is stored in all tables, as text.
func everything(t *testing.T, db *sql.DB, dialect sqldb.Dialect) string {
	t.Helper()
	var names []string
	rows, err := db.QueryContext(t.Context(), tables[dialect])
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, errors.Join(rows.Err(), rows.Close()))
	require.Greater(t, len(names), 15)
	var all strings.Builder
	for _, name := range names {
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+name)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			require.NoError(t, rows.Scan(row...))
			for i := range row {
				fmt.Fprintf(&all, "%s.%s: %s\n", name, columns[i], *row[i].(*any))
			}
		}
		require.NoError(t, errors.Join(rows.Err(), rows.Close()))
	}
	return all.String()
}

// clean checks that no canary is in a text.
func clean(t *testing.T, where, text string) {
	t.Helper()
	for _, canary := range canaries {
		if i := strings.Index(text, canary); i >= 0 {
			require.Fail(t, "a canary is left", "%s: %q in …%q…", where, canary,
				text[max(0, i-200):min(len(text), i+100)])
		}
	}
}

func TestNothingIsLeftOfAForgottenPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(keys *signup.Keyring) *storage.DB) {
		t.Helper()
		at := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
		db := open(nil)
		fill(t, db, at)
		require.NoError(t, db.Close())
		db = open(nil)
		in, err := db.Inbox(new(webhook.Mux), inbox.Config{})
		require.NoError(t, err)
		// Not started: it is not split.
		unsplit := webhook.Delivery{Body: message(forgottenPhone, 99, at), ReceivedAt: at}
		require.NoError(t, in.Receive(t.Context(), unsplit))
		dialect := sqldb.PostgreSQL
		if strings.Contains(t.Name(), "sqlite") {
			dialect = sqldb.SQLite
		}
		before := everything(t, db.SQL(), dialect)
		for _, canary := range canaries {
			require.Contains(t, before, canary)
		}
		conv, err := db.Store().Conversation(t.Context(), forgottenPhone, "US.4242424242")
		require.NoError(t, err)
		var exported, byID strings.Builder
		require.NoError(t, db.Export(t.Context(), forgottenPhone, "+1 555 010-0142", &exported))
		for _, line := range []string{`"type":"contact"`, `"type":"message"`, `"type":"outbox"`, `"type":"delivery"`} {
			require.Contains(t, exported.String(), line)
		}
		require.NoError(t, db.Export(t.Context(), forgottenPhone, conv.ID, &byID))
		require.Equal(t, exported.String(), byID.String())
		require.Equal(t, 3, strings.Count(byID.String(), `"type":"outbox"`), "one is to the conversation by its id")
		require.NotContains(t, exported.String(), "15550100143")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := coexistence.ForgetRequest{PhoneNumberID: forgottenPhone, Person: "US.4242424242"}
		require.NoError(t, db.Forget(ctx, r))
		err = db.Export(ctx, forgottenPhone, "US.4242424242", new(strings.Builder))
		require.ErrorIs(t, err, coexistence.ErrNotFound)
		clean(t, "tables", everything(t, db.SQL(), dialect))
		var path string
		if dialect == sqldb.SQLite {
			require.NoError(t,
				db.SQL().QueryRowContext(t.Context(), "SELECT file FROM pragma_database_list").Scan(&path))
			for _, suffix := range []string{"", "-wal"} {
				file, err := os.ReadFile(path + suffix)
				require.NoError(t, err)
				clean(t, "file"+suffix, string(file))
			}
		}
		// Others stay.
		kept := 0
		for m, err := range db.Store().Messages(t.Context(), forgottenPhone, "15550100143") {
			require.NoError(t, err)
			require.NotEmpty(t, m.Text)
			kept++
		}
		require.Equal(t, 41, kept)
		// What is redelivered, and what was waiting, does not bring the person back.
		require.NoError(t, db.Close())
		db = open(nil)
		tracker, err := coexistence.NewTracker(coexistence.Config{Store: db.Store()})
		require.NoError(t, err)
		in, err = db.Inbox(tracker, inbox.Config{})
		require.NoError(t, err)
		require.NoError(t, in.Start(t.Context()))
		for n := range 40 {
			d := webhook.Delivery{Body: append(message(forgottenPhone, n, at), ' '), ReceivedAt: at}
			require.NoError(t, in.Receive(t.Context(), d))
		}
		require.NoError(t, in.WaitIdle(ctx))
		require.NoError(t, in.Shutdown(ctx))
		clean(t, "tables after a repeat", everything(t, db.SQL(), dialect))
	})
}

func TestNothingIsLeftOfAForgottenNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(keys *signup.Keyring) *storage.DB) {
		t.Helper()
		at := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
		db := open(nil)
		fill(t, db, at)
		require.NoError(t, db.Close())
		db = open(nil)
		dialect := sqldb.PostgreSQL
		if strings.Contains(t.Name(), "sqlite") {
			dialect = sqldb.SQLite
		}
		require.NoError(t, db.Forget(t.Context(), coexistence.ForgetRequest{PhoneNumberID: forgottenPhone}))
		all := everything(t, db.SQL(), dialect)
		clean(t, "tables", all)
		require.NotContains(t, all, string(forgottenPhone))
		require.NotContains(t, all, "15550100143")
	})
}
