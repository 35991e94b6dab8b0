package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A stdItem is what both readers say about one item.
type stdItem struct {
	Where                      string // field, account and number
	ID, Type                   string
	At                         int64
	From, To                   graph.Identity
	Name                       string
	Content, Context, Callback string
	Conversation, Pricing      string
	Errors                     []webhook.Error
}

func (i stdItem) String() string { return fmt.Sprintf("%#v", i) }

// A stdReader turns what encoding/json reads into items.
type stdReader struct {
	where    string
	contacts []payload.Contact
	timed    bool // an entry tells a time, which stands in for that of an item without
	unsure   bool // an item is read in a way that this test does not follow
	out      []string
}

// lines returns what encoding/json reads in a body, a line for each item; false where the two
// readers are not meant to agree: names in another case, duplicates, null items, and labels that
// this test does not follow.
func lines(body []byte) ([]string, bool) {
	var d payload.Delivery
	if json.Unmarshal(body, &d) != nil || hasDuplicates(body) || bytes.Contains(body, []byte("null")) ||
		!followed(body) ||
		!strings.HasPrefix(d.Object, "whatsapp") {
		return nil, false
	}
	r := stdReader{timed: bytes.Contains(body, []byte(`"time"`))}
	for _, e := range d.Entry {
		for _, c := range e.Changes {
			if !r.change(e.ID, c) {
				return nil, false
			}
		}
	}
	return r.out, len(r.out) > 0 && !r.unsure
}

// change reads the items of a change. It returns false unless there is one list, that of the field.
func (r *stdReader) change(account string, c payload.Change) bool {
	v := c.Value
	r.where, r.contacts = whereLine(c.Field, account, v.Metadata.Phone, v.Metadata.Display), v.Contacts
	var fields []string // of the lists that are there
	if len(v.Messages) > 0 {
		fields = append(fields, "messages")
		each(v.Messages, r.incoming)
	}
	if len(v.Statuses) > 0 {
		fields = append(fields, "messages")
		each(v.Statuses, r.status)
	}
	if len(v.Echoes) > 0 {
		fields = append(fields, "smb_message_echoes")
		each(v.Echoes, r.echo)
	}
	if len(v.History) > 0 {
		fields = append(fields, "history")
		each(v.History, r.history)
	}
	if len(v.StateSync) > 0 {
		fields = append(fields, "smb_app_state_sync")
		each(v.StateSync, r.appState)
	}
	return len(v.Errors) == 0 && len(fields) == 1 && fields[0] == c.Field
}

func (r *stdReader) appState(a payload.AppState) {
	c := a.Contact
	r.out = append(r.out, appStateLine(r.where, a.Type, a.Action, c.FullName, c.FirstName, c.Phone, c.UserID,
		strings.TrimPrefix(c.Username, "@"), r.at(a.Metadata.Timestamp)))
}

func each[T any](list []T, read func(T)) {
	for _, item := range list {
		read(item)
	}
}

func whereLine(field, waba, phone, display string) string {
	return fmt.Sprintf("%q of %q at %q, %q", field, waba, phone, display)
}

func appStateLine(where, typ, action, full, first, phone, user, username string, at int64) string {
	return fmt.Sprintf("%s %q %q %q %q %q %q %q %d", where, typ, action, full, first, phone, user, username, at)
}

func (r *stdReader) at(text string) int64 {
	at := graph.ParseTimestamp(text)
	r.unsure = r.unsure || r.timed && at.IsZero()
	return at.Unix()
}

// person returns an identity whose number may be a user id.
func person(waid, user, parent string) graph.Identity {
	id := graph.Identity{WAID: waid, UserID: graph.UserID(user), ParentUserID: graph.UserID(parent)}
	if graph.IsUserID(id.WAID) {
		if id.UserID == "" {
			id.UserID = graph.UserID(id.WAID)
		}
		id.WAID = ""
	}
	return id
}

// meet adds what the contact with the person's number or user id tells, and returns its name. It
// does not follow contacts that are found in other ways.
func (r *stdReader) meet(id *graph.Identity) (name string) {
	if len(r.contacts) == 0 {
		return ""
	}
	for _, same := range []func(c graph.Identity) bool{
		func(c graph.Identity) bool { return c.WAID != "" && c.WAID == id.WAID },
		func(c graph.Identity) bool { return c.UserID != "" && c.UserID == id.UserID },
	} {
		for _, c := range r.contacts {
			theirs := person(c.WAID, c.UserID, c.ParentUserID)
			if !same(theirs) {
				continue
			}
			for _, member := range []struct{ own, theirs *graph.UserID }{{&id.UserID, &theirs.UserID},
				{&id.ParentUserID, &theirs.ParentUserID}} {
				if *member.own == "" {
					*member.own = *member.theirs
				}
			}
			if id.WAID == "" {
				id.WAID = theirs.WAID
			}
			id.Username = strings.TrimPrefix(c.Profile.Username, "@")
			return c.Profile.Name
		}
	}
	r.unsure = true
	return ""
}

