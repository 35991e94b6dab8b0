package board

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A view is the content of the page, for page.js. It is sent whole after each change, because that
// is simpler than differences, and it is small.
type view struct {
	Phones []phoneView `json:"phones"` // to choose from

	Phone        string `json:"phone"`          // the id of the shown one in calls
	Number       string `json:"number"`         // formatted for people
	CloudAPIOnly bool   `json:"cloud_api_only"` // without an app
	Stage        string `json:"stage"`          // "connected", "suspended", or "alone"
	PhoneID      string `json:"phone_id"`       // the number's ID
	WABA         string `json:"waba"`
	Now          string `json:"now"`        // by the clock of the world
	Hook         string `json:"hook"`       // where webhooks go
	HookState    string `json:"hook_state"` // of the handshake: "none", "waiting", "verified"
	Graph        string `json:"graph"`      // the URL of the simulated Graph API
	Contacts     int    `json:"contacts"`   // number of entries in the phone's address book

	Popup      *popupView     `json:"popup"`      // nil if none is open
	Question   *questionView  `json:"question"`   // on the phone, or nil
	Chats      []chatView     `json:"chats"`      // the latest first
	Chat       *chatView      `json:"chat"`       // the open one, or nil
	Call       string         `json:"call"`       // the id of the open chat's ringing or running call, or ""
	Thread     threadView     `json:"thread"`     // the owner of the open chat
	Responders []threadView   `json:"responders"` // other ones of the number, in the order in which they were added
	Routing    routingView    `json:"routing"`
	Messages   []messageView  `json:"messages"`   // of the open chat, oldest first
	Deliveries []deliveryView `json:"deliveries"` // the latest first
	Total      int            `json:"total"`      // number of deliveries since the start

	Templates []control.TemplateView `json:"templates"` // of the shown number's accounts; nil beside a host's page

	Silenced []control.SuppressedView `json:"silenced"` // webhooks that were not sent, counted by reason
	Calls    []control.RequestView    `json:"calls"`    // of the host to the Graph API, latest first
}

// A threadView is the owner of a conversation, or another responder: see [control.ThreadView].
type threadView = control.ThreadView

// A routingView is the routing of the number.
type routingView struct {
	On       bool   `json:"on"`
	HostRole string `json:"host_role"`
}

// A phoneView is a phone to choose.
type phoneView struct {
	ID           string `json:"id"`
	Number       string `json:"number"`
	CloudAPIOnly bool   `json:"cloud_api_only"`
}

// A popupView is the popup of Embedded Signup.
type popupView struct {
	Screen string `json:"screen"`
}

// A questionView is Meta's question on the phone during a signup.
type questionView struct {
	Code      string `json:"code"`      // to enter into the popup
	Verified  bool   `json:"verified"`  // by the code or the QR code
	Confirmed bool   `json:"confirmed"` // with or without sharing the history
}

// A chatView is a chat in the list.
type chatView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	Last  string `json:"last"`
	At    string `json:"at"`

	WAID    string `json:"wa_id"`   // as webhooks show it
	UserID  string `json:"user_id"` // likewise
	Contact string `json:"contact"` // the id of the address book entry in calls; empty for none

	at    time.Time // of the last message
	fresh bool      // without messages: listed first, so that a new customer is found
	order int       // of the first appearance
}

// A messageView is a message in the open chat.
type messageView struct {
	ID        string   `json:"id"`
	Author    string   `json:"author"`
	Responder string   `json:"responder"` // the name of the other responder that wrote it
	Kind      string   `json:"kind"`
	Text      string   `json:"text"`
	Quote     string   `json:"quote"`
	At        string   `json:"at"`
	Day       string   `json:"day"`
	Status    string   `json:"status"` // of an outgoing message: pending, sent, delivered, read, played
	Edited    bool     `json:"edited"`
	Revoked   bool     `json:"revoked"`
	Reactions []string `json:"reactions"`
	Told      string   `json:"told"` // the webhook that reported it: "live", "history", or "" for none

	Drawing control.Drawing `json:"drawing"` // what a message of the host shows beside its text
}

// A deliveryView is a delivery of webhooks with its attempts.
type deliveryView struct {
	Number    int                           `json:"number"`
	Fields    []webhook.Field               `json:"fields"`
	Summary   string                        `json:"summary"` // in words
	Bytes     int                           `json:"bytes"`
	State     coexistencetest.DeliveryState `json:"state"`
	Duplicate bool                          `json:"duplicate"` // the same body was acknowledged before
	Tries     []string                      `json:"tries"`     // status or problem of each attempt
	At        string                        `json:"at"`        // of the last attempt
}

