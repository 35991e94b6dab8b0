package relay

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// How a delivery waits
//
// An inbox splits deliveries into events and hands them out one by one. What a relay has to send is
// the delivery itself. So Split stores it inside of another one, as the value of a webhook field
// that Meta does not have:
//
//	{"entry":[{"id":"ACCOUNT","changes":[{"field":"relay.delivery","value":{
//		"metadata":{"phone_number_id":"NUMBER"},"delivery":{…the body, byte for byte…}}}]}]}
//
// The decoder makes one *webhook.UnknownEvent of that. Its key is a hash over the body, by which
// repeats are known; its number or account is the conversation in whose order it waits, and what
// Inbox.Forget goes by. The body is not encoded, so that people can be taken out of it.

// wrapped is the field. The dot keeps it apart from all that Meta may invent.
const wrapped webhook.Field = "relay.delivery"

// wrap returns what is stored for a body, or nil if nothing of it goes on. What is not JSON does
// not: no receiver could read it.
func wrap(body []byte, keep func(Change) bool) []byte {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return nil
	}
	body, about := filter(body, keep)
	if body == nil {
		return nil
	}
	var account graph.WABAID
	var number graph.PhoneNumberID
	for i, c := range about {
		if i == 0 {
			account, number = c.WABAID, c.PhoneNumberID
		}
		if c.PhoneNumberID != number {
			number = ""
		}
	}
	value := object{"delivery": body}
	if number != "" {
		value["metadata"] = written(object{"phone_number_id": quoted(string(number))})
	}
	change := written(object{"field": quoted(string(wrapped)), "value": written(value)})
	entry := written(object{"id": quoted(string(account)), "changes": list([]json.RawMessage{change})})
	return written(object{"entry": list([]json.RawMessage{entry})})
}

// unwrap returns the body that an event stands for: an empty one if Inbox.Forget has left nothing
// of it, or false if the event is another one.
func unwrap(ev webhook.Event) (body []byte, ok bool) {
	if u, unknown := ev.(*webhook.UnknownEvent); !unknown || u.Field != wrapped {
		return nil, false
	}
	var change struct {
		Value struct {
			Delivery json.RawMessage `json:"delivery"`
		} `json:"value"`
	}
	if json.Unmarshal(ev.Info().Raw, &change) != nil {
		return nil, false
	}
	body = change.Value.Delivery
	var top struct {
		Entry []json.RawMessage `json:"entry"`
	}
	gone := func(raw json.RawMessage) bool { return string(raw) == "{}" }
	if json.Unmarshal(body, &top) == nil && top.Entry != nil &&
		!slices.ContainsFunc(top.Entry, func(raw json.RawMessage) bool { return !gone(raw) }) {
		return nil, true
	}
	return body, len(body) > 0
}

// quoted returns a text as JSON.
func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string can be written
	return b
}
