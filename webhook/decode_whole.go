package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// wholeSize is the size up to which a body is taken for one that holds a single change. Larger ones
// hold many, and to find that out would mean to read the first of them twice.
const wholeSize = 2 << 10

// wholeBody emits the event of a body that holds nothing but one such change, and reports whether
// it does.
func (d *decoder) wholeBody() bool {
	if len(d.s.Rest()) > wholeSize {
		return false
	}
	a := lookAhead(&d.s)
	a.want(`{"object":"whatsapp_business_account","entry":[{"id":"`)
	var e entry
	e.id = a.kept()
	a.want(`",`)
	if a.word(`"time":`) {
		e.time = a.seconds()
		a.want(`,`)
	}
	a.want(`"changes":[`)
	if d.odd = a.lost || !d.changeAhead(&a); d.odd {
		return false
	}
	a.want(`]}]}`)
	if a.read() == nil {
		d.events = nil
		return false
	}
	d.complete(0, e)
	return true
}

// wholeChange emits the event of the next change if it is one that is read as a whole, and reports
// whether it was.
func (d *decoder) wholeChange() bool {
	if d.odd {
		d.odd = false
		return false
	}
	a := lookAhead(&d.s)
	if !d.changeAhead(&a) {
		return false
	}
	a.read()
	return true
}

// A setting is what a change tells around its item.
type setting struct {
	phone        graph.PhoneNumberID
	displayPhone string
	start        int // of the item
}

// changeAhead emits the event of a change that holds nothing but one text, one echo of a text or
// one status, as most do, and reports whether a is at one. There is nothing then to be put by,
// joined or left over.
func (d *decoder) changeAhead(a *ahead) bool {
	var in setting
	a.want(`{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`)
	in.displayPhone = a.kept()
	a.want(`","phone_number_id":"`)
	in.phone = graph.PhoneNumberID(a.kept())
	switch {
	case a.word(`"},"contacts":[`):
		return d.wholeMessage(a, &in)
	case a.word(`"},"statuses":[`):
		return d.wholeStatus(a, &in)
	case a.word(`"},"message_echoes":[`):
		return d.wholeEcho(a, &in)
	}
	return false
}

// emitFirst appends an event. Most deliveries have one: the list is then in the memory of the
// event.
func (d *decoder) emitFirst(ev Event, room *[1]Event) {
	if d.events == nil {
		d.events = room[:0]
	}
	d.events = append(d.events, ev)
}

// fieldEnd returns the bytes of the change's item if the change ends behind it, under the label of
// that field, and is lost if it does not.
func (a *ahead) fieldEnd(in *setting, label Field) (item []byte) {
	end := a.i
	a.want(`]},"field":"`)
	a.want(string(label))
	a.want(`"}`)
	if a.lost {
		return nil
	}
	return a.d[in.start:end:end]
}

// fill fills the zero info.
func (in *setting) fill(info *EventInfo, label Field, at graph.Timestamp, raw []byte) {
	info.PhoneNumberID, info.DisplayPhoneNumber = in.phone, in.displayPhone
	info.Field, info.At, info.Raw = label, at.Time, raw
}

func (d *decoder) wholeMessage(a *ahead, in *setting) bool {
	name, person := a.contact()
	a.want(`],"messages":[`)
	in.start = a.i
	var h messageHead
	a.messageHead(&h, inMessages, &person)
	if h.typ != TypeText || h.from.WAID != person.WAID || h.from.UserID != "" && person.UserID != "" && h.from.UserID != person.UserID {
		return false
	}
	body := a.messageText()
	raw := a.fieldEnd(in, FieldMessages)
	if raw == nil {
		return false
	}
	all := new(struct {
		event IncomingMessage
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	in.fill(&ev.EventInfo, FieldMessages, h.at, raw)
	ev.ID, ev.From.WAID, ev.From.UserID, ev.ProfileName = h.id, h.from.WAID, h.from.UserID, name
	ev.Type, ev.Content = TypeText, &all.text
	if ev.From.UserID == "" {
		ev.From.UserID = person.UserID
	}
	d.emitFirst(ev, &all.list)
	return true
}

func (d *decoder) wholeEcho(a *ahead, in *setting) bool {
	in.start = a.i
	var h messageHead
	a.messageHead(&h, inEchoes, &graph.Identity{})
	if h.typ != TypeText {
		return false
	}
	body := a.messageText()
	raw := a.fieldEnd(in, FieldSMBMessageEchoes)
	if raw == nil {
		return false
	}
	all := new(struct {
		event BusinessAppEcho
		text  Text
		list  [1]Event
	})
	all.text.Body = body
	ev := &all.event
	in.fill(&ev.EventInfo, FieldSMBMessageEchoes, h.at, raw)
	ev.ID, ev.From, ev.To.WAID, ev.Type, ev.Content = h.id, h.from.WAID, h.to.WAID, TypeText, &all.text
	d.emitFirst(ev, &all.list)
	return true
}

func (d *decoder) wholeStatus(a *ahead, in *setting) bool {
	in.start = a.i
	var (
		conversation BillingConversation
		pricing      Pricing
		billable     bool
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
	raw := a.fieldEnd(in, FieldMessages)
	if raw == nil {
		return false
	}
	type alone struct {
		event MessageStatus
		list  [1]Event
	}
	var all *alone
	if hasPricing {
		priced := new(struct {
			alone
			pricing  Pricing
			billable bool
		})
		priced.pricing, priced.billable = pricing, billable
		priced.pricing.Billable = &priced.billable
		all = &priced.alone
		all.event.Pricing = &priced.pricing
	} else {
		all = new(alone)
	}
	ev := &all.event
	in.fill(&ev.EventInfo, FieldMessages, h.at, raw)
	ev.ID, ev.Status, ev.Recipient.WAID, ev.Recipient.UserID = h.id, h.status, h.recipient, h.user
	if hasTalk {
		ev.Conversation = new(conversation)
	}
	d.emitFirst(ev, &all.list)
	return true
}
