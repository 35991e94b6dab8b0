package webhook

import (
	"cmp"

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
	Recipient metadataBody `json:"recipient"`

	// An older form, seen until August 2026, has number and customer where messages have them.
	Metadata metadataBody `json:"metadata"`
	Contacts []personBody `json:"contacts"`
}

func (b *handoverBody) event() Event {
	h := &b.MessagingHandover
	h.At = b.Timestamp.Time
	h.PhoneNumberID = cmp.Or(b.Recipient.PhoneNumberID, b.Metadata.PhoneNumberID)
	h.DisplayPhoneNumber = cmp.Or(b.Recipient.DisplayPhoneNumber, b.Metadata.DisplayPhoneNumber)
	from := b.SenderBody
	h.Sender = identity(from.PhoneNumber, from.UserID, from.ParentUserID, "sender.phone_number", &h.EventInfo)
	if h.Sender.IsZero() && len(b.Contacts) == 1 {
		c := b.Contacts[0]
		h.Sender = identity(c.WAID, c.UserID, c.ParentUserID, "contacts[0].wa_id", &h.EventInfo)
	}
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