// How many of the latest entries each list shows.
const (
	shownChats      = 100
	shownMessages   = 200
	shownDeliveries = 60
	shownTries      = 4
	shownCalls      = 60
)

// A selection is what a page has selected.
type selection struct {
	phone, chat string
	hooks       coexistencetest.DeliveryFilter
	failed      bool // only failed calls
}

// shown parses the selection in the query of a page's events.
func shown(q url.Values) selection {
	s := selection{phone: q.Get("phone"), chat: q.Get("chat"), failed: q.Get("failed") == "true"}
	s.hooks = coexistencetest.DeliveryFilter{
		Field: webhook.Field(q.Get("field")), State: coexistencetest.DeliveryState(q.Get("state")),
		Last: shownDeliveries,
	}
	return s
}

// view returns the content of a page with a selection.
func (b *Board) view(show selection) view {
	world := b.api.World()
	v := view{
		Now: world.Now().Format("Mon 2 Jan 2006, 15:04"), Hook: b.cfg.Hook, Graph: world.URL,
		Silenced: control.Suppressed(world),
	}
	if !b.cfg.Beside {
		v.Hook, v.HookState = b.api.Callback()
		b.addCalls(&v, show.failed)
	}
	for _, p := range b.api.Phones() {
		v.Phones = append(v.Phones, phoneView{control.PhoneID(p), p.PhoneNumber(), p.CloudAPIOnly()})
	}
	b.addDeliveries(&v, show.hooks)
	phone := b.phone(show.phone)
	if phone == nil {
		return v
	}
	v.Phone, v.CloudAPIOnly, v.Stage = control.PhoneID(phone), phone.CloudAPIOnly(), control.StageOf(phone)
	v.Number, v.PhoneID, v.WABA = phone.PhoneNumber(), string(phone.ID()), string(phone.WABA())
	if popup := b.api.Popup(phone); popup != nil {
		v.Popup = &popupView{Screen: string(popup.Screen())}
	}
	if q, ok := phone.Prompt(); ok {
		v.Question = &questionView{Code: q.Code, Verified: q.Verified, Confirmed: q.Confirmed}
	}
	v.Contacts = len(phone.Contacts())
	routing := phone.Routing()
	v.Routing = routingView{routing.On, string(routing.HostRole)}
	for _, r := range phone.Responders() {
		v.Responders = append(v.Responders, threadView{Owner: string(r.Role()), Name: r.Name()})
	}
	if !b.cfg.Beside {
		v.Templates = control.Templates(world, phone)
	}
	addChats(&v, world, phone, show.chat)
	return v
}

// addCalls adds the latest calls of the host, latest first.
func (b *Board) addCalls(v *view, failed bool) {
	for _, r := range slices.Backward(b.api.World().Graph().Requests()) {
		if failed && r.Status < 400 && !r.Dropped {
			continue
		}
		v.Calls = append(v.Calls, control.ViewRequest(r))
		if len(v.Calls) == shownCalls {
			return
		}
	}
}

// addChats adds the list of chats, and the messages of the one that is open. A chat has the name of
// the phone's address book if the customer is in it, and otherwise that of the customer's profile.
func addChats(v *view, world *coexistencetest.World, phone *coexistencetest.Phone, open string) {
	type entry struct{ name, id string }
	saved := map[string]entry{} // by user ID and by digits
	for _, c := range phone.Contacts() {
		e := entry{c.FullName, cmp.Or(phonenumber.Digits(c.PhoneNumber), string(c.UserID))}
		saved[cmp.Or(string(c.UserID), e.id)] = e
		saved[e.id] = e
	}
	for i, s := range phone.Chats() {
		c := s.Customer
		id := c.Identity()
		cv := chatView{
			ID: control.CustomerID(c), Name: c.Name(), About: about(c), WAID: c.WAID(), UserID: string(id.UserID),
			fresh: s.Count == 0, order: i,
		}
		if e := cmp.Or(saved[string(id.UserID)], saved[c.WAID()]); e.name != "" {
			cv.Name, cv.Contact = e.name, e.id
		}
		if s.Count > 0 {
			last := s.Last
			cv.Last = line(world, phone, last)
			cv.at, cv.At = last.At, last.At.Format("2 Jan 15:04")
		}
		if cv.ID == open {
			v.Chat, v.Messages, v.Thread = &cv, messageViews(world, phone, c), control.ThreadOf(c)
			for _, call := range control.Calls(world, phone, c) {
				over := call.State == cloudapitest.CallEnded || call.State == cloudapitest.CallRejected
				if call.From == "customer" && !over {
					v.Call = string(call.ID)
				}
			}
		}
		v.Chats = append(v.Chats, cv)
	}
	slices.SortStableFunc(v.Chats, func(a, b chatView) int {
		switch {
		case a.fresh && b.fresh:
			return b.order - a.order
		case a.fresh:
			return -1
		case b.fresh:
			return 1
		}
		return b.at.Compare(a.at)
	})
	v.Chats = v.Chats[:min(len(v.Chats), shownChats)]
}

