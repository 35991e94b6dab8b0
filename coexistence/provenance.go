package coexistence

import (
	"encoding/json"
	"errors"
	"strings"
)

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

// MarshalText implements [encoding.TextMarshaler]. It is a digit for each part: an object would
// have to be read in a pass of its own, for every message.
func (p MessageProvenance) MarshalText() ([]byte, error) {
	return []byte{'0' + byte(p.place), '0' + byte(p.person), '0' + byte(p.content)}, nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *MessageProvenance) UnmarshalText(b []byte) error {
	if len(b) != 3 || strings.Trim(string(b), "0123456789") != "" {
		return errors.New("coexistence: the provenance of a message is not three digits")
	}
	*p = MessageProvenance{place: source(b[0] - '0'), person: source(b[1] - '0'), content: source(b[2] - '0')}
	return nil
}

// A source is a kind of event that tells about a message. Greater ones are believed before lesser
// ones.
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
