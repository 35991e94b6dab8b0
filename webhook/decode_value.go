package webhook

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A value is the value of a change, read in one pass before the change's label is known: the names
// of its lists say what is in them, and the label only says what the items mean. It is reused from
// change to change.
type value struct {
	used   bool // it was read since it was reset
	object bool // it is an object at all
	label  Field
	event  []byte // the JSON of a text "event", as account updates have; nil if absent

	phone        graph.PhoneNumberID
	displayPhone string
	summary      *ConversationSummary
	summaryRaw   []byte

	lists    uint          // a bit for each list that is in use
	raw      [lists][]byte // the JSON of each list; nil if absent
	history  []historyItem
	messages []message
	echoes   []message
	events   [lists][]Event // of the lists whose items need no label
	contacts []contact
	persons  int // how many the items are about, at most

	contactIndex map[string]int // made when there are many contacts

	sought bool          // takeText has looked for its member
	loose  []wire.Member // members that nobody reads
	unread []wire.Member // lists that nobody reads
	err    error         // something outside the items does not fit
}

// reset forgets everything but the room in the lists, which is left empty.
func (v *value) reset() {
	if !v.used {
		return
	}
	v.used, v.object, v.label, v.event = false, false, "", nil
	v.phone, v.displayPhone, v.summary, v.summaryRaw = "", "", nil, nil
	for l := range v.inUse {
		v.raw[l] = nil
		switch l {
		case listHistory:
			v.history = none(v.history)
		case listMessages:
			v.messages = none(v.messages)
		case listEchoes:
			v.echoes = none(v.echoes)
		default:
			v.events[l] = none(v.events[l])
		}
	}
	v.lists = 0
	v.contacts = none(v.contacts)
	v.contactIndex, v.persons, v.sought, v.loose, v.unread, v.err = nil, 0, false, nil, nil, nil
}

// count notes how many persons the lists of the main path are about.
func (v *value) count() { v.persons = len(v.messages) + len(v.echoes) + len(v.events[listStatuses]) }

// inUse yields the lists of the value, in the order in which their events are emitted.
func (v *value) inUse(yield func(list) bool) {
	for rest := v.lists; rest != 0; rest &= rest - 1 {
		if !yield(list(bits.TrailingZeros(rest))) {
			return
		}
	}
}

// maxRoom is how many items of a list an empty value keeps room for.
const maxRoom = 64

// none empties a list and forgets what was in it, and much room too.
func none[T any](list []T) []T {
	if cap(list) > maxRoom {
		return nil
	}
	clear(list)
	return list[:0]
}

func (v *value) hasLists() bool {
	for l := range v.inUse {
		if v.raw[l] != nil {
			return true
		}
	}
	return false
}

// read reads the next value, which replaces what v held, and returns its bytes; nil for null.
func (v *value) read(s *wire.Scanner) []byte {
	v.reset()
	v.used = true
	if s.Null() {
		return nil
	}
	it := s.BeginItem()
	if v.object = v.readAhead(lookAhead(s)) || s.Object(); v.object {
		v.members(s)
	}
	raw, loose, err := s.EndItem(it)
	v.loose, v.err = loose, err
	return raw
}

// readAhead reads the first members.
func (v *value) readAhead(a ahead) bool {
	a.want(`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`)
	display := a.kept()
	a.want(`","phone_number_id":"`)
	phone := a.kept()
	a.want(`"}`)
	if !a.inside("") {
		return false
	}
	v.displayPhone, v.phone = display, graph.PhoneNumberID(phone)
	return true
}

func (v *value) members(s *wire.Scanner) {
	for s.NextMember() {
		switch string(s.Name()) {
		case "messaging_product":
			v.product(s)
		case "metadata":
			v.metadata(s)
		case "contacts":
			v.contacts = readList(s, none(v.contacts), (*contact).read)
		case "messages":
			v.list(s, listMessages)
		case "message_echoes":
			v.list(s, listEchoes)
		case "history":
			v.list(s, listHistory)
		case "statuses":
			v.list(s, listStatuses)
		case "state_sync":
			v.list(s, listStateSync)
		case "errors":
			v.list(s, listErrors)
		case "user_actions":
			v.list(s, listActions)
		case "conversation_context":
			start := s.Mark()
			v.summary = readSummary(s)
			v.summaryRaw = s.Since(start)
		case "event":
			switch s.Kind() {
			case wire.KindString:
				v.event = s.Raw()
			case wire.KindNull:
				s.Skip()
				v.event = nil
			default:
				s.Unknown()
			}
		case "field": // misplaced in one of Meta's samples
			v.label = Field(s.Text())
		default:
			if s.Kind() == wire.KindArray {
				v.unread = append(v.unread, wire.Member{Path: wire.Short(string(s.Name())), Value: s.Raw()})
			} else {
				s.Unknown()
			}
		}
	}
}

// product reads messaging_product, of which only another value than the usual one is worth
// reporting.
func (v *value) product(s *wire.Scanner) {
	start := s.Mark()
	if string(s.TextBytes()) != "whatsapp" {
		s.UnknownSince(start)
	}
}

func (v *value) metadata(s *wire.Scanner) {
	v.phone, v.displayPhone = "", ""
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "phone_number_id":
			v.phone = graph.PhoneNumberID(s.Text())
		case "display_phone_number":
			v.displayPhone = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readSummary(s *wire.Scanner) *ConversationSummary {
	if !s.Object() {
		return nil
	}
	var c ConversationSummary
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			c.Type = s.Text()
		case "summary":
			c.Text = ""
			if s.Object() {
				for s.NextMember() {
					if string(s.Name()) == "text" {
						c.Text = s.Text()
					} else {
						s.Unknown()
					}
				}
			}
		default:
			s.Unknown()
		}
	}
	return &c
}