// about returns the customer's number or, without one, the username.
func about(c *coexistencetest.Customer) string {
	id := c.Identity()
	switch {
	case id.WAID != "":
		return "+" + id.WAID
	case id.Username != "":
		return "@" + id.Username + ", hides the number"
	}
	return string(id.UserID)
}

// messageViews returns the messages of a chat. A quote is the text of the quoted message, which
// comes earlier.
func messageViews(
	world *coexistencetest.World, phone *coexistencetest.Phone, c *coexistencetest.Customer,
) []messageView {
	texts := map[string]string{}
	var list []messageView
	for _, m := range phone.Chat(c) {
		text, drawing := told(world, phone, m)
		texts[string(m.ID)] = line(world, phone, m)
		mv := messageView{
			ID: string(m.ID), Author: string(m.Author), Kind: m.Content.Type, Text: text,
			Quote: texts[string(m.Content.ReplyTo)],
			At:    m.At.Format("15:04"), Day: m.At.Format("Monday, 2 January 2006"), Status: m.Status, Edited: m.Edited,
			Revoked:   m.Revoked,
			Reactions: m.Reactions,
			Drawing:   drawing,
		}
		if m.Responder != nil {
			mv.Responder = m.Responder.Name()
		}
		switch {
		case !m.LiveAt.IsZero():
			mv.Told = "live"
		case !m.PastAt.IsZero():
			mv.Told = "history"
		}
		list = append(list, mv)
	}
	return list[max(0, len(list)-shownMessages):]
}

// told returns the text of a message, and its drawing if it is a file or of the host.
func told(
	world *coexistencetest.World, phone *coexistencetest.Phone, m coexistencetest.ChatMessage,
) (string, control.Drawing) {
	if (m.Author == coexistencetest.AuthorAPI || m.MediaID != "") && !m.Revoked {
		return control.Draw(world, phone, m)
	}
	return summary(m.Content, m.Revoked), control.Drawing{}
}

// line returns a message as one line, for the list of chats and for quotes.
func line(world *coexistencetest.World, phone *coexistencetest.Phone, m coexistencetest.ChatMessage) string {
	if m.Author == coexistencetest.AuthorAPI && !m.Revoked {
		text, drawing := control.Draw(world, phone, m)
		return cmp.Or(text, drawing.Header, summary(coexistencetest.Content{Type: drawing.Media}, false))
	}
	return summary(m.Content, m.Revoked)
}

// summary returns the content of a message as one line.
func summary(c coexistencetest.Content, revoked bool) string {
	names := map[string]string{
		"image": "📷 Photo", "video": "🎬 Video", "audio": "🎤 Voice message", "document": "📄 " + c.Filename,
		"sticker":  "🩵 Sticker",
		"location": "📍 " + c.Text, "contacts": "👤 " + c.Text, "order": "🛒 Order",
	}
	switch name := names[c.Type]; {
	case revoked:
		return "This message was deleted"
	case name == "":
		return c.Text
	case c.Text != "" && c.Type != "location" && c.Type != "contacts":
		return name + "\n" + c.Text
	default:
		return name
	}
}

// addDeliveries adds the latest matching deliveries, latest first.
func (b *Board) addDeliveries(v *view, f coexistencetest.DeliveryFilter) {
	found, total := b.api.World().FindDeliveries(f)
	v.Total = total
	for _, d := range slices.Backward(found) {
		dv := deliveryView{
			Number: d.Number, Fields: d.Fields, Summary: control.Describe(d.Body), Bytes: len(d.Body),
			Duplicate: d.Duplicate, State: d.State,
		}
		for _, a := range d.Attempts[max(0, len(d.Attempts)-shownTries):] {
			dv.Tries = append(dv.Tries, cmp.Or(a.Problem, strconv.Itoa(a.Status)))
			dv.At = a.At.Format("15:04:05")
		}
		v.Deliveries = append(v.Deliveries, dv)
	}
}
