package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// Contacts holds the contact cards that were shared.
type Contacts struct {
	Cards []ContactCard
}

// A ContactCard is one shared contact. Every member may be empty.
type ContactCard struct {
	Name      ContactName      `json:"name"`
	Phones    []ContactPhone   `json:"phones"`
	Emails    []ContactEmail   `json:"emails"`
	Addresses []ContactAddress `json:"addresses"`
	URLs      []ContactURL     `json:"urls"`
	Org       ContactOrg       `json:"org"`
	Birthday  string           `json:"birthday"` // such as "1999-01-23"

	// Origin is "contact_request" if the customer answered a request for its phone number, else "other" or empty.
	Origin string `json:"origin"`

	// VCard is the card in the vCard format, where Meta sends it.
	VCard string `json:"vcard"`
}

// A ContactName is the name on a contact card.
type ContactName struct {
	Formatted string `json:"formatted_name"`
	First     string `json:"first_name"`
	Middle    string `json:"middle_name"`
	Last      string `json:"last_name"`
	Prefix    string `json:"prefix"`
	Suffix    string `json:"suffix"`
}

// A ContactPhone is a phone number on a contact card, as its owner wrote it. WAID is set if the number is on WhatsApp.
type ContactPhone struct {
	Phone  string       `json:"phone"`
	WAID   string       `json:"wa_id"`
	UserID graph.UserID `json:"user_id"`
	Type   string       `json:"type"` // "HOME", "WORK", "CELL", …: an open list
}

// A ContactEmail is an email address on a contact card.
type ContactEmail struct {
	Email string `json:"email"`
	Type  string `json:"type"`
}

// A ContactAddress is a postal address on a contact card.
type ContactAddress struct {
	Street      string `json:"street"`
	City        string `json:"city"`
	State       string `json:"state"`
	ZIP         string `json:"zip"`
	Country     string `json:"country"`
	CountryCode string `json:"country_code"`
	Type        string `json:"type"`
}

// A ContactURL is a web address on a contact card.
type ContactURL struct {
	URL  string `json:"url"`
	Type string `json:"type"`
}

// A ContactOrg is the place of work on a contact card.
type ContactOrg struct {
	Company    string `json:"company"`
	Department string `json:"department"`
	Title      string `json:"title"`
}
