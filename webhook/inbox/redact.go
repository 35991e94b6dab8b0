package inbox

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A redaction takes what is about one person, or about a number, out of the bodies of deliveries.
// What is about others stays: they share deliveries, and a chunk of history is of many people.
type redaction struct {
	number graph.PhoneNumberID
	person map[string]bool // user ids, and phone numbers as [graph.EquivalenceKey] has them; nil for the number
}

// newRedaction returns the redaction of a request.
func newRedaction(r ForgetRequest) redaction {
	a := redaction{number: r.PhoneNumberID}
	for _, id := range r.People {
		if a.person == nil {
			a.person = map[string]bool{}
		}
		for _, name := range []string{string(id.UserID), string(id.ParentUserID), id.Username} {
			a.person[name] = true
		}
		a.person[graph.EquivalenceKey(id.WAID)] = true
		a.person[id.WAID] = true // a user id, where Meta wrote one
	}
	delete(a.person, "")
	return a
}

// redactedBody is how a redacted body begins. Its events are not checked against their keys, some
// of which are sums of what is gone.
const redactedBody = `{"redacted":true,`

// emptiedBody is a body of which nothing is left. It has no events.
const emptiedBody = redactedBody + `"entry":[]}`

// redacted reports whether something was taken out of a body.
func redacted(body []byte) bool { return bytes.HasPrefix(body, []byte(redactedBody)) }

// apply returns a body without what is to go, and whether something did. Of a delivery that was
// split, an empty object takes the place of each item, so that the others keep theirs. A body that
// is no JSON object, and may hold anything, goes as a whole if it names the person or the number.
func (a redaction) apply(body []byte, split bool) (rest []byte, changed bool) {
	if !a.mayName(body) {
		return body, false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil || object == nil {
		return []byte(emptiedBody), string(body) != emptiedBody
	}
	w := redactor{redaction: a, split: split}
	object = w.object(object, a.person != nil)
	if !w.changed {
		return body, false
	}
	delete(object, "redacted")
	text, err := json.Marshal(object)
	if err != nil || string(object["entry"]) == "[]" { // raw messages that were read can be written
		return []byte(emptiedBody), true
	}
	return slices.Concat([]byte(redactedBody), text[1:]), true
}

// mayName is a quick look at a body, most of which name somebody else. Numbers are written in many
// ways, so their last digits are looked for.
func (a redaction) mayName(body []byte) bool {
	if a.person == nil {
		return bytes.Contains(body, []byte(a.number))
	}
	digits := slices.DeleteFunc(slices.Clone(body), func(c byte) bool { return c < '0' || c > '9' })
	for name := range a.person {
		if strings.Trim(name, "0123456789") != "" {
			if bytes.Contains(body, []byte(name)) {
				return true
			}
		} else if bytes.Contains(digits, []byte(name[max(0, len(name)-6):])) {
			return true
		}
	}
	return false
}

// A redactor walks through one body.
type redactor struct {
	redaction

	split   bool
	changed bool
}

// object redacts the members of an object. Within the number that is to be forgotten, inside is
// true, and all items of lists go.
func (w *redactor) object(o map[string]json.RawMessage, inside bool) map[string]json.RawMessage {
	for name, raw := range o {
		switch kind(raw) {
		case '{':
			var member map[string]json.RawMessage
			if json.Unmarshal(raw, &member) == nil {
				o[name] = encoded(w.object(member, inside))
			}
		case '[':
			var list []json.RawMessage
			if json.Unmarshal(raw, &list) == nil {
				o[name] = encoded(w.list(name, list, inside))
			}
		case '"':
			if inside && w.person == nil && (name == "phone_number_id" || name == "display_phone_number") {
				o[name] = json.RawMessage(`""`)
			}
		}
	}
	return o
}

// list redacts a list. An item that names the person goes, if none of the items in its own lists is
// smaller: the entry of an account is not about the person because one of its changes is.
func (w *redactor) list(name string, list []json.RawMessage, inside bool) []json.RawMessage {
	kept := make([]json.RawMessage, 0, len(list))
	for _, raw := range list {
		var item map[string]json.RawMessage
		if kind(raw) != '{' || json.Unmarshal(raw, &item) != nil {
			kept = append(kept, raw)
			continue
		}
		switch {
		case w.person == nil && name == "changes" && w.isOfNumber(item):
			w.changed = true
			if w.split {
				kept = append(kept, encoded(w.object(item, true)))
			}
		case w.person == nil && inside, w.person != nil && w.names(item):
			w.changed = true
			if w.split {
				kept = append(kept, json.RawMessage(`{}`))
			}
		default:
			item = w.object(item, inside)
			if !w.split && emptied(name, item) {
				continue
			}
			kept = append(kept, encoded(item))
		}
	}
	return kept
}

// isOfNumber reports whether a change is about the number.
func (w *redactor) isOfNumber(change map[string]json.RawMessage) bool {
	var value struct {
		Metadata struct {
			PhoneNumberID graph.PhoneNumberID `json:"phone_number_id"`
		} `json:"metadata"`
	}
	return json.Unmarshal(change["value"], &value) == nil && value.Metadata.PhoneNumberID == w.number
}

// emptied reports whether nothing is left of an entry or a change that was not split yet.
func emptied(list string, item map[string]json.RawMessage) bool {
	switch list {
	case "entry":
		return string(item["changes"]) == "[]"
	case "changes":
		var value map[string]json.RawMessage
		if json.Unmarshal(item["value"], &value) != nil {
			return false
		}
		lists, left := 0, 0
		for _, raw := range value {
			if kind(raw) == '[' {
				lists++
				if string(raw) != "[]" {
					left++
				}
			}
		}
		return lists > 0 && left == 0
	}
	return false
}

// names reports whether an object names the person: in a member of its own or of an object in it,
// and not in a list, whose items are checked one by one.
func (w *redactor) names(o map[string]json.RawMessage) bool {
	for name, raw := range o {
		switch kind(raw) {
		case '{':
			var member map[string]json.RawMessage
			if json.Unmarshal(raw, &member) == nil && w.names(member) {
				return true
			}
		case '"':
			var text string
			if isIdentity(name) && json.Unmarshal(raw, &text) == nil && w.is(text) {
				return true
			}
		}
	}
	return false
}

// is reports whether a text is an id of the person, or its number in any spelling.
func (w *redactor) is(text string) bool {
	if text == "" {
		return false
	}
	number := strings.Trim(text, "+0123456789 -().") == ""
	return w.person[text] || number && w.person[graph.EquivalenceKey(text)]
}

// isIdentity reports whether a member of that name holds an id of a person. The text of a message
// is none, even if it is somebody's number.
func isIdentity(member string) bool {
	switch member {
	case "from", "to", "id", "recipient", "customer", "username", "phone_number":
		return true
	default:
		return strings.HasSuffix(member, "_id")
	}
}

// kind is the first character of a JSON value, 0 if there is none.
func kind(raw json.RawMessage) byte {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return 0
	}
	return raw[0]
}

// encoded writes what was read.
func encoded[T any](v T) json.RawMessage {
	text, _ := json.Marshal(v) // raw messages that were read can be written
	return text
}
