package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// shownMessages is how many messages a page of a conversation has.
const shownMessages = 50

// A chat is an open conversation with a page of its messages.
type chat struct {
	coexistence.Conversation

	Messages  []chatMessage      // the latest last
	Earlier   coexistence.Cursor // of the first of them, if there are more before it
	Later     coexistence.Cursor // of the last of them, if there are more behind it
	Around    coexistence.Cursor // of the one that was asked for, from a search
	Waiting   []outbox.Entry     // messages that are not sent yet, or failed
	Templates []choice
	Quiet     time.Time // until when the bot is silent
	Nonce     string    // the id of the next message, so that a second click does not send it twice
	Latest    string    // for screen readers
}

// A chatMessage is a message as a conversation shows it.
type chatMessage struct {
	coexistence.Message

	File messageFile
}

// open reads a conversation of a number; connected is when the number was connected. Waiting
// messages follow only the latest ones. Templates are listed only if the customer's last message is
// older than 24 hours, when nothing else can be sent.
func (a *app) open(
	ctx context.Context, r *http.Request, n *number, id string, connected time.Time,
) (*chat, error) {
	conversation, err := a.tracker.Store().Conversation(ctx, n.PhoneNumberID, id)
	if err != nil {
		return nil, err
	}
	c := &chat{Conversation: conversation}
	err1 := a.read(ctx, c, connected, coexistence.MessageListOptions{
		Before: cursor(r.Form, "before"), After: cursor(r.Form, "after"), Around: cursor(r.Form, "around"),
	})
	waiting, err2 := graph.Collect(a.outbox.List(ctx, outbox.Filter{
		PhoneNumberID: n.PhoneNumberID, ConversationID: c.ID, Newest: true, Limit: 20,
		States: []outbox.State{outbox.StateQueued, outbox.StateSending, outbox.StateUnknown, outbox.StateFailed},
	}))
	c.Quiet, err = a.quietUntil(ctx, conversation)
	if err := errors.Join(err1, err2, err); err != nil {
		return nil, err
	}
	if !live.Wanted(r) && !c.WindowOpen(time.Now()) {
		if c.Templates, err = a.choices(ctx, n); err != nil {
			a.log.WarnContext(ctx, "templates could not be listed", "waba", n.WABAID, "err", err)
		}
	}
	if c.Later != "" {
		return c, nil
	}
	for _, e := range slices.Backward(waiting) {
		if e.MessageID == "" {
			c.Waiting = append(c.Waiting, e)
		}
	}
	if len(c.Messages) > 0 && !c.Messages[len(c.Messages)-1].Outbound {
		c.Latest = c.Contact.DisplayName() + ": " + c.Messages[len(c.Messages)-1].Text
	}
	return c, nil
}

// read adds a page of messages: before, after or around one of them, or else the latest. If the
// page is empty because its messages were forgotten, the latest are read. It reads two more than
// are shown, to know whether the conversation continues. A person who sees the latest message has
// read all.
func (a *app) read(ctx context.Context, c *chat, connected time.Time, o coexistence.MessageListOptions) error {
	if o.Around != "" {
		o.Before, o.After = "", ""
	} else if o.After != "" {
		o.Before = ""
	}
	o.Limit = shownMessages + 2
	list, err := a.tracker.Store().ListMessages(ctx, c.PhoneNumberID, c.ID, o)
	if err != nil {
		return err
	}
	if latest := (coexistence.MessageListOptions{Limit: o.Limit}); len(list) == 0 && o != latest {
		return a.read(ctx, c, connected, latest)
	}
	first, last := max(0, len(list)-shownMessages), len(list)
	switch {
	case o.Around != "":
		at := slices.IndexFunc(list, func(m coexistence.Message) bool { return m.Cursor() == o.Around })
		first, last = max(0, at-shownMessages/2), min(len(list), max(0, at)+shownMessages/2)
		c.Around = o.Around
	case o.After != "":
		first, last = 0, min(len(list), shownMessages)
	}
	for _, m := range list[first:last] {
		file, err := a.file(ctx, m, connected)
		if err != nil {
			return err
		}
		c.Messages = append(c.Messages, chatMessage{m, file})
	}
	if first > 0 || o.After != "" {
		c.Earlier = list[first].Cursor()
	}
	if last < len(list) || o.Before != "" {
		c.Later = list[last-1].Cursor()
	}
	if c.Later != "" || c.UnreadCount == 0 || len(list) == 0 {
		return nil
	}
	return a.tracker.MarkRead(ctx, c.PhoneNumberID, c.ID, list[len(list)-1].Cursor(), false)
}

// reply queues what the team writes: a text within 24 hours of the customer's last message, a
// template at any time. The outbox sends it, so that neither a restart nor a failure of Meta loses
// it; the id is derived from the form's nonce, so that a second click queues nothing.
func (a *app) reply(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("chat"))
	if err != nil {
		return err
	}
	text := strings.TrimSpace(r.PostForm.Get("text"))
	m := cloudapi.Message{To: cloudapi.ToIdentity(c.Contact.Identity), Content: &cloudapi.Text{Body: text}}
	refused := ""
	if name := r.PostForm.Get("template"); name != "" {
		t, why, err := a.template(r.Context(), n, name)
		if err != nil {
			return err
		}
		if refused = why; refused == "" {
			m.Content = fill(t, c.Contact)
		}
	} else if !c.WindowOpen(time.Now()) {
		refused = "The customer last wrote more than 24 hours ago. Only a template can be sent now."
	}
	if refused == "" {
		m.ByPerson = true // so that the bot stays silent
		id := "team-" + hashed(string(n.PhoneNumberID)+" "+r.PostForm.Get("nonce"))
		_, err = a.outbox.Enqueue(r.Context(), outbox.Message{
			ID: id, PhoneNumberID: n.PhoneNumberID, ConversationID: c.ID, Payload: m,
		})
	}
	if errors.Is(err, cloudapi.ErrValidation) {
		refused, err = "The text is empty, or longer than 4,096 characters.", nil
	}
	if refused != "" {
		http.Error(w, refused, http.StatusUnprocessableEntity)
		return nil
	}
	return see(w, r, r.URL.EscapedPath(), err)
}
