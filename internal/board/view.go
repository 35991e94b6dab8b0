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

// A view is what the page shows. It is sent whole whenever something changes.
type view struct {
	Number   string `json:"number"`
	Stage    string `json:"stage"`
	PhoneID  string `json:"phone_id"`
	WABA     string `json:"waba"`
	Now      string `json:"now"`
	Hook     string `json:"hook"`
	Graph    string `json:"graph"`
	Note     string `json:"note"`
	Bad      bool   `json:"bad"`
	Contacts int    `json:"contacts"`

	Popup      *popupView     `json:"popup"`
	Question   *questionView  `json:"question"`
	Chats      []chatView     `json:"chats"`
	Chat       *chatView      `json:"chat"`
	Messages   []messageView  `json:"messages"`
	Deliveries []deliveryView `json:"deliveries"`
	Total      int            `json:"total"`
	Silenced   []silenceView  `json:"silenced"`
}

type popupView struct {
	Screen string `json:"screen"`
}

type questionView struct {
	Code      string `json:"code"`
	Verified  bool   `json:"verified"`
	Confirmed bool   `json:"confirmed"`
}

type chatView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	Saved bool   `json:"saved"`
	Last  string `json:"last"`
	At    string `json:"at"`

	at    time.Time
	fresh bool // was added on the board, and nobody has said anything yet: it comes first
}

type messageView struct {
	ID        string   `json:"id"`
	Author    string   `json:"author"`
	Kind      string   `json:"kind"`
	Text      string   `json:"text"`
	Quote     string   `json:"quote"`
	At        string   `json:"at"`
	Day       string   `json:"day"`
	Status    string   `json:"status"`
	Edited    bool     `json:"edited"`
	Revoked   bool     `json:"revoked"`
	Reactions []string `json:"reactions"`
	Told      string   `json:"told"` // "live", "history", "" for what no webhook has told
}

type deliveryView struct {
	Number    int                           `json:"number"`
	Fields    []webhook.Field               `json:"fields"`
	Bytes     int                           `json:"bytes"`
	State     coexistencetest.DeliveryState `json:"state"`
	Duplicate bool                          `json:"duplicate"`
	Tries     []string                      `json:"tries"`
	At        string                        `json:"at"`
}

type silenceView struct {
	Field  webhook.Field `json:"field"`
	Reason string        `json:"reason"`
	Times  int           `json:"times"`
}

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
	saved := map[string]string{}
	book := b.phone.Contacts()
	v.Contacts = len(book)
	for _, c := range book {
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
			cv.Last, cv.at, cv.At = says(last.Content, last.Revoked), last.At, last.At.Format("2 Jan 15:04")
		}
		if cv.ID == chat {
			v.Chat, v.Messages = &cv, lines(messages)
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
	b.log(&v)
	return v
}

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

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func lines(messages []coexistencetest.ChatMessage) []messageView {
	texts := map[string]string{}
	var list []messageView
	for _, m := range messages {
		text := says(m.Content, m.Revoked)
		texts[string(m.ID)] = text
		mv := messageView{
			ID: string(m.ID), Author: string(m.Author), Kind: m.Content.Type, Text: text, Quote: texts[string(m.Content.ReplyTo)],
			At: m.At.Format("15:04"), Day: m.At.Format("Monday, 2 January 2006"), Status: m.Status, Edited: m.Edited, Revoked: m.Revoked,
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

// says is a message in a line.
func says(c coexistencetest.Content, revoked bool) string {
	names := map[string]string{
		"image": "📷 Photo", "video": "🎬 Video", "audio": "🎤 Voice message", "document": "📄 " + c.Filename, "sticker": "🩵 Sticker",
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

// log adds the latest deliveries, newest first, and what was not delivered.
func (b *Board) log(v *view) {
	all := b.world.Deliveries()
	v.Total = len(all)
	for _, d := range slices.Backward(all[max(0, len(all)-shownDeliveries):]) {
		dv := deliveryView{Number: d.Number, Fields: d.Fields, Bytes: len(d.Body), Duplicate: d.Duplicate, State: d.State}
		for _, a := range d.Attempts {
			dv.Tries = append(dv.Tries, cmp.Or(a.Problem, strconv.Itoa(a.Status)))
			dv.At = a.At.Format("15:04:05")
		}
		v.Deliveries = append(v.Deliveries, dv)
	}
	for _, s := range b.world.Suppressed() {
		i := slices.IndexFunc(v.Silenced, func(o silenceView) bool { return o.Field == s.Field && o.Reason == s.Reason })
		if i < 0 {
			i, v.Silenced = len(v.Silenced), append(v.Silenced, silenceView{Field: s.Field, Reason: s.Reason})
		}
		v.Silenced[i].Times++
	}
}

// body is the body of a delivery, for people.
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
