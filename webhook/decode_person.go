package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A personBody names a person as most fields do.
type personBody struct {
	WAID         string       `json:"wa_id"`
	UserID       graph.UserID `json:"user_id"`
	ParentUserID graph.UserID `json:"parent_user_id"`
}

// identity returns the person with these ids, and reports an id without a place in info. at is the
// name of the member that holds the phone number.
func identity(waid string, user, parent graph.UserID, at string, info *EventInfo) graph.Identity {
	id := graph.Identity{WAID: waid, UserID: user, ParentUserID: parent}
	if unplaced := splitIdentity(&id); unplaced != "" {
		info.Unknown = append(info.Unknown, UnknownMember{at, quoted(unplaced)})
	}
	return id
}

type preferenceBody struct {
	body
	UserPreference
	stamped
	personBody
}

func (b *preferenceBody) event(v *value, _ EventInfo) Event {
	p := &b.UserPreference
	p.At = b.Timestamp.Time
	p.User = identity(b.WAID, b.UserID, b.ParentUserID, "wa_id", &p.EventInfo)
	p.ProfileName = v.joinName(&p.User, &p.EventInfo)
	return p
}

type userIDBody struct {
	body
	UserIDUpdate
	stamped
	WAID string `json:"wa_id"`
}

func (b *userIDBody) event(v *value, _ EventInfo) Event {
	u := &b.UserIDUpdate
	u.At = b.Timestamp.Time
	u.User = identity(b.WAID, u.UserID.Current, u.ParentUserID.Current, "wa_id", &u.EventInfo)
	u.ProfileName = v.joinName(&u.User, &u.EventInfo)
	return u
}

type automaticBody struct {
	body
	AutomaticEvent
	stamped
}

func (b *automaticBody) event(*value, EventInfo) Event {
	b.At = b.Timestamp.Time
	return &b.AutomaticEvent
}

type trackingBody struct {
	body
	TrackingEvent
	stamped
}

func (b *trackingBody) event(*value, EventInfo) Event {
	b.At = b.Timestamp.Time
	return &b.TrackingEvent
}

type handoverBody struct {
	body
	MessagingHandover
	stamped
	SenderBody struct {
		PhoneNumber  string       `json:"phone_number"`
		UserID       graph.UserID `json:"user_id"`
		ParentUserID graph.UserID `json:"parent_user_id"`
	} `json:"sender"`
	Recipient struct {
		Phone        graph.PhoneNumberID `json:"phone_number_id"`
		DisplayPhone string              `json:"display_phone_number"`
	} `json:"recipient"`
}

func (b *handoverBody) event() Event {
	h := &b.MessagingHandover
	h.At, h.PhoneNumberID, h.DisplayPhoneNumber = b.Timestamp.Time, b.Recipient.Phone, b.Recipient.DisplayPhone
	from := b.SenderBody
	h.Sender = identity(from.PhoneNumber, from.UserID, from.ParentUserID, "sender.phone_number", &h.EventInfo)
	if h.Type == "" {
		switch {
		case h.Passed != nil && h.Taken == nil:
			h.Type = HandoverControlPassed
		case h.Taken != nil && h.Passed == nil:
			h.Type = HandoverControlTaken
		}
	}
	return h
}
