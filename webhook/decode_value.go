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
// change to change, with the memory of its lists.
type value struct {
	used   bool   // it was read since it was reset
	object bool   // it is an object at all
	label  Field  // Meta has printed the label of a change here
	event  []byte // the JSON of a text "event", as account updates have; nil if absent

	phone        graph.PhoneNumberID
	displayPhone string
	summary      *ConversationSummary
	summaryRaw   []byte // nil once a message has the summary

	lists    uint          // a bit for each list that is in use
	raw      [lists][]byte // the JSON of each list; nil if absent
	history  []historyItem
	messages []message
	echoes   []message
	events   [lists][]Event // of the lists whose items need no label
	contacts []contact
	persons  int // how many people the items are about, at most

	contactIndex map[string]int // made when there are many contacts

	textTaken    bool          // takeText has looked for its member
	unknown      []wire.Member // members that no reader knows
	unknownLists []wire.Member // lists that no reader knows
	err          error         // the first mismatch outside the items
}

// reset empties the value. It keeps the memory of the lists.
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
			v.history = emptied(v.history)
		case listMessages:
			v.messages = emptied(v.messages)
		case listEchoes:
			v.echoes = emptied(v.echoes)
		default:
			v.events[l] = emptied(v.events[l])
		}
	}
	v.lists = 0
	v.contacts = emptied(v.contacts)
	v.contactIndex, v.persons, v.textTaken = nil, 0, false
	v.unknown, v.unknownLists, v.err = nil, nil, nil
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

// maxSpare is how many items the memory of a list may have to be kept: one large delivery must not
// stay in memory with a pooled decoder.
const maxSpare = 64

// emptied returns the memory of a list for new items, zeroed so that nothing it held stays alive.
func emptied[T any](list []T) []T {
	if cap(list) > maxSpare {
		return nil
	}
	clear(list)
	return list[:0]
}

// hasLists reports whether one of the known lists is there.
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
	if v.object = s.Object(); v.object {
		v.members(s)
	}
	raw, unknown, err := s.EndItem(it)
	v.unknown, v.err = unknown, err
	return raw
}

// members reads the members of the value. Arrays of other names are kept apart from other unknown
// members: items may be in them.
func (v *value) members(s *wire.Scanner) {
	for s.NextMember() {
		switch string(s.Name()) {
		case "messaging_product":
			readProduct(s)
		case "metadata":
			var b metadataBody
			metadataDecoder.Decode(s, &b)
			v.phone, v.displayPhone = b.PhoneNumberID, b.DisplayPhoneNumber
		case "contacts":
			v.contacts = readList(s, emptied(v.contacts), (*contact).read)
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
			v.readEvent(s)
		case "field": // misplaced in one of Meta's samples
			v.label = Field(s.Text())
		default:
			if s.Kind() == wire.KindArray {
				v.unknownLists = append(v.unknownLists, wire.Member{Path: wire.Short(string(s.Name())), Value: s.Raw()})
			} else {
				s.Unknown()
			}
		}
	}
}

// readProduct reads messaging_product, of which only a different value than the usual one is worth
// reporting.
func readProduct(s *wire.Scanner) {
	start := s.Mark()
	if string(s.TextBytes()) != "whatsapp" {
		s.UnknownSince(start)
	}
}

// readEvent keeps the JSON of "event" if it is a text, as account updates have.
func (v *value) readEvent(s *wire.Scanner) {
	switch s.Kind() {
	case wire.KindString:
		v.event = s.Raw()
	case wire.KindNull:
		s.Skip()
		v.event = nil
	default:
		s.Unknown()
	}
}

// A metadataBody names the business's phone number.
type metadataBody struct {
	PhoneNumberID      graph.PhoneNumberID `json:"phone_number_id"`
	DisplayPhoneNumber string              `json:"display_phone_number"`
}

// A summaryBody is a [ConversationSummary].
type summaryBody struct {
	Type    string `json:"type"`
	Summary struct {
		Text string `json:"text"`
	} `json:"summary"`
}

var (
	metadataDecoder = wire.For[metadataBody]()
	summaryDecoder  = wire.For[summaryBody]()
)

// readSummary reads a summary; nil for null and for what is no object.
func readSummary(s *wire.Scanner) *ConversationSummary {
	isObject := s.Kind() == wire.KindObject
	var b summaryBody
	if summaryDecoder.Decode(s, &b); !isObject {
		return nil
	}
	return &ConversationSummary{Type: b.Type, Text: b.Summary.Text}
}

