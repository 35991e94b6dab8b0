package coexistencetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Fields whose value begins with messaging_product and metadata, and those that have
// messaging_product alone.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
var (
	numberFields = []webhook.Field{
		webhook.FieldAutomaticEvents, webhook.FieldCalls, webhook.FieldGroupLifecycleUpdate,
		webhook.FieldGroupParticipantsUpdate, webhook.FieldGroupSettingsUpdate, webhook.FieldGroupStatusUpdate,
		webhook.FieldHistory, webhook.FieldAppStateSync, webhook.FieldSMBMessageEchoes, webhook.FieldMessageEchoes,
		webhook.FieldMessages, webhook.FieldStandby, webhook.FieldTrackingEvents, webhook.FieldUserPreferences,
	}
	productFields = []webhook.Field{webhook.FieldAccountSettingsUpdate, webhook.FieldMessagingHandovers}
)

// Notify sends the host a webhook of any field, for all that nothing else in a world causes: a
// restriction of the account, a review of its name, a handover. The value is that of Meta's page as
// JSON, without messaging_product and metadata, which are added where the field has them. It is
// delivered like any other webhook, while the number coexists and where the app subscribes to the
// field. Nothing in the world changes with it.
//
// It is an error if the value is not a JSON object.
func (p *Phone) Notify(field webhook.Field, value json.RawMessage) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil || members == nil {
		return errors.New("coexistencetest: the value of a webhook is a JSON object; see the page of its field")
	}
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.stage != stageConnected {
		return nil
	}
	inner := escaped(value)
	inner = inner[1 : len(inner)-1]
	ch := p.change(field)
	switch {
	case slices.Contains(numberFields, field):
	case slices.Contains(productFields, field):
		ch.value = object(str("messaging_product", "whatsapp"))
	default:
		ch.value, ch.phone, ch.at = object(), "", p.world.Now().Unix()
	}
	head := ch.value[:len(ch.value)-1]
	if len(inner) > 0 && len(head) > 1 {
		head = append(head, ',')
	}
	ch.value = append(append(head, inner...), '}')
	p.world.relied.on(relyNotify)
	p.world.dispatcher.send(ch)
	return nil
}

// escaped writes JSON without spaces and with strings as Meta escapes them.
func escaped(value json.RawMessage) []byte {
	var tight bytes.Buffer
	_ = json.Compact(&tight, value) // it is valid
	var out []byte
	for b := tight.Bytes(); len(b) > 0; {
		if b[0] != '"' {
			out, b = append(out, b[0]), b[1:]
			continue
		}
		end := 1
		for b[end] != '"' {
			if b[end] == '\\' {
				end++
			}
			end++
		}
		var text string
		_ = json.Unmarshal(b[:end+1], &text)
		out, b = append(out, quote(text)...), b[end+1:]
	}
	return out
}
