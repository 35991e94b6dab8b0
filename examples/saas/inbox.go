package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// What a page shows of many.
const shownChats, shownMessages = 80, 100

// An inboxPage is the conversations of a number, and one of them.
type inboxPage struct {
	State     coexistence.State
	Chats     []coexistence.Conversation
	Chat      *coexistence.Conversation
	Messages  []coexistence.Message
	Letters   []*letter // that are not in the conversation yet, or failed
	Templates []*cloudapi.MessageTemplate
	Quiet     time.Time // until when the bot is silent, if it is
	Nonce     string    // names what is written next, so that a second click says nothing twice
	Latest    string    // what to read out
}

// Path is where a conversation is.
func (inboxPage) Path(c coexistence.Conversation) string {
	return "/numbers/" + url.PathEscape(string(c.Phone)) + "/inbox/" + url.PathEscape(c.Key)
}

// Closes is when the customer service window ends.
func (inboxPage) Closes(c *coexistence.Conversation) time.Time {
	return c.CustomerAt.Add(24 * time.Hour)
}

func (a *app) serveInbox(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	nonce := newID()
	return a.show(w, r, func(ctx context.Context) (view, error) {
		p := inboxPage{Nonce: nonce}
		var err error
		if p.State, err = a.state(ctx, n); err != nil {
			return view{}, err
		}
		for c, err := range a.tracker.Store().Conversations(ctx, n.Phone) {
			if err != nil {
				return view{}, err
			}
			if p.Chats = append(p.Chats, c); len(p.Chats) == shownChats {
				break
			}
		}
		if key := r.PathValue("chat"); key != "" {
			if err := a.open(ctx, &p, n, key); err != nil {
				return view{}, err
			}
		}
		return view{Page: "inbox", Title: "Inbox", Tenant: t, Number: n, Data: p}, nil
	})
}

// open adds a conversation to the page.
func (a *app) open(ctx context.Context, p *inboxPage, n *number, key string) error {
	c, err := a.tracker.Store().Conversation(ctx, n.Phone, key)
	if err != nil {
		return err
	}
	p.Chat = &c
	for m, err := range a.tracker.Store().Messages(ctx, n.Phone, key) {
		if err != nil {
			return err
		}
		p.Messages = append(p.Messages, m)
	}
	p.Messages = p.Messages[max(0, len(p.Messages)-shownMessages):]
	if len(p.Messages) > 0 {
		if m := p.Messages[len(p.Messages)-1]; !m.Outbound {
			p.Latest = c.Contact.DisplayName() + ": " + m.Text
		}
	}
	waiting, err := a.letters(ctx, "WHERE phone = $1 AND person = $2 AND wamid = '' ORDER BY created_at DESC LIMIT 20", string(n.Phone), c.Key)
	if err != nil {
		return err
	}
	slices.Reverse(waiting)
	p.Letters = waiting
	if until, err := a.quietUntil(ctx, c); err != nil {
		return err
	} else if time.Now().Before(until) {
		p.Quiet = until
	}
	if !c.WindowOpen(time.Now()) && p.State.Stage.Live() {
		if p.Templates, err = a.templates(ctx, n); err != nil {
			a.log.WarnContext(ctx, "templates could not be listed", "waba", n.WABA, "err", err)
		}
	}
	return nil
}

// reply queues what somebody of the team writes: a text within 24 hours of the customer's last message, a template at any time.
func (a *app) reply(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	ctx := r.Context()
	c, err := a.tracker.Store().Conversation(ctx, n.Phone, r.PathValue("chat"))
	if err != nil {
		return err
	}
	l := letter{ID: letterID("team", string(n.Phone), r.PostFormValue("nonce")), Phone: n.Phone, Author: "team", Person: c.Key, To: c.Contact.Identity}
	l.Content.Text = strings.TrimSpace(r.PostFormValue("text"))
	if name := r.PostFormValue("template"); name != "" {
		if l.Content, err = a.fill(ctx, n, name, c.Contact); err != nil {
			return err
		}
	}
	switch {
	case l.Content.Template == "" && !c.WindowOpen(time.Now()):
		http.Error(w, "The customer last wrote more than 24 hours ago: only a template can be sent now.", http.StatusUnprocessableEntity)
		return nil
	case l.Content.Template == "" && l.Content.Text == "":
		http.Error(w, "There is nothing to send.", http.StatusUnprocessableEntity)
		return nil
	}
	if err := a.queue(ctx, a.db.db, l); err != nil {
		return err
	}
	a.news.tell()
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}

// serveMedia fetches a picture of a message. Whatever the sender says that it is, a browser gets nothing but pictures.
func (a *app) serveMedia(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	m, err := a.tracker.Store().Message(r.Context(), n.Phone, graph.MessageID(r.PathValue("message")))
	if err != nil || m.Media == nil || m.Media.ID == "" {
		return errNotFound
	}
	client, err := a.calls(r.Context(), n)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	_, err = client.Media.Download(r.Context(), cloudapi.MediaDownload{ID: m.Media.ID, Phone: n.Phone, SHA256: m.Media.SHA256, MaxBytes: 16 << 20}, &file)
	kind := http.DetectContentType(file.Bytes())
	if err != nil || !strings.HasPrefix(kind, "image/") {
		return errNotFound // ids expire within days: a product keeps the files
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, max-age=86400")
	_, _ = file.WriteTo(w)
	return nil
}
