package cloudapi

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// A RawContent is content that has no type here yet. Nothing about it is checked but that it is
// JSON.
type RawContent struct {
	// Type is the message's type, such as "interactive".
	Type string

	// JSON is the value of the member of that name.
	JSON json.RawMessage
}

// MarshalJSON returns the JSON as it is.
func (r *RawContent) MarshalJSON() ([]byte, error) { return r.JSON, nil }

// MessageType is the Type.
func (r *RawContent) MessageType() string { return r.Type }

// Summary is empty.
func (*RawContent) Summary() string { return "" }

// wireNameRe matches names of members and types as Meta makes them.
var wireNameRe = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// envelopeMembers are the members of the envelope, which a content must not write a second time.
var envelopeMembers = map[string]bool{
	"messaging_product": true, "recipient_type": true, "to": true, "recipient": true, "context": true, "type": true,
	"biz_opaque_callback_data": true, "recipient_identity_key_hash": true, "messaging_account_id": true,
}

func (r *RawContent) check(p *problems) {
	if r == nil {
		p.add("the RawContent is nil")
		return
	}
	if !wireNameRe.MatchString(r.Type) || envelopeMembers[r.Type] {
		p.add("RawContent.Type is not a message type")
	}
	if !json.Valid(r.JSON) {
		p.add("RawContent.JSON is not valid JSON")
	}
}

func (r *RawContent) sensitive() []string { return jsonStrings(r.JSON) }

// jsonStrings returns the strings in a JSON value, without the names of members. It stops at the
// first error of syntax and returns what came before.
func jsonStrings(raw []byte) []string {
	var list []string
	type level struct{ object, name bool }
	var open []level
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := dec.Token()
		if err != nil {
			return list
		}
		if d, ok := tok.(json.Delim); ok {
			switch d {
			case '{', '[':
				open = append(open, level{d == '{', d == '{'})
				continue
			}
			open = open[:len(open)-1]
		} else if top := len(open) - 1; top >= 0 && open[top].object && open[top].name {
			open[top].name = false
			continue
		} else if s, ok := tok.(string); ok {
			list = append(list, s)
		}
		if top := len(open) - 1; top >= 0 {
			open[top].name = open[top].object
		}
	}
}
