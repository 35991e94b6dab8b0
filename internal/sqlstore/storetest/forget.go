package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Forgetting has a database forget a person whose conversation was two, and then the number, and
// looks for what is left in every row of every table. tables is the query for their names.
func Forgetting(ctx context.Context, store coexistence.Forgetter, db *sql.DB, tables string) error {
	at := time.Unix(start, 0).UTC()
	told := func(id graph.MessageID, who graph.Identity, group graph.GroupID) webhook.Event {
		info := webhook.EventInfo{PhoneNumberID: Phone, At: at}
		return &webhook.IncomingMessage{
			EventInfo: info, ID: id, From: who, GroupID: group, ProfileName: "canary-" + string(who.UserID),
			Content: &webhook.Text{Body: "canary-text-" + string(who.UserID)},
		}
	}
	ada, grace := graph.Identity{WAID: "15550100101", UserID: "US.1001"}, graph.Identity{UserID: "US.1002"}
	events := []webhook.Event{
		told("wamid.1", graph.Identity{UserID: ada.UserID}, ""), told("wamid.2", graph.Identity{WAID: ada.WAID}, ""),
		told("wamid.3", ada, ""), told("wamid.4", ada, "1"), told("wamid.5", grace, "1"), told("wamid.6", grace, ""),
	}
	if err := Handle(ctx, store, events); err != nil {
		return err
	}
	c, err := store.Conversation(ctx, Phone, ada.WAID)
	if err != nil || len(c.FormerIDs) != 1 {
		return fmt.Errorf("former ids %v and error %w, want one", c.FormerIDs, err)
	}
	digits := func(id string) string { return strings.TrimPrefix(id, "conv_") }
	if err := left(ctx, db, tables, "1001", "0100101"); err == nil {
		return errors.New("nothing was found before it was forgotten")
	}
	if err := store.Forget(ctx, coexistence.ForgetRequest{PhoneNumberID: Phone, Person: c.FormerIDs[0]}); err != nil {
		return err
	}
	if err := left(ctx, db, tables, "1001", "0100101"); err != nil {
		return err
	}
	for _, id := range []string{c.ID, c.FormerIDs[0]} {
		var n int
		err := db.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM coexistence_conversations WHERE id = "+digits(id)+
			") + (SELECT COUNT(*) FROM coexistence_former_conversations WHERE id = "+digits(id)+
			") + (SELECT COUNT(*) FROM coexistence_messages WHERE conversation = "+digits(id)+")").Scan(&n)
		if err != nil || n > 0 {
			return fmt.Errorf("%d rows are left of conversation %s, error: %w", n, id, err)
		}
	}
	group, err := store.Conversation(ctx, Phone, "group:1")
	if err != nil || group.MessageCount != 1 || group.UnreadCount != 1 {
		return fmt.Errorf("the group has %d messages and %d unread, error: %w; want 1 and 1", group.MessageCount,
			group.UnreadCount, err)
	}
	// Who comes back begins another conversation.
	again := told("wamid.7", ada, "").(*webhook.IncomingMessage)
	again.At = time.Now().Add(time.Hour)
	if err := Handle(ctx, store, append(events, again)); err != nil {
		return err
	}
	back, err := store.Conversation(ctx, Phone, ada.WAID)
	if err != nil || back.MessageCount != 1 || back.ID == c.ID || back.ID == c.FormerIDs[0] {
		return fmt.Errorf("back in %s with %d messages, error: %w; want another one, and 1", back.ID, back.MessageCount,
			err)
	}
	if err := store.Forget(ctx, coexistence.ForgetRequest{PhoneNumberID: Phone}); err != nil {
		return err
	}
	if err := Handle(ctx, store, append(events, again)); err != nil {
		return err
	}
	return left(ctx, db, tables, Phone, "canary", "wamid", "group:")
}

// left returns an error about the first row of any table with one of the words in it.
func left(ctx context.Context, db *sql.DB, tables string, words ...string) error {
	var names []string
	rows, err := db.QueryContext(ctx, tables)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		return fmt.Errorf("no tables, error: %w", err)
	}
	for _, name := range names {
		if err := leftIn(ctx, db, name, words); err != nil {
			return err
		}
	}
	return nil
}

// leftIn is left for one table.
func leftIn(ctx context.Context, db *sql.DB, table string, words []string) error {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table) //nolint:gosec // the name is the database's own
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			for _, word := range words {
				// A tombstone's mark is a hash, and its key drawn: they can hold any digits.
				if table != "coexistence_tombstones" && table != "coexistence_tombstone_key" &&
					strings.Contains(v.String, word) {
					return fmt.Errorf("%s.%s: %q is left", table, columns[i], word)
				}
			}
		}
	}
	return rows.Err()
}
