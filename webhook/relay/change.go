package relay

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A Change is what [Config].Keep judges: one change of a delivery, which has one field and is about
// one number or one account.
type Change struct {
	// Field is the webhook field. It is empty for what is not about WhatsApp, and for what cannot
	// be read.
	Field webhook.Field

	// WABAID is the account that the change is about, as [webhook.EventInfo].WABAID is.
	WABAID graph.WABAID

	// PhoneNumberID is the number that the change is about. It is empty for changes that are about
	// an account, or name their number in another way: account_update, templates, quality. A
	// receiver that follows numbers needs those too; tell them by their WABAID.
	PhoneNumberID graph.PhoneNumberID
}

// changeOf returns what a change is about. raw is a lone change, which is what the decoder takes
// too, so that both agree on what it says; entry is the id of the entry around it.
func changeOf(raw []byte, entry string) Change {
	c := Change{WABAID: graph.WABAID(entry)}
	if events, err := webhook.Decode(raw); err == nil {
		info := events[0].Info()
		c.Field, c.PhoneNumberID = info.Field, info.PhoneNumberID
		if info.WABAID != "" {
			c.WABAID = info.WABAID
		}
	}
	return c
}

// An object is a JSON object whose members were not looked into.
type object map[string]json.RawMessage

// filter returns the part of a body that keep lets through, and what that is about. If everything
// is kept, it is body itself; if nothing is, nil.
//
// Only the lists of entries and changes are rewritten. The bytes of a change that stays are the
// same, and so are keys that are made from them.
func filter(body []byte, keep func(Change) bool) (rest []byte, about []Change) {
	f := filtering{keep: keep}
	var several []json.RawMessage // samples of Meta's are lists of bodies
	if json.Unmarshal(body, &several) != nil || len(several) == 0 {
		return f.body(body), f.about
	}
	var kept []json.RawMessage
	for _, raw := range several {
		if rest := f.body(raw); rest != nil {
			kept = append(kept, rest)
		}
	}
	switch {
	case f.dropped == 0:
		return body, f.about
	case len(f.about) == 0:
		return nil, nil
	}
	return list(kept), f.about
}

// A filtering is the state of one filter.
type filtering struct {
	keep    func(Change) bool
	about   []Change // what goes on
	dropped int      // changes that do not
}

// body returns what goes on of a body, nil if nothing does. What has no changes is judged as one,
// and so is what another product of Meta's has sent: the names of its changes mean something else.
func (f *filtering) body(body []byte) []byte {
	var top object
	var entries []json.RawMessage
	whole := json.Unmarshal(body, &top) != nil || json.Unmarshal(top["entry"], &entries) != nil || len(entries) == 0
	if product := text(top["object"]); whole || product != "" && !strings.HasPrefix(product, "whatsapp") {
		if !f.passes(body, "") {
			return nil
		}
		return body
	}
	about, dropped := len(f.about), f.dropped
	f.lone(top, "entry", "")
	var kept []json.RawMessage
	for _, raw := range entries {
		if entry, ok := f.entry(raw); ok {
			kept = append(kept, entry)
		}
	}
	switch {
	case f.dropped == dropped:
		return body
	case len(f.about) == about:
		return nil
	}
	top["entry"] = list(kept)
	return written(top)
}

// passes judges a lone change. entry is the id of the entry around it.
func (f *filtering) passes(raw []byte, entry string) bool {
	c := changeOf(raw, entry)
	if f.keep != nil && !f.keep(c) {
		f.dropped++
		return false
	}
	f.about = append(f.about, c)
	return true
}

// lone judges the change that an object can be beside its list, as in samples of Meta's, and takes
// its value out if it does not go on.
func (f *filtering) lone(o object, listName, entry string) {
	if _, ok := o["value"]; !ok {
		return
	}
	change := maps.Clone(o)
	delete(change, listName)
	if !f.passes(written(change), entry) {
		delete(o, "value")
	}
}

// entry returns what goes on of an entry, or false if nothing does.
func (f *filtering) entry(raw json.RawMessage) (rest json.RawMessage, ok bool) {
	var entry object
	var changes []json.RawMessage
	if json.Unmarshal(raw, &entry) != nil ||
		entry["changes"] != nil && json.Unmarshal(entry["changes"], &changes) != nil {
		return raw, f.passes(raw, "")
	}
	about, dropped, id := len(f.about), f.dropped, text(entry["id"])
	f.lone(entry, "changes", id)
	left := slices.DeleteFunc(slices.Clone(changes), func(raw json.RawMessage) bool { return !f.passes(raw, id) })
	if f.dropped == dropped {
		return raw, true
	}
	if changes != nil {
		entry["changes"] = list(left)
	}
	return written(entry), len(f.about) > about
}

// text returns a JSON string, or the digits of a number: Meta has written ids both ways.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// written returns an object as JSON. Unlike [json.Marshal] it leaves the bytes of its members
// alone.
func written(o object) json.RawMessage {
	members := make([]json.RawMessage, 0, len(o))
	for _, name := range slices.Sorted(maps.Keys(o)) {
		quoted, _ := json.Marshal(name) // a string can be written
		members = append(members, slices.Concat(quoted, []byte(":"), o[name]))
	}
	return slices.Concat([]byte("{"), joined(members), []byte("}"))
}

// list returns a JSON array.
func list(items []json.RawMessage) json.RawMessage {
	return slices.Concat([]byte("["), joined(items), []byte("]"))
}

func joined(items []json.RawMessage) []byte {
	parts := make([][]byte, len(items))
	for i, raw := range items {
		parts[i] = raw
	}
	return bytes.Join(parts, []byte(","))
}
