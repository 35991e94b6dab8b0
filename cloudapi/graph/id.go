package graph

import (
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// Ids of Meta's objects. All are opaque strings; Meta writes some of them as JSON numbers at times,
// and both forms decode alike, digit for digit.
type (
	// A WABAID names a WhatsApp Business Account. Since September 2026 Meta puts the id of a
	// messaging account, one for each partner, in the same place; a coexistence number keeps the id
	// that its account has. Treat it as the name of the thing that is subscribed, no more.
	WABAID string

	// A WAACID names a WhatsApp account, the thing above all its messaging accounts that Meta has
	// announced for 2027.
	WAACID string

	// A PhoneNumberID names a business phone number. It is not the phone number. Route by it:
	// display numbers can be formatted, and Brazilian ones may lack a digit.
	PhoneNumberID string

	// A BusinessID names a business portfolio.
	BusinessID string

	// An AppID names a Meta app.
	AppID string

	// A MessageID ("wamid.…") names a message. Compare it whole; it has no meaning inside and no
	// fixed length.
	MessageID string

	// A MediaID names an uploaded or received media file. It lives 30 days for uploads and 7 days
	// for received media.
	MediaID string

	// A TemplateID names a message template. The API writes it as a string, webhooks as a number.
	TemplateID string

	// An UploadHandle is the result of a resumable upload. It is not a [MediaID] and cannot stand
	// for one.
	UploadHandle string

	// A GroupID names a WhatsApp group.
	GroupID string

	// A CallID ("wacid.…") names a call.
	CallID string

	// A FlowID names a Flow.
	FlowID string

	// A UserID is a business-scoped user id (BSUID), such as "US.13491208655302741918": the name of
	// a person towards one business portfolio. It changes when the person changes the phone number.
	UserID string
)

// UnmarshalJSON accepts a string, a number or null.
func (id *WABAID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *WAACID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *PhoneNumberID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *BusinessID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *AppID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *MessageID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *MediaID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *TemplateID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *UploadHandle) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *GroupID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *CallID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *FlowID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// UnmarshalJSON accepts a string, a number or null.
func (id *UserID) UnmarshalJSON(b []byte) error { return unmarshalID(b, id) }

// unmarshalID keeps a number's literal text: a detour over float64 would round ids above 2^53.
func unmarshalID[T ~string](b []byte, id *T) error {
	text, kind := wire.Scalar(b)
	switch kind {
	case wire.KindString, wire.KindNumber, wire.KindNull:
		*id = T(text)
		return nil
	}
	return errors.New("graph: an id must be a JSON string or number")
}
