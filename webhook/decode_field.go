package webhook

import (
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A fieldReader emits the events of a change, whose value has been read into the decoder's value
// without knowing the label. A reader finds its members there, or reads the JSON of the value
// again. It returns what has no place.
type fieldReader func(d *decoder, data []byte, info EventInfo) remainder

// fieldReaders holds the readers of all fields but those of the main path (messages, history,
// echoes, contacts, account updates), which [readLists] reads.
var fieldReaders = map[Field]fieldReader{
	FieldMessageEchoes:      readOtherEchoes,
	FieldCalls:              readCalls,
	FieldStandby:            readStandby,
	FieldMessagingHandovers: one((*handoverBody).event),
	FieldUserPreferences:    each("user_preferences", (*preferenceBody).event),
	FieldUserIDUpdate:       each("user_id_update", (*userIDBody).event),
	FieldAutomaticEvents:    each("automatic_events", (*automaticBody).event),
	FieldTrackingEvents:     each("events", (*trackingBody).event),

	FieldGroupLifecycleUpdate:    each("groups", (*groupLifecycleBody).event),
	FieldGroupParticipantsUpdate: each("groups", (*groupParticipantsBody).event),
	FieldGroupParticipantUpdate:  each("groups", (*groupParticipantsBody).event),
	FieldGroupSettingsUpdate:     each("groups", (*groupSettingsBody).event),
	FieldGroupStatusUpdate:       each("groups", (*groupStatusBody).event),

	FieldAccountAlerts:              one((*alertBody).event),
	FieldAccountReviewUpdate:        one(as[AccountReviewUpdate]),
	FieldAccountSettingsUpdate:      one((*accountSettingsBody).event),
	FieldBusinessCapabilityUpdate:   one(as[BusinessCapabilityUpdate]),
	FieldBusinessUsernameUpdates:    one((*usernameBody).event),
	FieldBusinessUsernameUpdate:     one((*usernameBody).event),
	FieldPartnerSolutions:           one(as[PartnerSolution]),
	FieldPaymentConfigurationUpdate: one(as[PaymentConfigurationUpdate]),

	FieldPhoneNumberNameUpdate:    one((*phoneNameBody).event),
	FieldPhoneNumberQualityUpdate: one((*phoneQualityBody).event),
	FieldSecurity:                 one((*securityBody).event),

	FieldFlows:                            one(as[FlowUpdate]),
	FieldMessageTemplateStatusUpdate:      readTemplate,
	FieldMessageTemplateQualityUpdate:     readTemplate,
	FieldMessageTemplateComponentsUpdate:  one(as[MessageTemplateComponentsUpdate]),
	FieldTemplateCategoryUpdate:           one(as[TemplateCategoryUpdate]),
	FieldTemplateCorrectCategoryDetection: one(as[TemplateCorrectCategoryDetection]),
}

// as returns an event that is its own body.
func as[T any](body *T) Event { return any(body).(Event) }

// one returns the reader of a field whose changes are one event each. It reads the change again, as
// a W, which embeds the event and has, beside it, members that go into its EventInfo or have
// another shape on the wire. What the value has made of the same members does not count.
func one[W any](event func(*W) Event) fieldReader {
	plan := wire.For[W]()
	return func(d *decoder, data []byte, info EventInfo) remainder {
		var s wire.Scanner
		s.Reset(data)
		it := s.BeginItem()
		w := new(W)
		plan.Decode(&s, w)
		raw, unknown, err := s.EndItem(it)
		info.Raw, info.Unknown = raw, members(slices.DeleteFunc(unknown, misplaced))
		d.value.err = nil // it is about members that mean something else here
		if err != nil {
			d.events = append(d.events, &UndecodableEvent{info, itemError(err)})
			return remainder{}
		}
		d.events = append(d.events, info.into(event(w)))
		return remainder{}
	}
}

// misplaced reports whether a member says nothing new: one that belongs around a value and that
// Meta's samples have in it, or the one that says in all of them that this is WhatsApp.
func misplaced(m wire.Member) bool {
	switch m.Path {
	case "field":
		return true
	case "object", "messaging_product":
		return strings.HasPrefix(string(m.Value), `"whatsapp`)
	}
	return false
}

// into completes an event by the info around it. Members that the event has filled itself stay.
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
	return func(d *decoder, _ []byte, info EventInfo) remainder {
		from := len(d.events)
		items(d, d.value.takeList(list), info, plan, event)
		return d.value.remainder(d.events[from:])
	}
}

// items reads a list, which may be nil, and emits an event for each element.
func items[W any](
	d *decoder, list []byte, info EventInfo, plan wire.Decoder[W], event func(*W, *value, EventInfo) Event,
) {
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

// takeList returns the JSON of a list that the value did not know, which then counts as known; nil
// if there is none.
func (v *value) takeList(name string) []byte { return take(&v.unknownLists, name) }

// takeMember is takeList for a member that is no list.
func (v *value) takeMember(name string) []byte { return take(&v.unknown, name) }

// take removes the members of a name from a list, and returns the value of the last.
func take(list *[]wire.Member, name string) (raw []byte) {
	*list = slices.DeleteFunc(*list, func(m wire.Member) bool {
		if m.Path == name {
			raw = m.Value
		}
		return m.Path == name
	})
	return raw
}

// remainder returns what of the value has no place, given the events that were made of it. The
// lists of the main path that a reader has used must be nil in v.raw.
func (v *value) remainder(events []Event) remainder {
	rest := remainder{append(v.unknown, v.unplaced(events)...), v.unknownLists}
	for l := range lists {
		if v.raw[l] != nil {
			rest.lists = append(rest.lists, wire.Member{Path: listNames[l], Value: v.raw[l]})
		}
	}
	return rest
}

// shapes holds the field of an unlabelled change by members that no other field has.
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
	for _, list := range [][]wire.Member{v.unknown, v.unknownLists} {
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

// A body is not an event, though it embeds one: its field hides the method. So the set of events
// stays closed, also for linters that count the cases of a switch.
type body struct{ Info struct{} }

// stamped is a body with a time of its own.
type stamped struct {
	Timestamp graph.Timestamp `json:"timestamp"`
}

// numbered is a body that says which number it is about.
type numbered struct {
	Number string `json:"display_phone_number"`
}
