package webhook

import (
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A change is one element of an entry's changes.
type change struct {
	field Field
	value []byte // nil if absent
	raw   []byte
	loose []wire.Member // members beside field and value
	err   error
}

func (c *change) present() bool { return c.value != nil && string(c.value) != "null" }

// readChange reads an element of changes and emits its events. It returns false for a change
// without a label, to be emitted when the entry is known.
func (d *decoder) readChange() (c change, ok bool) {
	s := &d.s
	it := s.BeginItem()
	d.value.reset()
	a := lookAhead(s)
	a.want(`{"value":`)
	first := a.inside("value")
	if first {
		c.value = d.value.read(s)
	}
	if first || s.Object() {
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
	c.raw, c.loose, c.err = s.EndItem(it)
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

// A list is one of the lists in which a change carries its items.
type list uint8

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

var listNames = [lists]string{"history", "messages", "message_echoes", "statuses", "state_sync", "errors", "user_actions"}

// listFields names the field that each list belongs to.
var listFields = [lists]Field{
	FieldHistory, FieldMessages, FieldSMBMessageEchoes, FieldMessages, FieldAppStateSync, FieldMessages, FieldMessages,
}

// label returns the field that a change goes by: what Meta wrote, or what its shape says where Meta
// wrote nothing.
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

// emitChange emits the events of a change whose value is in d.value.
func (d *decoder) emitChange(c change) {
	v := &d.value
	from := len(d.events)
	field := c.label(v)
	info := EventInfo{Field: field, PhoneNumberID: v.phone, DisplayPhoneNumber: v.displayPhone}
	loose := c.loose
	var unread []wire.Member // lists that nobody reads
	var reader fieldReader
	if !ours(field) {
		reader = fieldReaders[field]
	}

	switch {
	case !v.object:
		if (ours(field) || reader != nil) && c.err == nil {
			c.err = v.err
		}
	case reader != nil:
		var left []wire.Member
		left, unread = reader(d, c.value, info)
		loose = append(loose, left...)
		if c.err == nil {
			c.err = v.err
		}
	case field == FieldAccountUpdate || v.event != nil && ours(field) && !v.hasLists():
		if v.event != nil {
			readAccountUpdate(d, c.value, EventInfo{Field: field})
			break
		}
		fallthrough
	case ours(field):
		v.count()
		for l := range v.inUse {
			if v.raw[l] == nil {
				continue
			}
			// The business writes under the label of echoes. Whether a list of another name in
			// there holds its messages or a customer's cannot be known, and a guess could make a
			// bot answer its owner.
			if l == listMessages && field == FieldSMBMessageEchoes {
				unread = append(unread, wire.Member{Path: listNames[l], Value: v.raw[l]})
				continue
			}
			if len(d.events)+v.length(l) > maxItems {
				c.err = errors.New(tooMany)
				break
			}
			v.emit(d, l, &info)
		}
		loose = append(loose, v.loose...)
		loose = append(loose, v.leftover(d.events[from:])...)
		unread = append(unread, v.unread...)
		if c.err == nil {
			c.err = v.err
		}
	}
	if v.label != "" && v.label != field {
		loose = append(loose, wire.Member{Path: "field", Value: quoted(string(v.label))})
	}
	if c.err != nil {
		info.Raw = c.raw
		d.events = append(d.events, &UndecodableEvent{info, fmt.Errorf("webhook: change: %w", c.err)})
	}
	if len(d.events) == from || len(unread) > 0 && len(d.events) > from {
		info.Raw, info.Unknown = c.raw, nil
		for _, m := range unread {
			info.Unknown = append(info.Unknown, UnknownMember{"value." + m.Path, m.Value})
		}
		d.events = append(d.events, &UnknownEvent{info})
	}
	first := d.events[from].base()
	for i, m := range loose {
		prefix := "value."
		if i < len(c.loose) {
			prefix = "change."
		}
		first.Unknown = append(first.Unknown, UnknownMember{prefix + m.Path, m.Value})
	}
}

// ours reports whether changes under this label are decoded on the main path. The shape alone never
// decides: under the label "standby", for one, there are messages that must not be answered.
func ours(f Field) bool {
	switch f {
	case FieldMessages, FieldHistory, FieldAppStateSync, FieldSMBMessageEchoes, FieldAccountUpdate:
		return true
	}
	return false
}
