package coexistence

import "encoding/json"

// A ContactProvenance is what a [Contact] is derived from: the identities under which the person
// was seen, and the entries of the address book. It is opaque and survives JSON.
type ContactProvenance struct {
	seen    []sighting
	entries []bookEntry
}

// contactProvenance is the JSON of a ContactProvenance.
type contactProvenance struct {
	Seen    []sighting  `json:"seen,omitempty"`
	Entries []bookEntry `json:"entries,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (p ContactProvenance) MarshalJSON() ([]byte, error) {
	return json.Marshal(contactProvenance{Seen: p.seen, Entries: p.entries})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *ContactProvenance) UnmarshalJSON(b []byte) error {
	var v contactProvenance
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*p = ContactProvenance{seen: v.Seen, entries: v.Entries}
	return nil
}

// A MessageProvenance says which kinds of events a [Message] rests on, so that a later event of a
// lesser kind changes nothing. It is opaque and survives JSON.
type MessageProvenance struct {
	place   source // of Origin, Outbound, At
	person  source // of Person, Customer, GroupID
	content source // of the content before edits
}

// messageProvenance is the JSON of a MessageProvenance.
type messageProvenance struct {
	Place   source `json:"place,omitzero"`
	Person  source `json:"person,omitzero"`
	Content source `json:"content,omitzero"`
}

// MarshalJSON implements [json.Marshaler].
func (p MessageProvenance) MarshalJSON() ([]byte, error) {
	return json.Marshal(messageProvenance{Place: p.place, Person: p.person, Content: p.content})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *MessageProvenance) UnmarshalJSON(b []byte) error {
	var v messageProvenance
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*p = MessageProvenance{place: v.Place, person: v.Person, content: v.Content}
	return nil
}

// A source is a kind of event that tells about a message. Greater ones are believed before lesser ones.
type source uint8

const (
	sourceNone         source = iota
	sourceHint                // a status, an edit, a revocation, a reaction: someone spoke about the message
	sourceHistoryMedia        // Meta gives it another sender and time than the placeholder that it belongs to
	sourceHistory             // a chunk of history
	sourceUnavailable         // live, without its content
	sourceLive                // live: the customer or the app
	sourceAPI                 // the answer to our own call
)
