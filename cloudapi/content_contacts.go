package cloudapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Contacts are one or more contact cards, at most 257.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/contacts-messages
type Contacts struct {
	// Cards need a formatted name and at least one part of a name each.
	Cards []graph.ContactCard
}

// MarshalJSON writes the member "contacts" of a message, without what only received cards have.
func (c *Contacts) MarshalJSON() ([]byte, error) {
	cards := slices.Clone(c.Cards)
	for i := range cards {
		cards[i].Origin, cards[i].VCard = "", ""
		cards[i].Phones = slices.Clone(cards[i].Phones)
		for j := range cards[i].Phones {
			cards[i].Phones[j].UserID = ""
		}
	}
	return json.Marshal(cards)
}

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
