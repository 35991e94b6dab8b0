package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readStatus reads an element of statuses. Meta has renamed several members; all names are accepted
// here and nowhere else, the newest wins.
func readStatus(s *wire.Scanner) Event {
	st := new(MessageStatus)
	a := lookAhead(s)
	h := a.statusHead()
	var recipient string
	if a.inside("") {
		st.ID, st.Status, st.At, recipient, st.Recipient.UserID = h.id, h.status, h.at.Time, h.recipient, h.user
	} else if !s.Object() {
		return st
	}
	var (
		parent, participant alias
		pricing             nested // printed beside the conversation and inside it
		legacy              nested // message.recipient_id
	)
	for s.NextMember() {
		switch name := s.Name(); string(name) {
		case "id":
			st.ID = graph.MessageID(s.Text())
		case "status":
			st.Status = statusCode(s.TextBytes())
		case "timestamp":
			st.At = s.Time().Time
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
			pricing = nested{}
			st.Conversation = readConversation(s, &pricing)
		case "pricing":
			st.Pricing = readNew(s, readPricing)
		case "errors":
			st.Errors = readErrors(s)
		case "type":
			st.Type = s.Text()
		case "payment":
			st.Payment = paymentDecoder.New(s)
		case "message":
			legacy.read(s)
		default:
			s.Unknown()
		}
	}
	if st.Pricing == nil && pricing.raw != nil {
		st.Pricing = pricing.pricing
	} else if pricing.raw != nil {
		s.Leave("conversation.pricing", pricing.raw)
	}
	if recipient == "" {
		recipient = legacy.text
	} else if legacy.text != "" && legacy.text != recipient {
		s.Leave("message.recipient_id", quoted(legacy.text))
	}
	st.Recipient.ParentUserID = graph.UserID(parent.value)
	st.Participant.WAID = participant.value
	parent.leave(s)
	participant.leave(s)
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
		s.Leave("recipient_id", quoted(recipient))
	}
	if left := splitIdentity(&st.Recipient); left != "" {
		s.Leave("recipient_id", quoted(left))
	}
	if left := splitIdentity(&st.Participant); left != "" {
		s.Leave("recipient_participant_id", quoted(left))
	}
}

// An alias is a member that goes by several names, of which the one with the highest rank counts.
type alias struct {
	value string
	rank  int
	left  []wire.Member
	name  string
}

func (a *alias) read(s *wire.Scanner, rank int, name string) {
	text := s.Text()
	switch {
	case text == "" || text == a.value:
	case a.value == "" || rank >= a.rank:
		if a.value != "" && rank > a.rank {
			a.left = append(a.left, wire.Member{Path: a.name, Value: quoted(a.value)})
		}
		a.value, a.rank, a.name = text, rank, name
	default:
		a.left = append(a.left, wire.Member{Path: name, Value: quoted(text)})
	}
}

func (a *alias) leave(s *wire.Scanner) {
	for _, l := range a.left {
		s.Leave(l.Path, l.Value)
	}
}

// nested is what a status has been seen to carry one level deeper than usual.
type nested struct {
	raw     []byte
	pricing *Pricing
	text    string
}

func (n *nested) read(s *wire.Scanner) {
	n.text = ""
	if !s.Object() {
		return
	}
	for s.NextMember() {
		if string(s.Name()) == "recipient_id" {
			n.text = s.Text()
		} else {
			s.Unknown()
		}
	}
}

func readConversation(s *wire.Scanner, pricing *nested) *BillingConversation {
	if s.Null() {
		return nil
	}
	c := new(BillingConversation)
	a := lookAhead(s)
	if known := a.conversation(); a.read() != nil {
		*c = known
		return c
	}
	if !s.Object() {
		return c
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			c.ID = s.Text()
		case "origin":
			readConversationOrigin(s, &c.Origin)
		case "expiration_timestamp":
			c.ExpiresAt = s.Time()
		case "pricing":
			mark := s.Mark()
			pricing.pricing = readNew(s, readPricing)
			pricing.raw = s.Since(mark)
		default:
			s.Unknown()
		}
	}
	return c
}

// statusCode returns b as a status. Known ones cost no memory.
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

// joinStatus takes over what a contact tells about the person whom the status is about.
func (v *value) joinStatus(st *MessageStatus) {
	person := &st.Recipient
	if st.RecipientType == "group" {
		person = &st.Participant
	}
	c, left := v.join(person)
	if c == nil {
		return
	}
	st.ProfileName, st.ProfileCountry, st.ContactWAID = c.name, c.country, contactWAID(c, *person)
	if st.IdentityHash == "" {
		st.IdentityHash = c.identityHash
	} else if c.identityHash != "" && c.identityHash != st.IdentityHash {
		left = append(left, UnknownMember{"value.contacts.identity_key_hash", quoted(c.identityHash)})
	}
	st.Unknown = append(st.Unknown, left...)
}

// readNumberProblem reads an element of a change's errors.
func readNumberProblem(s *wire.Scanner) Event { return &PhoneNumberError{Err: readError(s)} }

// readUserAction reads an element of user_actions.
func readUserAction(s *wire.Scanner) Event {
	a := new(UserAction)
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "action_type":
				a.Type = s.Text()
			case "timestamp":
				a.At = s.Time().Time
			case "marketing_messages_link_click_data":
				a.Click = clickDecoder.New(s)
			default:
				s.Unknown()
			}
		}
	}
	return a
}

var (
	paymentDecoder = wire.For[Payment]()
	clickDecoder   = wire.For[LinkClick]()
)