func (r *stdReader) message(m payload.Message) stdItem {
	item := stdItem{Where: r.where, ID: m.ID, Type: m.Type, At: r.at(m.Timestamp), Errors: stdErrors(m.Errors)}
	if c := m.Context; c != nil {
		item.Context = contextLine(c.ID, c.From)
	}
	files := map[string]*payload.Media{"image": m.Image, "video": m.Video, "audio": m.Audio, "document": m.Document,
		"sticker": m.Sticker}
	switch file := files[m.Type]; {
	case m.Type == "text" && m.Text != nil:
		item.Content = m.Text.Body
	case file != nil:
		if m.Type == "audio" || m.Type == "sticker" {
			file.Caption = ""
		}
		if m.Type != "document" {
			file.Filename = ""
		}
		item.Content = fmt.Sprintf("%q", *file)
	case m.Type == "location" && m.Location != nil:
		item.Content = fmt.Sprintf("%v", *m.Location)
	case m.Type == "reaction" && m.Reaction != nil:
		item.Content = fmt.Sprintf("%q", *m.Reaction)
	}
	return item
}

func contextLine(id, from string) string { return fmt.Sprintf("to %q of %q", id, from) }

func stdErrors(list []payload.Error) (errs []webhook.Error) {
	for _, e := range list {
		errs = append(errs, webhook.Error{Code: graph.Code(e.Code), Title: e.Title, Message: e.Message,
			Details: e.Data.Details, Href: e.Href})
	}
	return errs
}

func (r *stdReader) incoming(m payload.Message) {
	item := r.message(m)
	item.From = person(m.From, m.FromUser, m.FromParent)
	item.Name = r.meet(&item.From)
	r.out = append(r.out, item.String())
}

func (r *stdReader) echo(m payload.Message) {
	item := r.message(m)
	item.From, item.To = graph.Identity{WAID: m.From}, person(m.To, m.ToUser, m.ToParent)
	item.Name = r.meet(&item.To)
	r.out = append(r.out, item.String())
}

func (r *stdReader) history(h payload.HistoryItem) {
	r.out = append(r.out, fmt.Sprintf("%s %d %d %d", r.where, h.Metadata.Phase, h.Metadata.Order, h.Metadata.Progress))
	timed := r.timed
	r.timed = false // messages of a history have no other time than their own
	for _, t := range h.Threads {
		customer := person(t.Context.WAID, t.Context.UserID, t.Context.ParentUserID)
		customer.Username = strings.TrimPrefix(t.Context.Username, "@")
		switch isUser := graph.IsUserID(t.ID); {
		case isUser && customer.UserID == "":
			customer.UserID = graph.UserID(t.ID)
		case !isUser && customer.WAID == "":
			customer.WAID = t.ID
		}
		r.out = append(r.out, fmt.Sprintf("%q %q", t.ID, customer))
		for _, m := range t.Messages {
			item := r.message(m)
			item.Where, item.From, item.To = "", person(m.From, m.FromUser, m.FromParent), person(m.To, m.ToUser,
				m.ToParent)
			if m.HistoryContext != nil {
				item.Callback = strings.ToUpper(m.HistoryContext.Status)
			}
			r.out = append(r.out, item.String())
		}
	}
	r.timed = timed
}

func (r *stdReader) status(s payload.Receipt) {
	item := stdItem{Where: r.where, ID: s.ID, Type: s.Status, At: r.at(s.Timestamp), Callback: s.CallbackData,
		Errors: stdErrors(s.Errors)}
	item.To = person(s.Recipient, s.RecipientUser, "")
	item.Name = r.meet(&item.To)
	item.To.ParentUserID = "" // goes by several names
	if c := s.Conversation; c != nil {
		item.Conversation = conversationLine(c.ID, c.Origin.Type, graph.ParseTimestamp(c.ExpiresAt).Time)
	}
	if p := s.Pricing; p != nil {
		item.Pricing = pricingLine(p.Model, p.Type, p.Category, p.Billable)
	}
	r.out = append(r.out, item.String())
}

func conversationLine(id, origin string, expires time.Time) string {
	return fmt.Sprintf("%q %q %d", id, origin, expires.Unix())
}

func pricingLine(model, typ, category string, billable *bool) string {
	known := "unknown"
	if billable != nil {
		known = fmt.Sprint(*billable)
	}
	return fmt.Sprintf("%q %q %q %s", model, typ, category, known)
}
