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
	read := false
	switch {
	case a.word(`"},"contacts":[`):
		read = d.wholeMessage(&a, &info)
	case a.word(`"},"statuses":[`):
		read = d.wholeStatus(&a, &info)
	case a.word(`"},"message_echoes":[`):
		read = d.wholeEcho(&a, &info)
	}
	if read {
		a.read()
	}
	return read
}

// emitFirst appends an event. Most deliveries have one: the list is then in the memory of the event.
func (d *decoder) emitFirst(ev Event, room *[1]Event) {
	if d.events == nil {
		d.events = room[:0]
	}
	d.events = append(d.events, ev)
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

func (d *decoder) wholeMessage(a *ahead, info *EventInfo) bool {
	name, person := a.contact()
	a.want(`],"messages":[`)
	start := a.i
	h := a.messageHead(inMessages, person)
	if h.typ != TypeText || h.from.WAID != person.WAID || h.from.UserID != "" && person.UserID != "" && h.from.UserID != person.UserID {
		return false
	}
	body := a.messageText()
	if !a.inChange(info, start, h.at, FieldMessages) {
		return false
	}
	all := new(struct {
		event IncomingMessage
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	ev.EventInfo = *info
	ev.ID, ev.From, ev.ProfileName, ev.Type, ev.Content = h.id, h.from, name, TypeText, &all.text
	if ev.From.UserID == "" {
		ev.From.UserID = person.UserID
	}
	d.emitFirst(ev, &all.list)
	return true
}

func (d *decoder) wholeEcho(a *ahead, info *EventInfo) bool {
	start := a.i
	h := a.messageHead(inEchoes, graph.Identity{})
	if h.typ != TypeText {
		return false
	}
	body := a.messageText()
	if !a.inChange(info, start, h.at, FieldMessageEchoes) {
		return false
	}
	all := new(struct {
		event MessageEcho
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	ev.EventInfo = *info
	ev.ID, ev.From, ev.To, ev.Type, ev.Content = h.id, h.from.WAID, h.to, TypeText, &all.text
	d.emitFirst(ev, &all.list)
	return true
}

func (d *decoder) wholeStatus(a *ahead, info *EventInfo) bool {
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
		return false
	}
	all := new(struct {
		event MessageStatus
		list  [1]Event
	})
	ev := &all.event
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
	d.emitFirst(ev, &all.list)
	return true
}
