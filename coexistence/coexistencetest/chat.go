package coexistencetest

import (
	"slices"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Author is who wrote a message.
type Author string

const (
	AuthorCustomer Author = "customer" // the customer
	AuthorPhone    Author = "phone"    // the business, in the WhatsApp Business app
	AuthorAPI      Author = "api"      // the business, through Cloud API

	// AuthorResponder is another responder of the number: see [Phone.AddResponder].
	AuthorResponder Author = "responder"
)

// A ChatMessage is a message as the phone shows it.
type ChatMessage struct {
	// ID is the id that webhooks and the Graph API give it. It never changes.
	ID graph.MessageID

	// Author wrote it at the world's time At. Content is the latest, and empty if the message was
	// deleted.
	Author  Author
	Content Content
	At      time.Time

	// Status is how far an outgoing message has come: "pending", "sent", "delivered", "read",
	// "played", "error". Empty for incoming ones.
	Status string

	// Edited means that Content is not the first. Revoked means that it was deleted for everyone.
	Edited, Revoked bool

	// Reactions are the emojis under the message: one of each author at most, the customer's
	// first.
	Reactions []string

	// Sent is the call by which the host sent it, with the message as it stands on the wire; zero
	// for all others.
	Sent cloudapitest.SentMessage

	// Responder wrote it, nil for all others.
	Responder *Responder

	// MediaID is the file of a message that a person sent, for [World.MediaFile] and for the host;
	// empty for all others.
	MediaID graph.MediaID

	// LiveAt is when a live webhook told of the message, PastAt when history last did, both by the
	// world's clock. Both are zero for what the host cannot know: it was written while the number
	// did not coexist, or the business shares no history.
	LiveAt, PastAt time.Time
}

// A chat is the conversation of one phone with one customer. The fields are guarded by the world's
// mu.
type chat struct {
	customer *Customer

	// position is the place among the phone's chats, which is the order of threads in a history.
	position int

	// messages are in the order of their arrival here; those of the past are told in any order.
	messages []*message

	// holder is the responder that had the conversation last, nil for the host. It counts while the
	// Graph API says that the conversation is another's.
	holder *Responder
}

// A message is what both sides and the host see of one message. There is one for each id, whichever
// way it travels. The fields are guarded by the world's mu.
type message struct {
	id      graph.MessageID
	chat    *chat
	author  Author
	content Content
	at      time.Time

	// status is how far an outgoing message came, in the words of a history: "read", or "pending"
	// and "error" for what never left the phone. Empty for incoming ones.
	status string

	edited, revoked bool

	// sent is the call by which the host sent it; zero for all others.
	sent cloudapitest.SentMessage

	// responder wrote it, nil for all others.
	responder *Responder

	// media and sha256 are of a file: its id, and the hash of its bytes in base64.
	media  graph.MediaID
	sha256 string

	// liveAt is when a live webhook told of it, pastAt when a history last did. Zero if none did.
	liveAt, pastAt time.Time

	// reactions holds the emoji of each side, empty for one that was taken back.
	reactions map[Author]string
}

// outbound reports whether the business wrote the message, on the phone or through Cloud API.
func (m *message) outbound() bool { return m.author != AuthorCustomer }

// timestamp is the member of that name: Unix seconds in a string, as Meta writes every time of a
// message.
func (m *message) timestamp() member { return str("timestamp", strconv.FormatInt(m.at.Unix(), 10)) }

// wire is the content as webhooks have it now: the URL of a file works for five minutes from now.
func (m *message) wire() member {
	url := ""
	if m.content.isMedia() {
		url = m.mediaURL()
	}
	return m.content.wire(m.media, m.sha256, url)
}

// newMessage adds a message to a chat. Without an id it gets one, and a file gets the id and hash
// by which it can be downloaded. A reaction is a message of its own here and on the wire, and is
// shown under the message that it is for. The caller must hold the world's mu.
func (p *Phone) newMessage(ch *chat, author Author, content Content, id graph.MessageID, at time.Time) *message {
	if content.Type == "" {
		content.Type = "text"
	}
	if id == "" {
		id = newMessageID(p.world.rand, ch.customer.waid())
	}
	m := &message{id: id, chat: ch, author: author, content: content, at: at, reactions: map[Author]string{}}
	if m.outbound() {
		m.status = "delivered"
	}
	if content.isMedia() {
		m.media = graph.MediaID(p.world.newID())
		m.sha256 = fileOf(content.Type, m.media).sha256
	}
	if content.Type == "reaction" {
		if target := p.byID[content.ReplyTo]; target != nil {
			target.reactions[author] = content.Text
		}
	}
	ch.messages = append(ch.messages, m)
	p.byID[id] = m
	if !at.Before(p.addedAt) { // and so is no part of its past
		p.world.retain(m)
	}
	return m
}

// Chat returns what the phone shows of its conversation with a customer, oldest first: what the
// customer wrote, what was written on the phone, and what was sent through Cloud API.
func (p *Phone) Chat(c *Customer) []ChatMessage {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	var shown []ChatMessage
	for _, m := range c.chat.messages {
		if m.content.Type != "reaction" { // shown under the message that it is for
			shown = append(shown, m.shown())
		}
	}
	slices.SortStableFunc(shown, func(a, b ChatMessage) int { return a.At.Compare(b.At) })
	return shown
}

// shown is the message as a person sees it. A deleted one has no content on the phone; a host may
// keep it. The caller must hold the world's mu.
func (m *message) shown() ChatMessage {
	s := ChatMessage{
		ID: m.id, Author: m.author, Content: m.content, At: m.at, Status: m.status, Edited: m.edited,
		Revoked: m.revoked, Sent: m.sent, Responder: m.responder, MediaID: m.media, LiveAt: m.liveAt, PastAt: m.pastAt,
	}
	if m.revoked {
		s.Content, s.MediaID = Content{}, ""
	}
	for _, author := range []Author{AuthorCustomer, AuthorPhone, AuthorAPI} {
		if emoji := m.reactions[author]; emoji != "" {
			s.Reactions = append(s.Reactions, emoji)
		}
	}
	return s
}
