package board

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A view is what the page shows, as page.js reads it. It is sent whole whenever something changes,
// because that is simpler than to send changes, and small.
type view struct {
	Number   string `json:"number"`   // as people write it
	Stage    string `json:"stage"`    // "connected", "suspended", or "alone"
	PhoneID  string `json:"phone_id"` // the number's ID
	WABA     string `json:"waba"`
	Now      string `json:"now"`      // by the clock of the world
	Hook     string `json:"hook"`     // where webhooks go
	Graph    string `json:"graph"`    // the URL of the simulated Graph API
	Note     string `json:"note"`     // what came of the last action
	Bad      bool   `json:"bad"`      // the last action failed
	Contacts int    `json:"contacts"` // in the phone's address book

	Popup      *popupView     `json:"popup"`      // nil if the board has none open
	Question   *questionView  `json:"question"`   // what the phone asks, or nil
	Chats      []chatView     `json:"chats"`      // the latest first
	Chat       *chatView      `json:"chat"`       // the one that is open, or nil
	Messages   []messageView  `json:"messages"`   // of that, the oldest first
	Deliveries []deliveryView `json:"deliveries"` // the latest first
	Total      int            `json:"total"`      // deliveries since the beginning
	Silenced   []silenceView  `json:"silenced"`   // webhooks that were not sent, by reason
}

// A popupView is the popup of Embedded Signup.
type popupView struct {
	Screen string `json:"screen"`
}

// A questionView is the message from Meta on the phone, during signup.
type questionView struct {
	Code      string `json:"code"`      // that the popup asks for
	Verified  bool   `json:"verified"`  // by the code or the QR code
	Confirmed bool   `json:"confirmed"` // sharing, or declining to share, the history
}

// A chatView is a chat in the list.
type chatView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	Saved bool   `json:"saved"`
	Last  string `json:"last"`
	At    string `json:"at"`

	at    time.Time // of the last message
	fresh bool      // a customer who was added on the board and has no messages yet: on top
}

// A messageView is a message in the open chat.
type messageView struct {
	ID        string   `json:"id"`
	Author    string   `json:"author"`
	Kind      string   `json:"kind"`
	Text      string   `json:"text"`
	Quote     string   `json:"quote"`
	At        string   `json:"at"`
	Day       string   `json:"day"`
	Status    string   `json:"status"` // of an outgoing message: pending, sent, delivered, read, played
	Edited    bool     `json:"edited"`
	Revoked   bool     `json:"revoked"`
	Reactions []string `json:"reactions"`
	Told      string   `json:"told"` // the webhook that told of it: "live", "history", or "" for none
}

// A deliveryView is a delivery of webhooks with its attempts.
type deliveryView struct {
	Number    int                           `json:"number"`
	Fields    []webhook.Field               `json:"fields"`
	Bytes     int                           `json:"bytes"`
	State     coexistencetest.DeliveryState `json:"state"`
	Duplicate bool                          `json:"duplicate"` // the same body was acknowledged before
	Tries     []string                      `json:"tries"`     // status or problem of each attempt
	At        string                        `json:"at"`        // of the last attempt
}

// A silenceView counts webhooks of a field that Meta would not have sent, for one reason.
type silenceView struct {
	Field  webhook.Field `json:"field"`
	Reason string        `json:"reason"`
	Times  int           `json:"times"`
}

// How much of each list is shown: the latest.
const (
	shownChats      = 100
	shownMessages   = 200
	shownDeliveries = 60
)

// view looks at everything, with the messages of one chat.
func (b *Board) view(chat string) view {
	b.mu.Lock()
	popup := b.popup
	v := view{Note: b.note, Bad: b.bad}
	b.mu.Unlock()
	v.Number, v.PhoneID, v.WABA = b.phone.PhoneNumber(), string(b.phone.ID()), string(b.phone.WABA())
	v.Now, v.Hook, v.Graph = b.world.Now().Format("Mon 2 Jan 2006, 15:04"), b.cfg.Hook, b.world.URL
	switch {
	case b.phone.Coexists():
		v.Stage = "connected"
	case b.phone.Suspended():
		v.Stage = "suspended"
	default:
		v.Stage = "alone"
	}
	if popup != nil {
		v.Popup = &popupView{Screen: string(popup.Screen())}
	}
	if q, ok := b.phone.Prompt(); ok {
		v.Question = &questionView{Code: q.Code, Verified: q.Verified, Confirmed: q.Confirmed}
	}
	v.Contacts = len(b.phone.Contacts())
	b.addChats(&v, chat)
	b.addDeliveries(&v)
	return v
}

