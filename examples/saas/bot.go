package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// quiet is how long the bot is silent in a conversation after a person wrote there, on the phone or
// in the inbox.
const quiet = 30 * time.Minute

// questions are what the bot answers. Put your own into a table, for each tenant, or a language
// model in place of it.
var questions = []struct{ words, answer string }{
	{"open hours close", "We are open from Monday to Saturday, 7 to 18 h."},
	{"where address", "You find us at 1 Made-up Street, beside the fountain."},
	{"price cost much", "A rye loaf is 4.20, rolls are 0.60. Our list of prices is on the wall."},
}

// answer is the bot. It gets only what customers write now, never history or messages of the owner.
// An event may come twice; the id of the answer is derived from that of the question, so there is
// one answer.
func (a *app) answer(ctx context.Context, m *webhook.IncomingMessage) error {
	text, ok := m.Content.(*webhook.Text)
	if !ok {
		return nil
	}
	if may, err := a.tracker.MayAnswer(ctx, m); err != nil || !may.Allowed {
		return err // nil if it may not; may.Reason says why
	}
	chat, err := a.tracker.Conversation(ctx, m)
	if errors.Is(err, coexistence.ErrNotFound) {
		return nil // a person may be answering; an error would only repeat the event, and keep the customer waiting
	}
	if err != nil {
		return err
	}
	if until, err := a.quietUntil(ctx, chat); err != nil || time.Now().Before(until) {
		return err
	}
	said := strings.FieldsFunc(strings.ToLower(text.Body), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, q := range questions {
		for _, word := range said {
			if strings.Contains(" "+q.words+" ", " "+word+" ") {
				_, err := a.outbox.Enqueue(ctx, outbox.Message{
					ID: "bot-" + hashed(string(m.ID)), PhoneNumberID: m.PhoneNumberID,
					ConversationID: chat.ID, ExpiresAt: m.At.Add(time.Hour), // a late answer is worse than none
					Payload: cloudapi.Message{To: cloudapi.ToIdentity(m.From), Content: &cloudapi.Text{Body: q.answer}},
				})
				return err
			}
		}
	}
	return nil // a person will answer
}

// quietUntil is when the bot may answer again after a person. The tracker knows what was written on
// the phone and what the team has sent, the outbox what the team has written but not sent yet.
func (a *app) quietUntil(ctx context.Context, chat coexistence.Conversation) (time.Time, error) {
	at := chat.HumanAt
	last, err := graph.Collect(a.outbox.List(ctx, outbox.Filter{
		PhoneNumberID: chat.PhoneNumberID, ConversationID: chat.ID, Newest: true, Limit: 20,
	}))
	for _, e := range last {
		if e.Payload.ByPerson && e.EnqueuedAt.After(at) {
			at = e.EnqueuedAt
		}
	}
	return at.Add(quiet), err
}