// list reads one of the known lists.
func (v *value) list(s *wire.Scanner, l list) {
	start := s.Mark()
	v.lists |= 1 << l
	switch l {
	case listHistory:
		v.history = readList(s, emptied(v.history), (*historyItem).read)
	case listMessages:
		v.messages = readList(s, emptied(v.messages), func(m *message, s *wire.Scanner) { m.read(s, inMessages) })
	case listEchoes:
		v.echoes = readList(s, emptied(v.echoes), func(m *message, s *wire.Scanner) { m.read(s, inEchoes) })
	case listStatuses:
		v.events[l] = readEvents(s, emptied(v.events[l]), readStatus)
	case listStateSync:
		v.events[l] = readEvents(s, emptied(v.events[l]), readAppState)
	case listErrors:
		v.events[l] = readEvents(s, emptied(v.events[l]), readNumberProblem)
	case listActions:
		v.events[l] = readEvents(s, emptied(v.events[l]), readUserAction)
	}
	if v.raw[l] = s.Since(start); string(v.raw[l]) == "null" {
		v.raw[l] = nil
	}
}

// maxItems is how many items of one kind are decoded. Meta sends up to 1,000 updates in a delivery.
// Small items grow two hundredfold when they are decoded: without a limit one hostile body could
// take all memory.
const maxItems = 5_000

const tooMany = "more items than one delivery can hold"

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
			// The memory behind the end of a list is zero: emptied has cleared it.
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

// itemError returns the error of an item that does not fit its type.
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

// emit emits the events of one list, under the label in info. Messages and echoes under the label
// of history are the media that follow their placeholders.
func (v *value) emit(d *decoder, l list, info *EventInfo) {
	switch l {
	case listHistory:
		for i := range v.history {
			v.history[i].emit(d, *info)
		}
	case listMessages:
		for i := range v.messages {
			d.events = append(d.events, v.messageEvent(&v.messages[i], info))
		}
	case listEchoes:
		for i := range v.echoes {
			d.events = append(d.events, v.echoEvent(&v.echoes[i], info))
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

// messageEvent makes the event of an element of messages.
func (v *value) messageEvent(m *message, info *EventInfo) Event {
	switch {
	case m.err != nil:
		return m.undecodable(info)
	case info.Field == FieldHistory:
		return v.historyMedia(m, info, isOwn(m.from.WAID, v.displayPhone))
	default:
		return v.incoming(m, info)
	}
}

// echoEvent makes the event of an element of message_echoes.
func (v *value) echoEvent(m *message, info *EventInfo) Event {
	switch {
	case m.err != nil:
		return m.undecodable(info)
	case info.Field == FieldHistory:
		return v.historyMedia(m, info, true)
	default:
		return v.echo(m, info)
	}
}

// unplaced returns the decoded members that the change's events have no place for: contacts that
// belong to none of them, a summary without a message to go with, and an "event".
func (v *value) unplaced(events []Event) []wire.Member {
	var unplaced []wire.Member
	for i := range v.contacts {
		c := &v.contacts[i]
		if !c.joined || c.err != nil {
			unplaced = append(unplaced, wire.Member{Path: fmt.Sprintf("contacts[%d]", i), Value: c.raw})
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
			unplaced = append(unplaced, wire.Member{Path: "conversation_context", Value: v.summaryRaw})
		}
	}
	if v.event != nil {
		unplaced = append(unplaced, wire.Member{Path: "event", Value: v.event})
	}
	return unplaced
}

// An appStateBody is an [AppStateSync].
type appStateBody struct {
	Type     AppStateType   `json:"type"`
	Action   AppStateAction `json:"action"`
	Contact  AppContact     `json:"contact"`
	Metadata stamped        `json:"metadata"`
}

// A userActionBody is a [UserAction].
type userActionBody struct {
	Type  UserActionType `json:"action_type"`
	Click *LinkClick     `json:"marketing_messages_link_click_data"`
	stamped
}

var (
	appStateDecoder   = wire.For[appStateBody]()
	userActionDecoder = wire.For[userActionBody]()
)

// readAppState reads an element of state_sync.
func readAppState(s *wire.Scanner) Event {
	var b appStateBody
	appStateDecoder.Decode(s, &b)
	b.Contact.Username = username(b.Contact.Username)
	a := &AppStateSync{Type: b.Type, Action: b.Action, Contact: b.Contact}
	a.At = b.Metadata.Timestamp.Time
	return a
}

// readUserAction reads an element of user_actions.
func readUserAction(s *wire.Scanner) Event {
	var b userActionBody
	userActionDecoder.Decode(s, &b)
	a := &UserAction{Type: b.Type, Click: b.Click}
	a.At = b.Timestamp.Time
	return a
}

// readNumberProblem reads an element of a change's errors.
func readNumberProblem(s *wire.Scanner) Event { return &PhoneNumberError{Err: readError(s)} }
