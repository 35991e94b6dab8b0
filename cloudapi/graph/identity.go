package graph

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// An Identity is a WhatsApp user as far as Meta named it. Any member may be empty: phone numbers
// are optional since 2026, user ids are missing in older data and on some failures.
type Identity struct {
	// UserID is the person's business-scoped id (BSUID). Prefer it where it is present.
	UserID UserID

	// ParentUserID identifies the person across linked portfolios. It is no address to send to.
	ParentUserID UserID

	// WAID is the phone number in international digits without a plus sign, such as "15550100123".
	WAID string

	// Username is the WhatsApp username, without an @.
	Username string
}

// Key is the key to store the person under: the BSUID where there is one, else the phone number's
// digits, else the username behind an @, else the parent's id. It is empty only if the identity is.
//
// A conversation may begin under a phone number and continue under a BSUID. To join the two,
// compare both members and not just the key.
func (id Identity) Key() string {
	switch {
	case id.UserID != "":
		return string(id.UserID)
	case id.WAID != "":
		if digits := phonenumber.Digits(id.WAID); digits != "" {
			return digits
		}
		return id.WAID
	case id.Username != "":
		return "@" + id.Username
	}
	return string(id.ParentUserID)
}

// IsZero reports whether nothing at all is known.
func (id Identity) IsZero() bool { return id == Identity{} }

// IsUserID reports whether s looks like a business-scoped user id: two capital letters, a dot, and
// something behind it. Phone numbers and group ids never do.
func IsUserID(s string) bool {
	return len(s) > 3 && isUpper(s[0]) && isUpper(s[1]) && s[2] == '.' && !strings.ContainsAny(s, " \t\n")
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// EquivalenceKey maps the spellings under which WhatsApp knows one phone number to one key, so that
// a person is not filed twice: Mexican mobile numbers with and without the 1 (521…, 52…), Argentine
// ones with and without the 9 (549…, 54…), Brazilian ones with and without the ninth digit. For
// every other number it is just the digits.
//
// Use it to compare. Never send to it: which spelling is registered differs from person to person.
func EquivalenceKey(number string) string {
	d := phonenumber.Digits(number)
	switch {
	case len(d) == 13 && strings.HasPrefix(d, "521"):
		return "52" + d[3:]
	case len(d) == 13 && strings.HasPrefix(d, "549"):
		return "54" + d[3:]
	case len(d) == 13 && strings.HasPrefix(d, "55") && d[4] == '9' && d[5] >= '6':
		// Only old mobile numbers, which began with 6 to 9, are known without the ninth digit. A
		// landline begins with 2 to 5 and must not be mistaken for a mobile number that lost its 9.
		return d[:4] + d[5:]
	}
	return d
}
