package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readStatus reads an element of statuses. Meta has renamed several members; all names are accepted
// here and nowhere else, the newest wins.
func readStatus(s *wire.Scanner) Event {
	st := new(MessageStatus)
	if !s.Object() {
		return st
	}
	var (
		recipient           string
		parent, participant alias
		legacyPricing       nestedPricing   // printed beside the conversation and inside it
		legacy              legacyRecipient // message.recipient_id
	)
	for s.NextMember() {
		switch name := s.Name(); string(name) {
		case "id":
			st.ID = graph.MessageID(s.Text())
		case "status":
			st.Status = statusCode(s.TextBytes())
		case "timestamp":
			st.At = s.Time()
		case "recipient_id":
			recipient = s.Text()
		case "recipient_user_id":
			st.Recipient.UserID = graph.UserID(s.Text())
		case "recipient_parent_user_id":
			parent.read(s, 3, "recipient_parent_user_id")
		case "parent_recipient_user_id":
			parent.read(s, 2, "parent_recipient_user_id")
		case "parent_user_id":
			parent.read(s, 1, "parent_user_id")
		case "recipient_type":
			st.RecipientType = s.Text()
		case "recipient_participant_id":
			participant.read(s, 2, "recipient_participant_id")
		case "participant_recipient_id":
			participant.read(s, 1, "participant_recipient_id")
		case "recipient_participant_user_id":
			st.Participant.UserID = graph.UserID(s.Text())
		case "recipient_participant_parent_user_id":
			st.Participant.ParentUserID = graph.UserID(s.Text())
		case "recipient_identity_key_hash":
			st.IdentityHash = s.Text()
		case "group_id":
			st.GroupID = graph.GroupID(s.Text())
		case "biz_opaque_callback_data":
			st.CallbackData = s.Text()
		case "template_id":
			st.TemplateID = graph.TemplateID(s.Text())
		case "conversation":
			st.Conversation, legacyPricing = readConversation(s)
		case "pricing":
			st.Pricing = pricingDecoder.New(s)
		case "errors":
			st.Errors = readErrors(s)
		case "type":
			st.Type = s.Text()
		case "payment":
			st.Payment = paymentDecoder.New(s)
		case "message":
			legacyRecipientDecoder.Decode(s, &legacy)
		default:
			s.Unknown()
		}
	}
	if st.Pricing == nil && legacyPricing.raw != nil {
		st.Pricing = legacyPricing.pricing
	} else if legacyPricing.raw != nil {
		s.Unplaced("conversation.pricing", legacyPricing.raw)
	}
	if recipient == "" {
		recipient = legacy.ID
	} else if legacy.ID != "" && legacy.ID != recipient {
		s.Unplaced("message.recipient_id", quoted(legacy.ID))
	}
	st.Recipient.ParentUserID = graph.UserID(parent.value)
	st.Participant.WAID = participant.value
	parent.report(s)
	participant.report(s)
	st.setRecipient(recipient, s)
	return st
}

// setRecipient files recipient_id, which is a group's id for messages to groups and has held user
// ids.
func (st *MessageStatus) setRecipient(recipient string, s *wire.Scanner) {
	switch {
	case st.RecipientType != "group":
		st.Recipient.WAID = recipient
	case st.GroupID == "":
		st.GroupID = graph.GroupID(recipient)
	case recipient != "" && recipient != string(st.GroupID):
		s.Unplaced("recipient_id", quoted(recipient))
	}
	splitAndReport(s, "recipient_id", &st.Recipient)
	splitAndReport(s, "recipient_participant_id", &st.Participant)
}

// An alias is a member that goes by several names, of which the one with the highest rank counts. A
// repeat of the same name replaces, as any duplicate does; a different value under another name has
// no place.
type alias struct {
	value    string
	rank     int
	name     string // under which value stood
	unplaced []wire.Member
}

// read reads the member under one of its names.
func (a *alias) read(s *wire.Scanner, rank int, name string) {
	text := s.Text()
	switch {
	case text == "" || text == a.value:
	case a.value == "" || rank >= a.rank:
		if a.value != "" && rank > a.rank {
			a.unplaced = append(a.unplaced, wire.Member{Path: a.name, Value: quoted(a.value)})
		}
		a.value, a.rank, a.name = text, rank, name
	default:
		a.unplaced = append(a.unplaced, wire.Member{Path: name, Value: quoted(text)})
	}
}

// report reports the values without a place, at the end of the object.
func (a *alias) report(s *wire.Scanner) {
	for _, m := range a.unplaced {
		s.Unplaced(m.Path, m.Value)
	}
}

// A legacyRecipient is the object "message" of old statuses.
type legacyRecipient struct {
	ID string `json:"recipient_id"`
}

// A nestedPricing is a pricing inside a conversation, where Meta has printed it.
type nestedPricing struct {
	pricing *Pricing
	raw     []byte // nil if absent
}

// readConversation reads a conversation; nil for null.
func readConversation(s *wire.Scanner) (c *BillingConversation, nested nestedPricing) {
	if s.Null() {
		return nil, nested
	}
	c = new(BillingConversation)
	if !s.Object() {
		return c, nested
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			c.ID = s.Text()
		case "origin":
			originDecoder.Decode(s, &c.Origin)
		case "expiration_timestamp":
			c.ExpiresAt.Time = s.Time()
		case "pricing":
			mark := s.Mark()
			nested.pricing = pricingDecoder.New(s)
			nested.raw = s.Since(mark)
		default:
			s.Unknown()
		}
	}
	return c, nested
}

// statusCode returns b as a status. Known statuses take no memory.
func statusCode(b []byte) DeliveryStatus {
	switch string(b) {
	case "sent":
		return StatusSent
	case "delivered":
		return StatusDelivered
	case "read":
		return StatusRead
	case "failed":
		return StatusFailed
	}
	return DeliveryStatus(b)
}

// joinStatus completes a status by the contact of the person whom it is about.
func (v *value) joinStatus(st *MessageStatus) {
	person := &st.Recipient
	if st.RecipientType == "group" {
		person = &st.Participant
	}
	c, unplaced := v.join(person)
	if c == nil {
		return
	}
	st.ProfileName, st.ProfileCountry, st.ContactWAID = c.name, c.country, contactWAID(c, *person)
	if st.IdentityHash == "" {
		st.IdentityHash = c.identityHash
	} else if c.identityHash != "" && c.identityHash != st.IdentityHash {
		unplaced = append(unplaced, UnknownMember{"value.contacts.identity_key_hash", quoted(c.identityHash)})
	}
	st.Unknown = append(st.Unknown, unplaced...)
}

var (
	paymentDecoder         = wire.For[Payment]()
	pricingDecoder         = wire.For[Pricing]()
	originDecoder          = wire.For[BillingConversationOrigin]()
	legacyRecipientDecoder = wire.For[legacyRecipient]()
)
