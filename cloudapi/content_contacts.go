package cloudapi

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Contacts are one or more contact cards, at most 257.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages
type Contacts struct {
	Cards []ContactCard
}

// A ContactCard is one person or business. Name is required; the words in Type, such as "Home" or "Work", are free text.
type ContactCard struct {
	Name      ContactName      `json:"name"`
	Phones    []ContactPhone   `json:"phones,omitempty"`
	Emails    []ContactEmail   `json:"emails,omitempty"`
	Addresses []ContactAddress `json:"addresses,omitempty"`
	Org       *ContactOrg      `json:"org,omitzero"`
	URLs      []ContactURL     `json:"urls,omitempty"`

	// Birthday is a date such as "1999-01-23".
	Birthday string `json:"birthday,omitzero"`
}

// A ContactName is how a person is called. Formatted and at least one of the others are required.
type ContactName struct {
	Formatted string `json:"formatted_name"`
	First     string `json:"first_name,omitzero"`
	Last      string `json:"last_name,omitzero"`
	Middle    string `json:"middle_name,omitzero"`
	Suffix    string `json:"suffix,omitzero"`
	Prefix    string `json:"prefix,omitzero"`
}

// A ContactPhone is a phone number. With WAID, the person's WhatsApp number in digits, the card has a button that writes
// to it; else one that invites.
type ContactPhone struct {
	Phone string `json:"phone,omitzero"`
	Type  string `json:"type,omitzero"`
	WAID  string `json:"wa_id,omitzero"`
}

// A ContactEmail is a mail address.
type ContactEmail struct {
	Email string `json:"email,omitzero"`
	Type  string `json:"type,omitzero"`
}

// A ContactAddress is a postal address.
type ContactAddress struct {
	Street      string `json:"street,omitzero"`
	City        string `json:"city,omitzero"`
	State       string `json:"state,omitzero"`
	ZIP         string `json:"zip,omitzero"`
	Country     string `json:"country,omitzero"`
	CountryCode string `json:"country_code,omitzero"`
	Type        string `json:"type,omitzero"`
}

// A ContactOrg is where a person works.
type ContactOrg struct {
	Company    string `json:"company,omitzero"`
	Department string `json:"department,omitzero"`
	Title      string `json:"title,omitzero"`
}

// A ContactURL is a web page.
type ContactURL struct {
	URL  string `json:"url,omitzero"`
	Type string `json:"type,omitzero"`
}

// MarshalJSON writes the member "contacts" of a message.
func (c *Contacts) MarshalJSON() ([]byte, error) { return json.Marshal(c.Cards) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Contacts) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &c.Cards) }

// MessageType is "contacts".
func (*Contacts) MessageType() string { return "contacts" }

// Summary is the names on the cards.
func (c *Contacts) Summary() string {
	var names []string
	for _, card := range c.Cards {
		if card.Name.Formatted != "" {
			names = append(names, card.Name.Formatted)
		}
	}
	return strings.Join(names, ", ")
}

func (c *Contacts) check(p *problems) {
	if c == nil {
		p.missing("the Contacts are nil")
		return
	}
	p.count("Contacts.Cards", len(c.Cards), 1, 257)
	for i, card := range c.Cards {
		where := "Contacts.Cards[" + strconv.Itoa(i) + "].Name"
		n := card.Name
		p.required(where+".Formatted", n.Formatted)
		if n.First+n.Last+n.Middle+n.Suffix+n.Prefix == "" {
			p.limit("%s has only Formatted; Meta wants at least one part of the name besides", where)
		}
	}
}

func (c *Contacts) sensitive() []string { return privateStrings(c) }
