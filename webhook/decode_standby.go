package webhook

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// readOtherEchoes reads echoes of messages that other apps sent. They have the shape of the echoes
// of the main path and are another event, because no person wrote them on the phone.
func readOtherEchoes(d *decoder, data []byte, info EventInfo) remainder {
	v, from := &d.value, len(d.events)
	v.count()
	v.emit(d, listEchoes, &info)
	v.raw[listEchoes] = nil
	for i, ev := range d.events[from:] {
		if e, ok := ev.(*BusinessAppEcho); ok {
			d.events[from+i] = &OtherAppEcho{
				EventInfo: e.EventInfo, ID: e.ID, From: e.From, To: e.To, ProfileName: e.ProfileName, Type: e.Type,
				Content: e.Content, Context: e.Context, Errors: e.Errors,
			}
		}
	}
	return v.remainder(d.events[from:])
}

// readStandby reads the events of a conversation that another app controls. The lists have the
// names and shapes of the main path, one level deeper; their events must never be those of the main
// path, or a bot would answer.
func readStandby(d *decoder, _ []byte, info EventInfo) remainder {
	outer, from := &d.value, len(d.events)
	raw := outer.takeMember("standby")
	if raw == nil {
		return outer.remainder(nil)
	}
	var s wire.Scanner
	s.Reset(raw)
	v := new(value)
	v.read(&s)
	v.count()
	for _, l := range []list{listMessages, listStatuses} {
		v.emit(d, l, &info)
		v.raw[l] = nil
	}
	for i, ev := range d.events[from:] {
		d.events[from+i] = standby(ev)
	}
	echoes := v.raw[listEchoes]
	v.raw[listEchoes] = nil
	items(d, echoes, info, standbyEchoDecoder, func(b *standbyEchoBody, _ *value, _ EventInfo) Event {
		return b.event(v)
	})

	events := d.events[from:]
	for _, ev := range events {
		deepen(ev.base().Unknown)
	}
	rest, around := v.remainder(events), outer.remainder(nil)
	for _, list := range [][]wire.Member{rest.members, rest.lists} {
		for i := range list {
			list[i].Path = "standby." + list[i].Path
		}
	}
	if v.err != nil {
		info.Raw = raw
		d.events = append(d.events, &UndecodableEvent{info, itemError(v.err)})
	}
	return remainder{append(rest.members, around.members...), append(rest.lists, around.lists...)}
}

// deepen corrects the paths of members around an item, which stand one level deeper than on the
// main path.
func deepen(unknown []UnknownMember) {
	for i, m := range unknown {
		if in, ok := strings.CutPrefix(m.Path, "value."); ok {
			unknown[i].Path = "value.standby." + in
		}
	}
}

// standby turns an event of the main path into that of a conversation that another app controls.
func standby(ev Event) Event {
	switch ev := ev.(type) {
	case *IncomingMessage:
		return &StandbyMessage{EventInfo: ev.EventInfo, Message: ev}
	case *UnavailableMessage:
		return &StandbyMessage{EventInfo: ev.EventInfo, unavailable: true, Message: &IncomingMessage{
			EventInfo: ev.EventInfo, ID: ev.ID, GroupID: ev.GroupID, From: ev.From,
			ProfileName: ev.ProfileName, ProfileCountry: ev.ProfileCountry,
			IdentityHash: ev.IdentityHash, ContactWAID: ev.ContactWAID, Type: TypeUnsupported, Content: &ev.Unsupported,
			Context: ev.Context, Referral: ev.Referral, Errors: ev.Errors,
		}}
	case *MessageStatus:
		return &StandbyStatus{ev.EventInfo, ev}
	default:
		return ev
	}
}

// A standbyEchoBody is a [StandbyEcho].
type standbyEchoBody struct {
	body
	StandbyEcho
	stamped
}

func (b *standbyEchoBody) event(v *value) Event {
	e := &b.StandbyEcho
	e.At = b.Timestamp.Time
	var s wire.Scanner
	s.Reset(e.Message)
	sent := new(sentBody)
	if s.Kind() == wire.KindObject {
		sentDecoder.Decode(&s, sent) // what does not fit stays in Message
	}
	e.Type = sent.Type
	if sent.RecipientType == "group" {
		e.GroupID = graph.GroupID(sent.To)
		return e
	}
	e.To = identity(sent.To, sent.Recipient, "", "message.to", &e.EventInfo)
	e.ProfileName = v.joinName(&e.To, &e.EventInfo)
	return e
}

// A sentBody is the part of a request to send a message that its echo needs.
type sentBody struct {
	To            string       `json:"to"`
	Recipient     graph.UserID `json:"recipient"`
	RecipientType string       `json:"recipient_type"`
	Type          MessageType  `json:"type"`
}

var (
	standbyEchoDecoder = wire.For[standbyEchoBody]()
	sentDecoder        = wire.For[sentBody]()
)
