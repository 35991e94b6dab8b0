package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// shownChats is how many conversations a page of the list has. The next one begins behind a cursor,
// so that the hundredth costs what the first does.
const shownChats = 50

// An inboxPage is a page of the conversations of a number, or what was searched for in their place,
// and one conversation that is open.
type inboxPage struct {
	conversationPage

	State  coexistence.Number
	Unread string
	Search *search // or nil
	Chat   *chat   // or nil
}

// Query is the common query of the page's links: the search, so that it stays.
func (p inboxPage) Query() string {
	if p.Search == nil {
		return ""
	}
	return "?" + url.Values{"q": {p.Search.Text}}.Encode()
}

// A row is a conversation in a list, of which one is open.
type row struct {
	coexistence.Conversation

	Open  bool
	Query string
}

// Row makes the row of a conversation.
func (p inboxPage) Row(c coexistence.Conversation) row {
	return row{c, p.Chat != nil && p.Chat.ID == c.ID, p.Query()}
}

// A conversationPage is a page of the conversations of a number, the latest first.
type conversationPage struct {
	Chats []coexistence.Conversation
	Below coexistence.Cursor // of the conversation that they are behind; empty if they begin with the latest
	Next  coexistence.Cursor // of the last one, if there are more
}

// serveInbox shows the conversations of a number, or what was searched for, and one conversation if
// the path names it. The nonce is made before the page is streamed, so that a form keeps its name
// while the page changes around it. A search is not repeated for a page that is open.
func (a *app) serveInbox(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	nonce, text := rand.Text(), strings.TrimSpace(r.Form.Get("q"))
	return a.show(w, r, t, n, func(ctx context.Context) (view, error) {
		var p inboxPage
		var err1, err2, err3, err4 error
		p.State, err1 = a.tracker.Store().Number(ctx, n.PhoneNumberID)
		p.Unread, err2 = a.unread(ctx, n.PhoneNumberID)
		switch {
		case text == "":
			p.conversationPage, err3 = a.conversations(ctx, n.PhoneNumberID, cursor(r.Form, "below"))
		case live.Wanted(r):
			p.Search = &search{Text: text}
		default:
			p.Search, err3 = a.search(ctx, n.PhoneNumberID, text, cursor(r.Form, "found"))
		}
		if id := r.PathValue("chat"); id != "" {
			p.Chat, err4 = a.open(ctx, r, n, id, p.State.OnboardedAt)
		}
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return view{}, err
		}
		if p.Chat != nil {
			p.Chat.Nonce = nonce
		}
		return view{Page: "inbox", Title: "Inbox", Tenant: t, Number: n, Data: p}, nil
	})
}

// conversations returns a page of the conversations of a number.
func (a *app) conversations(
	ctx context.Context, phone graph.PhoneNumberID, below coexistence.Cursor,
) (conversationPage, error) {
	list, err := a.tracker.Store().ListConversations(ctx, phone, coexistence.ConversationListOptions{
		After: below, Limit: shownChats + 1,
	})
	p := conversationPage{Chats: list, Below: below}
	if len(list) > shownChats {
		p.Chats = list[:shownChats]
		p.Next = p.Chats[shownChats-1].Cursor()
	}
	return p, err
}

// unread describes how many conversations are unread, up to the length of a page: a number that
// only a bot answers may have any number of them.
func (a *app) unread(ctx context.Context, phone graph.PhoneNumberID) (string, error) {
	list, err := a.tracker.Store().ListConversations(ctx, phone, coexistence.ConversationListOptions{
		Unread: true, Limit: shownChats + 1,
	})
	switch {
	case err != nil || len(list) == 0:
		return "", err
	case len(list) > shownChats:
		return fmt.Sprintf("more than %d unread conversations", shownChats), nil
	case len(list) == 1:
		return "1 unread conversation", nil
	default:
		return fmt.Sprintf("%d unread conversations", len(list)), nil
	}
}

// cursor reads a cursor from a page's address. An invalid one is the beginning of the list.
func cursor(v url.Values, name string) coexistence.Cursor {
	c := coexistence.Cursor(v.Get(name))
	if _, err := c.Place(); err != nil {
		return ""
	}
	return c
}
