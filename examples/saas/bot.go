package main

import (
	"context"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// quiet is how long the bot is silent in a conversation after a person wrote there, on the phone or in the inbox.
const quiet = 30 * time.Minute

// questions are what the bot answers. Put your own in a table, for each tenant, or a language model in the place of it.
var questions = []struct {
	words  []string
	answer string
}{
	{[]string{"open", "hours", "close"}, "We are open from Monday to Saturday, 7 to 18 h."},
	{[]string{"where", "address", "find you"}, "You find us at 1 Made-up Street, beside the fountain."},
	{[]string{"price", "cost", "how much"}, "A rye loaf is 4.20, rolls are 0.60. Our list of prices is on the wall."},
}

// answer is the bot. It sees what customers write now, never history nor what the owner writes. An event may come twice, the answer's id
// is made of the question's: there is one.
func (a *app) answer(ctx context.Context, m *webhook.IncomingMessage) error {
	text, ok := m.Content.(*webhook.Text)
	if !ok || !coexistence.Answerable(m) || time.Since(m.At) > time.Hour {
		return nil
	}
	chat, err := a.tracker.Store().Conversation(ctx, m.Phone, m.From.Key())
	if err != nil {
		return err
	}
	until, err := a.quietUntil(ctx, chat)
	if err != nil || time.Now().Before(until) {
		return err
	}
	said := strings.ToLower(text.Body)
	for _, q := range questions {
		for _, word := range q.words {
			if strings.Contains(said, word) {
				return a.queue(ctx, a.db.db, letter{
					ID: letterID("bot", string(m.Phone), string(m.ID)), Phone: m.Phone, Author: "bot", Person: chat.Key, To: m.From,
					Content: content{Text: q.answer},
				})
			}
		}
	}
	return nil // a person will look at it
}

// quietUntil is how long a person has the word. The tracker knows who wrote on the phone, the outbox who wrote in the inbox.
func (a *app) quietUntil(ctx context.Context, chat coexistence.Conversation) (time.Time, error) {
	list, err := a.letters(ctx, "WHERE phone = $1 AND author = 'team' AND person = $2 ORDER BY created_at DESC LIMIT 1", string(chat.Phone), chat.Key)
	at := chat.HumanAt
	for _, l := range list {
		if l.At().After(at) {
			at = l.At()
		}
	}
	return at.Add(quiet), err
}

// tidy asks for what is due of a number's contacts and history, and reads the number if something happened to it.
func (a *app) tidy(ctx context.Context, phone graph.PhoneNumberID) {
	n, err := a.numberBy(ctx, "phone", string(phone))
	if err != nil {
		return
	}
	s, err := a.state(ctx, n)
	if err != nil {
		return
	}
	client, err := a.calls(ctx, n)
	if err == nil && s.Stage.Live() && len(s.Due(time.Now())) > 0 {
		_, err = a.tracker.Begin(ctx, coexistence.API(client), phone)
	}
	if err == nil && s.NeedsConfirm() {
		_, err = a.tracker.Confirm(ctx, coexistence.API(client), phone)
	}
	if err != nil {
		a.log.WarnContext(ctx, "a number could not be looked after; it is tried again", "phone", phone, "err", err)
	}
	a.news.tell()
}
