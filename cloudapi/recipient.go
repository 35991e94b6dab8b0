package cloudapi

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Recipient is the recipient of a message: a phone number, a WhatsApp user by business-scoped id,
// or a group. Recipients are comparable, so that a map can be keyed by them. Nothing can be sent to
// the zero Recipient.
type Recipient struct {
	kind  recipientKind
	value string
}

// A recipientKind says what a Recipient holds. Those that cannot be sent to hold no value, only the
// reason, which [Recipient.problem] tells when a message is checked.
type recipientKind uint8

const (
	recipientNone recipientKind = iota
	recipientPhone
	recipientUser
	recipientGroup
	recipientBadPhone // keeps nothing of what was given, which may be anything
	recipientUserAsPhone
	recipientUnknownIdentity
)

// ToPhone addresses a phone number in international form, with or without a plus sign: "+1 (555)
// 010-0123", or a wa_id as webhooks have it. It is sent as a plus sign and digits, because Meta
// reads a number without the plus as one of the business's own country, which can be a stranger's.
//
// Nothing else is changed. Brazilian, Mexican and Argentine numbers are known to WhatsApp with or
// without an extra digit, and only the person's own spelling arrives.
func ToPhone(number string) Recipient {
	if graph.IsUserID(number) {
		return Recipient{kind: recipientUserAsPhone}
	}
	if digits, ok := normalizePhone(number); ok {
		return Recipient{recipientPhone, "+" + digits}
	}
	return Recipient{kind: recipientBadPhone}
}

// ToUser addresses a person by business-scoped user id, which is sent byte for byte. Authentication
// templates cannot be sent this way: Meta refuses them with code 131062, and they need [ToPhone].
func ToUser(id graph.UserID) Recipient { return Recipient{recipientUser, string(id)} }

// ToGroup addresses a group, whose id is sent byte for byte. Groups are not available on
// coexistence numbers.
func ToGroup(id graph.GroupID) Recipient { return Recipient{recipientGroup, string(id)} }

// ToIdentity addresses a person whom a webhook named: by business-scoped user id where there is
// one, else by phone number.
func ToIdentity(id graph.Identity) Recipient {
	switch {
	case id.UserID != "":
		return ToUser(id.UserID)
	case id.WAID != "":
		return ToPhone(id.WAID)
	}
	return Recipient{kind: recipientUnknownIdentity}
}

// IsZero reports whether r is the zero Recipient.
func (r Recipient) IsZero() bool { return r == Recipient{} }

// IsGroup reports whether r is a group.
func (r Recipient) IsGroup() bool { return r.kind == recipientGroup }

// Key names the recipient for a [Limiter] that counts in a database: the number with its plus sign,
// the user id or the group id. It is personal data. It is empty for whatever nothing can be sent
// to.
func (r Recipient) Key() string { return r.value }

// problem says why nothing can be sent to r. It never repeats what was given, which may be a
// person's number.
func (r Recipient) problem() string {
	switch r.kind {
	case recipientNone:
		return "has no recipient; set To with ToPhone, ToUser, ToGroup or ToIdentity"
	case recipientBadPhone:
		return "is for something that is not a phone number in international form " +
			"(country code and number, 7 to 15 digits)"
	case recipientUserAsPhone:
		return "is for a business-scoped user id passed as a phone number; use ToUser"
	case recipientUnknownIdentity:
		return "is for an identity with neither a user id nor a phone number"
	case recipientUser:
		if !graph.IsUserID(r.value) {
			return `is for a user id that does not look like one ("US." and more); use ToPhone for a phone number`
		}
	case recipientGroup:
		if r.value == "" {
			return "is for a group without id"
		}
	}
	return ""
}

// normalizePhone returns the digits of a phone number in international form, without the marks that
// people put between them, or false for everything else: letters, a dialling prefix, a wrong
// length.
func normalizePhone(s string) (string, bool) {
	s = strings.Trim(s, " \t\r\n\u00a0")
	s = strings.TrimPrefix(s, "+")
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune(" -().\u00a0\u2010\u2011\u2012\u2013", r): // what people put between digits
		default:
			return "", false
		}
	}
	digits := b.String()
	// No country code begins with 0: "00" is a dialling prefix, and a single 0 a national number.
	if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return "", false
	}
	return digits, true
}
