package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// wholeChange emits the event of a change that holds nothing but one text, one echo of a text or one status, as most do,
// and reports whether the next value is one. There is nothing then to be put by, joined or left over.
func (d *decoder) wholeChange() bool {
	a := lookAhead(&d.s)
	var info EventInfo
	a.want(`{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`)
	info.DisplayPhone = a.kept()
	a.want(`","phone_number_id":"`)
	info.Phone = graph.PhoneNumberID(a.kept())
	var ev Event
	switch {
	case a.word(`"},"contacts":[`):
		ev = a.wholeMessage(&info)
	case a.word(`"},"statuses":[`):
		ev = a.wholeStatus(&info)
	case a.word(`"},"message_echoes":[`):
		ev = a.wholeEcho(&info)
	default:
		return false
	}
	if ev == nil {
		return false
	}
	a.read()
	d.events = append(d.events, ev)
	return true
}

// inChange is lost unless the change of an item that began at start ends here, under the label of a field.
func (a *ahead) inChange(info *EventInfo, start int, at graph.Timestamp, label Field) bool {
	if a.lost {
		return false
	}
	info.Field, info.At, info.Raw = label, at.Time, a.d[start:a.i:a.i]
	a.want(`]},"field":"`)
	a.want(string(label))
	a.want(`"}`)
	return !a.lost
}

func (a *ahead) wholeMessage(info *EventInfo) Event {
	name, person := a.contact()
	a.want(`],"messages":[`)
	start := a.i
	h := a.messageHead(inMessages)
	if h.typ != TypeText || h.from.WAID != person.WAID || h.from.UserID != "" && person.UserID != "" && h.from.UserID != person.UserID {
		return nil
	}
	body := a.messageText()
	if !a.inChange(info, start, h.at, FieldMessages) {
		return nil
	}
	both := new(struct {
		event IncomingMessage
		text  Text
	})
	both.text.Body = body
	ev := &both.event
	ev.EventInfo = *info
	ev.ID, ev.From, ev.ProfileName, ev.Type, ev.Content = h.id, h.from, name, TypeText, &both.text
	if ev.From.UserID == "" {
		ev.From.UserID = person.UserID
	}
	return ev
}

func (a *ahead) wholeEcho(info *EventInfo) Event {
	start := a.i
	h := a.messageHead(inEchoes)
	if h.typ != TypeText {
		return nil
	}
	body := a.messageText()
	if !a.inChange(info, start, h.at, FieldMessageEchoes) {
		return nil
	}
	both := new(struct {
		event MessageEcho
		text  Text
	})
	both.text.Body = body
	ev := &both.event
	ev.EventInfo = *info
	ev.ID, ev.From, ev.To, ev.Type, ev.Content = h.id, h.from.WAID, h.to, TypeText, &both.text
	return ev
}

func (a *ahead) wholeStatus(info *EventInfo) Event {
	var (
		conversation Conversation
		pricing      Pricing
		billable     bool
		start        = a.i
		h            = a.statusHead()
		hasTalk      = a.word(`,"conversation":`)
	)
	if hasTalk {
		conversation = a.conversation()
	}
	hasPricing := a.word(`,"pricing":`)
	if hasPricing {
		pricing, billable = a.pricing()
	}
	a.want(`}`)
	if !a.inChange(info, start, h.at, FieldMessages) {
		return nil
	}
	ev := new(MessageStatus)
	ev.EventInfo = *info
	ev.ID, ev.Status, ev.Recipient.WAID, ev.Recipient.UserID = h.id, h.status, h.recipient, h.user
	if hasTalk {
		ev.Conversation = new(conversation)
	}
	if hasPricing {
		both := new(struct {
			pricing  Pricing
			billable bool
		})
		both.pricing, both.billable = pricing, billable
		both.pricing.Billable = &both.billable
		ev.Pricing = &both.pricing
	}
	return ev
}
