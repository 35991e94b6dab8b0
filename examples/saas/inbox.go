package main

import (
	"bytes"
	"context"
	"crypto/rand"
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

// What a page shows of many. A product loads more as people scroll.
const shownChats, shownMessages = 80, 100

// An inboxPage is the conversations of a number, and one of them.
type inboxPage struct {
	State     coexistence.Number
	Chats     []coexistence.Conversation // the latest first
	Chat      *coexistence.Conversation  // that is open, or nil
	Messages  []coexistence.Message      // of it, the latest last
	Waiting   []outbox.Entry             // what is not in the conversation yet, or failed
	Templates []*cloudapi.MessageTemplate
	Quiet     time.Time // until when the bot is silent
	Nonce     string    // names what is written next, so that a second click says nothing twice
	Latest    string    // what to read out
}

// serveInbox shows the conversations of a number, and one of them if the path names it. Templates
// are listed by Meta, so only where they are needed: once the customer's last message is older than
// 24 hours, nothing else can be sent. The nonce is made before the page is streamed, so that a form
// keeps its name while the page changes around it.
func (a *app) serveInbox(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	nonce := rand.Text()
	return a.show(w, r, func(ctx context.Context) (view, error) {
		state, err1 := a.tracker.Store().Number(ctx, n.PhoneNumberID)
		chats, err2 := graph.Collect(a.tracker.Store().Conversations(ctx, n.PhoneNumberID))
		if err := errors.Join(err1, err2); err != nil {
			return view{}, err
		}
		p := inboxPage{State: state, Chats: chats[:min(len(chats), shownChats)], Nonce: nonce}
		if key := r.PathValue("chat"); key != "" {
			if err := a.open(ctx, &p, n, key); err != nil {
				return view{}, err
			}
			if !live.Wanted(r) && !p.Chat.WindowOpen(time.Now()) && p.State.Stage.Connected() {
				if p.Templates, err1 = a.templates(ctx, n); err1 != nil {
					a.log.WarnContext(ctx, "templates could not be listed", "waba", n.WABAID, "err", err1)
				}
			}
		}
		return view{Page: "inbox", Title: "Inbox", Tenant: t, Number: n, Data: p}, nil
	})
}

// open adds a conversation to the page.
func (a *app) open(ctx context.Context, p *inboxPage, n *number, key string) error {
	c, err := a.tracker.Store().Conversation(ctx, n.PhoneNumberID, key)
	if err != nil {
		return err
	}
	messages, err1 := graph.Collect(a.tracker.Store().Messages(ctx, n.PhoneNumberID, key))
	waiting, err2 := graph.Collect(a.outbox.List(ctx, outbox.Filter{
		PhoneNumberID: n.PhoneNumberID, ConversationID: c.ID, Newest: true, Limit: 20,
		States: []outbox.State{outbox.StateQueued, outbox.StateSending, outbox.StateUnknown, outbox.StateFailed},
	}))
	until, err3 := a.quietUntil(ctx, c)
	p.Chat, p.Messages, p.Quiet = &c, messages[max(0, len(messages)-shownMessages):], until
	for _, e := range slices.Backward(waiting) {
		if e.MessageID == "" {
			p.Waiting = append(p.Waiting, e)
		}
	}
	if len(p.Messages) > 0 && !p.Messages[len(p.Messages)-1].Outbound {
		p.Latest = c.Contact.DisplayName() + ": " + p.Messages[len(p.Messages)-1].Text
	}
	return errors.Join(err1, err2, err3)
}

// reply queues what the team writes: a text within 24 hours of the customer's last message, a
// template at any time. The outbox sends it, so that neither a restart nor Meta's trouble loses it;
// the id is made of the form's nonce, so that a second click queues nothing.
func (a *app) reply(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.tracker.Store().Conversation(r.Context(), n.PhoneNumberID, r.PathValue("chat"))
	if err != nil {
		return err
	}
	text := strings.TrimSpace(r.PostFormValue("text"))
	m := cloudapi.Message{To: cloudapi.ToIdentity(c.Contact.Identity), Content: &cloudapi.Text{Body: text}}
	refused := ""
	if name := r.PostFormValue("template"); name != "" {
		t, err := a.template(r.Context(), n, name)
		if err != nil {
			return err
		}
		m = fill(t, c.Contact)
	} else if !c.WindowOpen(time.Now()) {
		refused = "The customer last wrote more than 24 hours ago: only a template can be sent now."
	}
	if refused == "" {
		id := "team-" + hashed(string(n.PhoneNumberID)+" "+r.PostFormValue("nonce"))
		_, err = a.outbox.Enqueue(r.Context(), outbox.Message{
			ID: id, PhoneNumberID: n.PhoneNumberID, ConversationID: c.ID, Payload: m,
		})
	}
	if errors.Is(err, cloudapi.ErrValidation) {
		refused, err = "This cannot be sent: it is empty, or longer than 4,096 characters.", nil
	}
	if refused != "" {
		http.Error(w, refused, http.StatusUnprocessableEntity)
		return nil
	}
	return see(w, r, r.URL.Path, err)
}

// serveMedia fetches a picture of a message. Whatever the sender says that it is, a browser gets
// nothing but pictures. Ids of files expire within days: a product keeps the files.
func (a *app) serveMedia(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	m, err := a.tracker.Store().Message(r.Context(), n.PhoneNumberID, graph.MessageID(r.PathValue("message")))
	file := m.MediaDownload()
	if err != nil || file.ID == "" {
		return errNotFound
	}
	client, err := a.tracker.Client(r.Context(), n.PhoneNumberID)
	if err != nil {
		return err
	}
	file.MaxBytes = 16 << 20
	var picture bytes.Buffer
	_, err = client.Media.Download(r.Context(), file, &picture)
	kind := http.DetectContentType(picture.Bytes())
	if err != nil || !strings.HasPrefix(kind, "image/") {
		return errNotFound
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	_, _ = picture.WriteTo(w)
	return nil
}
