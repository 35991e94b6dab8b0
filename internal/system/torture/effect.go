package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An effect is what a handler leaves behind, in the order in which that became true.
type effect struct {
	message, words string
}

// createEffects makes the table. It has no unique key on purpose: what happens twice is there
// twice.
func createEffects(ctx context.Context, db *sql.DB, d sqldb.Dialect) error {
	serial := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if d == sqldb.PostgreSQL {
		serial = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
	}
	_, err := db.ExecContext(
		ctx, "CREATE TABLE IF NOT EXISTS torture_effects (seq "+serial+", message TEXT NOT NULL, words TEXT NOT NULL)",
	)
	return err
}

// An execer is a database or a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// insertEffect writes the effect of a message.
func insertEffect(ctx context.Context, ex execer, d sqldb.Dialect, ev webhook.Event) error {
	m, ok := ev.(*webhook.IncomingMessage)
	if !ok {
		return webhook.Permanent(fmt.Errorf("the plan has no event like %T", ev))
	}
	_, err := ex.ExecContext(
		ctx, d.Rebind("INSERT INTO torture_effects (message, words) VALUES (?, ?)"), string(m.ID), m.Text(),
	)
	return err
}

// effects returns the handler that leaves effects in the database, in the transaction in which the
// event is done, and then dwells on them.
func effects(d sqldb.Dialect, dwell func(ctx context.Context, message string)) webhook.Handler {
	return inbox.InTx(webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		tx, _ := inbox.Tx(ctx)
		if err := insertEffect(ctx, tx, d, ev); err != nil {
			return err
		}
		m := ev.(*webhook.IncomingMessage) //nolint:forcetypeassert // insertEffect has refused anything else
		dwell(ctx, string(m.ID))
		return nil
	}))
}

// tracked puts a tracker in front of a handler, as hosts do, in the same database. It stores what
// an event tells before the handler sees the event, for many at once: whatever happens to the
// process in between, no event may reach the handler without its message being stored.
func tracked(db *sqldb.DB, h webhook.Handler) (webhook.Handler, error) {
	store := sqlstore.New(db)
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	stored := webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		m, ok := ev.(*webhook.IncomingMessage)
		if !ok {
			return nil // for the handler to refuse
		}
		got, err := store.Message(ctx, m.PhoneNumberID, m.ID)
		if errors.Is(err, coexistence.ErrNotFound) || err == nil && got.Text != m.Text() {
			// A dead letter has no effect, so it is found as a message that was lost.
			return webhook.Permanent(errors.New("the tracker had not stored the message"))
		}
		return err
	})
	return gated{webhook.MultiHandler(tracker, stored), h, tracker}, err
}

// A gated handler passes on the events that a gate lets pass. MultiHandler would also pass on those
// that the gate gives up.
type gated struct {
	gate, h webhook.Handler
	webhook.Preparer
}

// Handle implements [webhook.Handler].
func (g gated) Handle(ctx context.Context, ev webhook.Event) error {
	if err := g.gate.Handle(ctx, ev); err != nil {
		return err
	}
	return g.h.Handle(ctx, ev)
}

// linger waits, or until ctx ends.
func linger(ctx context.Context, pause time.Duration) {
	if pause > 0 {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// readEffects reads them in their order.
func readEffects(ctx context.Context, db *sql.DB) (list []effect, err error) {
	rows, err := db.QueryContext(ctx, "SELECT message, words FROM torture_effects ORDER BY seq")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e effect
		if err := rows.Scan(&e.message, &e.words); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// noting returns the handler for engines without a SQL database: it appends to a file, which all
// processes share. A line survives the process that wrote it. Before, the handler dwells on the
// message.
func noting(path string, dwell func(ctx context.Context, message string)) (webhook.Handler, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return webhook.HandlerFunc(func(ctx context.Context, ev webhook.Event) error {
		m, ok := ev.(*webhook.IncomingMessage)
		if !ok {
			return webhook.Permanent(fmt.Errorf("the plan has no event like %T", ev))
		}
		dwell(ctx, string(m.ID))
		_, err := fmt.Fprintf(file, "%s\t%s\n", m.ID, m.Text())
		return err
	}), nil
}

// readNotes reads what noting has written.
func readNotes(path string) (list []effect, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		id, words, _ := strings.Cut(lines.Text(), "\t")
		list = append(list, effect{id, words})
	}
	return list, lines.Err()
}
