package webhook

import (
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A change is one element of an entry's changes.
type change struct {
	field   Field  // empty if unlabelled
	value   []byte // nil if absent
	raw     []byte
	unknown []wire.Member // members beside field and value
	err     error         // the first mismatch beside the value, or in it
}

func (c *change) present() bool { return c.value != nil && string(c.value) != "null" }

// readChange reads an element of changes and emits its events. It returns false for an unlabelled
// change, which is to be emitted when the rest of its entry is known.
func (d *decoder) readChange() (c change, ok bool) {
	s := &d.s
	it := s.BeginItem()
	d.value.reset()
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "field":
				c.field = Field(s.TextLike("messages", "smb_message_echoes", "history", "smb_app_state_sync"))
			case "value":
				c.value = d.value.read(s)
			default:
				s.Unknown()
			}
		}
	}
	c.raw, c.unknown, c.err = s.EndItem(it)
	if s.Err() != nil {
		return c, true
	}
	if c.field == "" && d.value.label == "" && c.value != nil {
		return c, false
	}
	d.emitChange(c)
	return c, true
}

// change emits the events of a change whose value was not read yet, or is not the last one read.
func (d *decoder) change(c change) {
	var s wire.Scanner
	s.Reset(c.value)
	d.value.reset()
	d.value.read(&s)
	d.emitChange(c)
}

// emitChange emits the events of a change whose value is in d.value. There is at least one: JSON
// that no event has a place for is an UnknownEvent, a mismatch outside the items an
// UndecodableEvent, both with the JSON of the whole change.
func (d *decoder) emitChange(c change) {
	v := &d.value
	from := len(d.events)
	info := EventInfo{Field: c.label(v), PhoneNumberID: v.phone, DisplayPhoneNumber: v.displayPhone}

	var rest remainder
	if read := v.readerFor(info.Field); read != nil {
		if v.object {
			rest = read(d, c.value, info)
		}
		if c.err == nil {
			c.err = v.err
		}
	}
	unknown := append(under("change.", c.unknown), under("value.", rest.members)...)
	if v.label != "" && v.label != info.Field {
		unknown = append(unknown, UnknownMember{"value.field", quoted(string(v.label))})
	}

	info.Raw = c.raw
	if c.err != nil {
		d.events = append(d.events, &UndecodableEvent{info, fmt.Errorf("webhook: change: %w", c.err)})
	}
	if len(d.events) == from || len(rest.lists) > 0 {
		info.Unknown = under("value.", rest.lists)
		d.events = append(d.events, &UnknownEvent{info})
	}
	first := d.events[from].base()
	first.Unknown = append(first.Unknown, unknown...)
}

// A remainder is the part of a value that no event has a place for. Its members go into the first
// event of the change; its lists get an UnknownEvent of their own, because items may be in them.
type remainder struct {
	members, lists []wire.Member
}

// label returns the field that the change goes by: what Meta wrote, or what the shape of the value
// says where Meta wrote nothing.
func (c *change) label(v *value) Field {
	if c.field != "" {
		return c.field
	}
	if v.label != "" {
		return v.label
	}
	if f := v.shape(); f != "" && !v.hasLists() {
		return f
	}
	if v.event != nil {
		return FieldAccountUpdate
	}
	for l := range v.inUse {
		if v.raw[l] != nil {
			return listFields[l]
		}
	}
	return ""
}

// readerFor returns the reader of the changes under a label, nil if there is none. Account updates
// have arrived under the labels of the main path: their "event" tells them apart.
func (v *value) readerFor(label Field) fieldReader {
	switch {
	case !onMainPath(label):
		return fieldReaders[label]
	case v.event != nil && (label == FieldAccountUpdate || !v.hasLists()):
		return readAccountUpdate
	default:
		return readLists
	}
}

// onMainPath reports whether changes under this label are read by [readLists]. The shape alone
// never decides: under the label "standby", for one, there are messages that must not be answered.
func onMainPath(f Field) bool {
	switch f {
	case FieldMessages, FieldHistory, FieldAppStateSync, FieldSMBMessageEchoes, FieldAccountUpdate:
		return true
	}
	return false
}

// A list is one of the lists in which a change carries its items.
type list uint8

// The lists, in the order in which their events are emitted.
const (
	listHistory list = iota
	listMessages
	listEchoes
	listStatuses
	listStateSync
	listErrors
	listActions
	lists
)

// listNames holds the member of the value that each list is.
var listNames = [lists]string{
	"history", "messages", "message_echoes", "statuses", "state_sync", "errors", "user_actions",
}

// listFields holds the field that each list belongs to.
var listFields = [lists]Field{
	FieldHistory, FieldMessages, FieldSMBMessageEchoes, FieldMessages, FieldAppStateSync, FieldMessages, FieldMessages,
}

// readLists is the reader of the main path: it emits an event for each item of the value's lists.
//
// The business writes under the label of echoes. Whether a list "messages" in there holds its
// messages or a customer's cannot be known, and a guess could make a bot answer its owner: such a
// list stays raw.
func readLists(d *decoder, _ []byte, info EventInfo) (rest remainder) {
	v, from := &d.value, len(d.events)
	v.count()
	for l := range v.inUse {
		if v.raw[l] == nil {
			continue
		}
		if l == listMessages && info.Field == FieldSMBMessageEchoes {
			rest.lists = append(rest.lists, wire.Member{Path: listNames[l], Value: v.raw[l]})
			continue
		}
		if len(d.events)+v.length(l) > maxItems {
			v.err = errors.New(tooMany)
			break
		}
		v.emit(d, l, &info)
	}
	rest.members = append(v.unknown, v.unplaced(d.events[from:])...)
	rest.lists = append(rest.lists, v.unknownLists...)
	return rest
}
