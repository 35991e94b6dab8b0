package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// answerTTL is how long an answer is worth sending. No trial makes one wait for so long, so none
// may expire.
const answerTTL = 30 * time.Minute

// wire makes the process a whole host, as docs/wiring.md has it: one database, a tracker in front
// of the host's own handler, and an outbox. The handler leaves an effect and answers through the
// outbox.
func (h *host) wire(ctx context.Context) error {
	e := engines[h.order.Engine]
	db, err := e.storage(ctx, h.order.Place)
	if err != nil {
		return err
	}
	h.db = db.SQL()
	client, err := cloudapi.NewClient(cloudapi.Config{
		BaseURL: h.order.Meta, AccessToken: graph.Secret(h.order.Token),
		Retry:   cloudapi.RetryPolicy{MaxAttempts: 1}, // what becomes of a call is for the outbox to say
		Limiter: &cloudapi.MemLimiter{Throughput: func(graph.PhoneNumberID) int { return h.order.Throughput }},
	})
	if err != nil {
		return err
	}
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: db.Store(), Logger: logger(),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		return err
	}
	h.box, err = db.Outbox(outbox.Config{
		Tracker: tracker, LeaseDuration: h.order.Lease, UnknownTimeout: h.order.Unknown,
		PollInterval: 100 * time.Millisecond, Logger: logger(),
	})
	if err != nil {
		return err
	}
	var mux webhook.Mux
	webhook.On(&mux, func(ctx context.Context, m *webhook.IncomingMessage) error {
		linger(ctx, h.order.Pause)
		if err := insertEffect(ctx, h.db, e.dialect, m); err != nil {
			return err
		}
		return h.answer(ctx, m)
	})
	if h.in, err = db.Inbox(webhook.MultiHandler(tracker, h.box, &mux), h.inboxConfig()); err != nil {
		return err
	}
	if err := h.in.Start(ctx); err != nil {
		return err
	}
	return h.box.Start(ctx)
}

// answer puts the answer to a message into the outbox, if the message is one that is answered.
func (h *host) answer(ctx context.Context, m *webhook.IncomingMessage) error {
	n, ok := numberOf(string(m.ID))
	if !ok || n%h.order.Answers != 0 {
		return nil
	}
	id, conversation := answerPrefix+string(m.ID), m.From.Key()
	switch h.order.Fault {
	case faultUnnamed:
		id += answerSuffix + rand.Text()
	case faultScattered:
		conversation = string(m.ID)
	default:
	}
	_, err := h.box.Enqueue(ctx, outbox.Message{
		ID: id, PhoneNumberID: m.PhoneNumberID, ConversationID: conversation,
		ExpiresAt: time.Now().Add(answerTTL),
		Payload: cloudapi.Message{
			To: cloudapi.ToIdentity(m.From), Content: &cloudapi.Text{Body: answerPrefix + m.Text()},
		},
	})
	return err
}

// answerPrefix begins the name and the text of an answer; the rest is of what is answered. By
// mistake, a name goes on with answerSuffix.
const (
	answerPrefix = "answer: "
	answerSuffix = "#"
)

// messageOf returns what of a name or a text of an answer is of the message.
func messageOf(answer string) string {
	message, _, _ := strings.Cut(strings.TrimPrefix(answer, answerPrefix), answerSuffix)
	return message
}

// countEntries returns how many entries of the outbox are not finished, and how many have failed.
func countEntries(ctx context.Context, db *sql.DB) (unsent, failed int, err error) {
	err = db.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM outbox_entries WHERE state IN ('queued', 'sending', 'unknown')),
		(SELECT COUNT(*) FROM outbox_entries WHERE state = 'failed')`).Scan(&unsent, &failed)
	if err != nil {
		err = fmt.Errorf("counting entries: %w", err)
	}
	return unsent, failed, err
}