// list reads one of the known lists.
func (v *value) list(s *wire.Scanner, l list) {
	start := s.Mark()
	v.lists |= 1 << l
	switch l {
	case listHistory:
		v.history = readList(s, none(v.history), (*historyItem).read)
	case listMessages:
		v.messages = readList(s, none(v.messages), func(m *message, s *wire.Scanner) { m.read(s, inMessages) })
	case listEchoes:
		v.echoes = readList(s, none(v.echoes), func(m *message, s *wire.Scanner) { m.read(s, inEchoes) })
	case listStatuses:
		v.events[l] = readEvents(s, none(v.events[l]), readStatus)
	case listStateSync:
		v.events[l] = readEvents(s, none(v.events[l]), readAppState)
	case listErrors:
		v.events[l] = readEvents(s, none(v.events[l]), readNumberProblem)
	case listActions:
		v.events[l] = readEvents(s, none(v.events[l]), readUserAction)
	}
	if v.raw[l] = s.Since(start); string(v.raw[l]) == "null" {
		v.raw[l] = nil
	}
}

// maxItems is how many items of one kind are decoded. Meta sends up to 1,000 updates in a delivery.
// Small items grow two hundredfold when they are decoded, so that without a limit one odd body
// could take all memory.
const maxItems = 50_000

const tooMany = "more items than one delivery can hold"

// maxErrors is how many errors one item can have. Meta sends one.
const maxErrors = 1_000

// readList appends the elements of an array to list. Elements that are null are no items.
func readList[T any](s *wire.Scanner, list []T, read func(*T, *wire.Scanner)) []T {
	if s.Array() {
		for s.NextElement() {
			if s.Null() {
				continue
			}
			if len(list) == maxItems {
				s.Refuse(tooMany)
				s.Skip()
				continue
			}
			// What is behind the end of a list is zero: none clears what it empties.
			list = slices.Grow(list, 1)[:len(list)+1]
			read(&list[len(list)-1], s)
		}
	}
	return list
}

// readEvents appends the elements of an array to list, each as an item of its own.
func readEvents(s *wire.Scanner, list []Event, read func(*wire.Scanner) Event) []Event {
	if s.Array() {
		for s.NextElement() {
			if s.Null() {
				continue
			}
			if len(list) == maxItems {
				s.Refuse(tooMany)
				s.Skip()
				continue
			}
			it := s.BeginItem()
			ev := read(s)
			raw, unknown, err := s.EndItem(it)
			if err != nil {
				at := ev.base().At
				ev = &UndecodableEvent{EventInfo{At: at}, itemError(err)}
			}
			ev.base().Raw = raw
			ev.base().Unknown = members(unknown)
			list = append(list, ev)
		}
	}
	return list
}

func itemError(err error) error { return fmt.Errorf("webhook: %w", err) }

// length returns how many items a list has.
func (v *value) length(l list) int {
	switch l {
	case listHistory:
		return len(v.history)
	case listMessages:
		return len(v.messages)
	case listEchoes:
		return len(v.echoes)
	default:
		return len(v.events[l])
	}
}

// emit emits the events of one list, under the label in info.
func (v *value) emit(d *decoder, l list, info *EventInfo) {
	switch l {
	case listHistory:
		for i := range v.history {
			v.history[i].emit(d, *info)
		}
	case listMessages:
		for i := range v.messages {
			m := &v.messages[i]
			switch {
			case m.err != nil:
				d.events = append(d.events, m.undecodable(info))
			case info.Field == FieldHistory:
				d.events = append(d.events, v.historyMedia(m, info, isOwn(m.from.WAID, v.displayPhone)))
			default:
				d.events = append(d.events, v.incoming(m, info))
			}
		}
	case listEchoes:
		for i := range v.echoes {
			m := &v.echoes[i]
			switch {
			case m.err != nil:
				d.events = append(d.events, m.undecodable(info))
			case info.Field == FieldHistory:
				d.events = append(d.events, v.historyMedia(m, info, true))
			default:
				d.events = append(d.events, v.echo(m, info))
			}
		}
	default:
		for _, ev := range v.events[l] {
			b := ev.base()
			b.Field, b.PhoneNumberID, b.DisplayPhoneNumber = info.Field, info.PhoneNumberID, info.DisplayPhoneNumber
			if st, ok := ev.(*MessageStatus); ok {
				v.joinStatus(st)
			}
			d.events = append(d.events, ev)
		}
	}
}

// leftover returns what the change's events have no place for: contacts that belong to none of
// them, a summary without a message to go with, and an "event".
func (v *value) leftover(events []Event) []wire.Member {
	var left []wire.Member
	for i := range v.contacts {
		c := &v.contacts[i]
		if !c.joined || c.err != nil {
			left = append(left, wire.Member{Path: fmt.Sprintf("contacts[%d]", i), Value: c.raw})
		}
	}
	if v.summary != nil {
		for _, ev := range events {
			if m, ok := ev.(*IncomingMessage); ok {
				m.Summary = v.summary
				v.summaryRaw = nil
			}
		}
		if v.summaryRaw != nil {
			left = append(left, wire.Member{Path: "conversation_context", Value: v.summaryRaw})
		}
	}
	if v.event != nil {
		left = append(left, wire.Member{Path: "event", Value: v.event})
	}
	return left
}