// addChats adds the list of chats, and the messages of the one that is open. A chat has the name of
// the phone's address book if the customer is in it, and otherwise the one that the customer has
// chosen.
func (b *Board) addChats(v *view, open string) {
	saved := map[string]string{} // names, by user ID and by digits
	for _, c := range b.phone.Contacts() {
		saved[cmp.Or(string(c.UserID), digits(c.PhoneNumber))] = c.FullName
		saved[digits(c.PhoneNumber)] = c.FullName
	}
	for i, c := range b.phone.Customers() {
		messages := b.phone.Chat(c)
		cv := chatView{ID: strconv.Itoa(i), Name: c.Name(), About: about(c)}
		if name := cmp.Or(saved[string(c.Identity().UserID)], saved[c.WAID()]); name != "" {
			cv.Name, cv.Saved = name, true
		}
		cv.fresh = len(messages) == 0 && i >= b.known
		if n := len(messages); n > 0 {
			last := messages[n-1]
			cv.Last, cv.at, cv.At = summary(last.Content, last.Revoked), last.At, last.At.Format("2 Jan 15:04")
		}
		if cv.ID == open {
			v.Chat, v.Messages = &cv, messageViews(messages)
		}
		v.Chats = append(v.Chats, cv)
	}
	slices.SortStableFunc(v.Chats, func(a, b chatView) int {
		switch {
		case a.fresh && !b.fresh:
			return -1
		case b.fresh && !a.fresh:
			return 1
		}
		return b.at.Compare(a.at)
	})
	v.Chats = v.Chats[:min(len(v.Chats), shownChats)]
}

// about says how a customer can be told from others: by the number, or without one by the username.
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

// digits are those of a phone number, without what people write between them.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// messageViews are the messages of a chat. A quote is shown by the text of the quoted message,
// which comes before.
func messageViews(messages []coexistencetest.ChatMessage) []messageView {
	texts := map[string]string{}
	var list []messageView
	for _, m := range messages {
		text := summary(m.Content, m.Revoked)
		texts[string(m.ID)] = text
		mv := messageView{
			ID: string(m.ID), Author: string(m.Author), Kind: m.Content.Type, Text: text,
			Quote: texts[string(m.Content.ReplyTo)],
			At:    m.At.Format("15:04"), Day: m.At.Format("Monday, 2 January 2006"), Status: m.Status, Edited: m.Edited,
			Revoked:   m.Revoked,
			Reactions: m.Reactions,
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

// summary is a message in a line, as in a list of chats.
func summary(c coexistencetest.Content, revoked bool) string {
	names := map[string]string{
		"image": "📷 Photo", "video": "🎬 Video", "audio": "🎤 Voice message", "document": "📄 " + c.Filename,
		"sticker":  "🩵 Sticker",
		"location": "📍 " + c.Text, "contacts": "👤 " + c.Text,
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

// addDeliveries adds the latest deliveries, newest first, and what was not delivered, counted by
// its reason.
func (b *Board) addDeliveries(v *view) {
	all := b.world.Deliveries()
	v.Total = len(all)
	for _, d := range slices.Backward(all[max(0, len(all)-shownDeliveries):]) {
		dv := deliveryView{
			Number: d.Number, Fields: d.Fields, Bytes: len(d.Body), Duplicate: d.Duplicate, State: d.State,
		}
		for _, a := range d.Attempts {
			dv.Tries = append(dv.Tries, cmp.Or(a.Problem, strconv.Itoa(a.Status)))
			dv.At = a.At.Format("15:04:05")
		}
		v.Deliveries = append(v.Deliveries, dv)
	}
	for _, s := range b.world.Suppressed() {
		i := slices.IndexFunc(
			v.Silenced, func(o silenceView) bool { return o.Field == s.Field && o.Reason == s.Reason },
		)
		if i < 0 {
			i, v.Silenced = len(v.Silenced), append(v.Silenced, silenceView{Field: s.Field, Reason: s.Reason})
		}
		v.Silenced[i].Times++
	}
}

// body is the body of a delivery, indented for people; nil if there is no such delivery.
func (b *Board) body(number int) []byte {
	all := b.world.Deliveries()
	if number < 1 || number > len(all) {
		return nil
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, all[number-1].Body, "", "  ") != nil {
		return all[number-1].Body
	}
	return pretty.Bytes()
}
