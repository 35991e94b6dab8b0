package graph

// A ContactCard is a person or business on a card, as webhooks bring it and messages send it: a
// card that was received can be sent as it is. Every member of a received card may be empty. Words
// in Type, such as "HOME" or "Work", are free text.
type ContactCard struct {
	// Name is required in a card that is sent.
	Name      ContactName      `json:"name"`
	Phones    []ContactPhone   `json:"phones,omitempty"`
	Emails    []ContactEmail   `json:"emails,omitempty"`
	Addresses []ContactAddress `json:"addresses,omitempty"`
	URLs      []ContactURL     `json:"urls,omitempty"`
	Org       ContactOrg       `json:"org,omitzero"`

	// Birthday is a date such as "1999-01-23".
	Birthday string `json:"birthday,omitzero"`

	// Origin is "contact_request" if the customer answered a request for its phone number, else
	// "other" or empty. It is received and never sent.
	Origin string `json:"origin,omitzero"`

	// VCard is the card in the vCard format, where Meta gives it. It is received and never sent.
	VCard string `json:"vcard,omitzero"`
}

// A ContactName is the name on a contact card. To send one, Formatted and at least one of the
// others are required.
type ContactName struct {
	Formatted string `json:"formatted_name"`
	First     string `json:"first_name,omitzero"`
	Middle    string `json:"middle_name,omitzero"`
	Last      string `json:"last_name,omitzero"`
	Prefix    string `json:"prefix,omitzero"`
	Suffix    string `json:"suffix,omitzero"`
}

// A ContactPhone is a phone number on a contact card, as its owner wrote it. With WAID, the
// person's WhatsApp number in digits, the card has a button that writes to it; else one that
// invites.
type ContactPhone struct {
	Phone string `json:"phone,omitzero"`
	WAID  string `json:"wa_id,omitzero"`

	// UserID is received and never sent.
	UserID UserID `json:"user_id,omitzero"`

	Type string `json:"type,omitzero"`
}

// A ContactEmail is an email address on a contact card.
type ContactEmail struct {
	Email string `json:"email,omitzero"`
	Type  string `json:"type,omitzero"`
}

// A ContactAddress is a postal address on a contact card.
type ContactAddress struct {
	Street      string `json:"street,omitzero"`
	City        string `json:"city,omitzero"`
	State       string `json:"state,omitzero"`
	ZIP         string `json:"zip,omitzero"`
	Country     string `json:"country,omitzero"`
	CountryCode string `json:"country_code,omitzero"`
	Type        string `json:"type,omitzero"`
}

// A ContactURL is a web address on a contact card.
type ContactURL struct {
	URL  string `json:"url,omitzero"`
	Type string `json:"type,omitzero"`
}

// A ContactOrg is the place of work on a contact card.
type ContactOrg struct {
	Company    string `json:"company,omitzero"`
	Department string `json:"department,omitzero"`
	Title      string `json:"title,omitzero"`
}
