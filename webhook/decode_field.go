package webhook

import (
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A fieldReader emits the events of a change of one of the rarer fields. The change has been read
// into the decoder's value, where the label says nothing yet; what it is about the reader finds
// there, or reads a second time. It returns the members of the value that nobody reads, and the
// lists that nobody reads.
type fieldReader func(d *decoder, change []byte, info EventInfo) (loose, unread []wire.Member)

// one returns the reader of a field whose changes are one event each. W holds the event and, beside
// it, members that go into its EventInfo or have another shape on the wire.
func one[W any](event func(*W) Event) fieldReader {
	plan := wire.For[W]()
	return func(d *decoder, change []byte, info EventInfo) (loose, unread []wire.Member) {
		var s wire.Scanner
		s.Reset(change)
		it := s.BeginItem()
		w := new(W)
		plan.Decode(&s, w)
		raw, unknown, err := s.EndItem(it)
		info.Raw, info.Unknown = raw, members(slices.DeleteFunc(unknown, misplaced))
		d.value.err = nil // it was about members that mean something else here
		if err != nil {
			d.events = append(d.events, &UndecodableEvent{info, itemError(err)})
			return nil, nil
		}
		d.events = append(d.events, info.into(event(w)))
		return nil, nil
	}
}

// misplaced reports members that belong around a value and that Meta's samples have in it, and the
// one that says in all of them that this is WhatsApp.
func misplaced(m wire.Member) bool {
	switch m.Path {
	case "field":
		return true
	case "object", "messaging_product":
		return strings.HasPrefix(string(m.Value), `"whatsapp`)
	}
	return false
}

// into completes an event by what is known around it. What the event knows itself stays.
func (i EventInfo) into(ev Event) Event {
	own := ev.base()
	if own.PhoneNumberID != "" {
		i.PhoneNumberID = own.PhoneNumberID
	}
	if own.DisplayPhoneNumber != "" {
		i.DisplayPhoneNumber = own.DisplayPhoneNumber
	}
	i.WABAID, i.At = own.WABAID, own.At
	i.Unknown = append(i.Unknown, own.Unknown...)
	*own = i
	return ev
}

// each returns the reader of a field whose changes hold a list of that name, each element an event.
func each[W any](list string, event func(w *W, v *value, info EventInfo) Event) fieldReader {
	plan := wire.For[W]()
	return func(d *decoder, change []byte, info EventInfo) (loose, unread []wire.Member) {
		from := len(d.events)
		items(d, d.value.take(list), info, plan, event)
		return d.value.remains(d.events[from:])
	}
}

// items reads a list and emits an event for each element.
func items[W any](d *decoder, list []byte, info EventInfo, plan wire.Decoder[W], event func(*W, *value, EventInfo) Event) {
	if list == nil {
		return
	}
	if v := &d.value; len(v.contacts) == 1 { // whose it is depends on that
		v.persons += elements(list)
	}
	var s wire.Scanner
	s.Reset(list)
	all := s.BeginItem()
	open := s.Array()
	for open && s.NextElement() {
		if s.Null() {
			continue
		}
		if len(d.events) >= maxItems {
			s.Refuse(tooMany)
			s.Skip()
			continue
		}
		it := s.BeginItem()
		w := new(W)
		plan.Decode(&s, w)
		raw, unknown, err := s.EndItem(it)
		info.Raw, info.Unknown = raw, members(unknown)
		if err != nil {
			d.events = append(d.events, &UndecodableEvent{info, itemError(err)})
			continue
		}
		d.events = append(d.events, info.into(event(w, &d.value, info)))
	}
	if raw, _, err := s.EndItem(all); err != nil {
		info.Raw, info.Unknown = raw, nil
		d.events = append(d.events, &UndecodableEvent{info, itemError(err)})
	}
}

// elements returns how many elements a list has that are not null.
func elements(list []byte) (n int) {
	var s wire.Scanner
	s.Reset(list)
	for open := s.Array(); open && s.NextElement(); {
		if !s.Null() {
			s.Skip()
			n++
		}
	}
	return n
}

// take returns the list of a name that the value holds, which then counts as read. It is nil if
// there is none.
func (v *value) take(list string) (raw []byte) {
	take := func(m wire.Member) bool {
		if m.Path == list {
			raw = m.Value
		}
		return m.Path == list
	}
	v.unread = slices.DeleteFunc(v.unread, take)
	return raw
}

// takeMember is take for members that are no lists.
func (v *value) takeMember(name string) (raw []byte) {
	v.loose = slices.DeleteFunc(v.loose, func(m wire.Member) bool {
		if m.Path == name {
			raw = m.Value
		}
		return m.Path == name
	})
	return raw
}

// remains returns what is left of the value when the events have taken their part.
func (v *value) remains(events []Event) (loose, unread []wire.Member) {
	loose = append(v.loose, v.leftover(events)...)
	unread = v.unread
	for l := range lists {
		if v.raw[l] != nil {
			unread = append(unread, wire.Member{Path: listNames[l], Value: v.raw[l]})
		}
	}
	return loose, unread
}

// memberOf returns the member of an object, nil if there is none or it is null.
func memberOf(object []byte, name string) (raw []byte) {
	var s wire.Scanner
	s.Reset(object)
	if s.Object() {
		for s.NextMember() {
			if string(s.Name()) == name {
				raw = s.Raw()
			} else {
				s.Skip()
			}
		}
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// shapes names the field of a change without a label by members that no other field has.
var shapes = map[string]Field{
	"new_quality_score": FieldMessageTemplateQualityUpdate,
	"flow_id":           FieldFlows,
	"solution_id":       FieldPartnerSolutions,
	"calls":             FieldCalls,
	"standby":           FieldStandby,
	"user_preferences":  FieldUserPreferences,
	"automatic_events":  FieldAutomaticEvents,
	"user_id_update":    FieldUserIDUpdate,
}

// shape returns the field that the members of a value belong to, empty if they do not tell.
func (v *value) shape() Field {
	for _, list := range [][]wire.Member{v.loose, v.unread} {
		for _, m := range list {
			if f := shapes[m.Path]; f != "" {
				return f
			}
			if m.Path == "message_template_id" && v.event != nil {
				return FieldMessageTemplateStatusUpdate
			}
		}
	}
	return ""
}
