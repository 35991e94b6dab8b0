package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// How a body is read
//
// A body is a tree of four levels, and Decode goes down it once, from front to back:
//
//	body      decoder.envelope    {"object": "whatsapp_business_account", "entry": […]}
//	entry     decoder.entry       {"id": WABA, "time": …, "changes": […]}
//	change    decoder.readChange  {"field": …, "value": {…}}
//	item      value.read          a message, a status, a contact, … in one of the value's lists
//
// Each item becomes an event. What the levels around it know (the account, the phone number, the
// time) is copied into its EventInfo on the way up: decoder.complete has the last word.
//
// The label of a change ("field") often stands behind its value. A value is therefore read by the
// names of its lists, before the label is known, into the decoder's reusable value; emitChange then
// looks at the label, chooses a fieldReader, and turns items into events. The four fields of the
// main path and account updates share one reader of lists; every other field has its line in
// fieldReaders (decode_field.go), which reads the change a second time: they are rare.
//
// Two mechanisms read JSON, both of internal/wire. A loop over a wire.Scanner with a case for each
// name stands where Meta has several spellings of one thing, where the order of members matters or
// where a member decides how another is read: the levels above, messages, statuses, threads.
// wire.For reads every plain object by the json tags of its struct.
//
// Nothing is dropped, and one item never harms another. Every level is a wire.Item of its own:
// members without a place end in EventInfo.Unknown of the first event below it, a value of the
// wrong kind makes an UndecodableEvent of its item alone. Three words tell where JSON went: it is
// unknown if no reader has a case for it; unplaced if it was decoded and the event has no place for
// it; a change is unlabelled if it has no "field".
//
// # Fast shapes
//
// Most deliveries hold one text, one echo of a text or one status; most messages of a history are a
// text or a placeholder of media. Meta writes them with the same members in the same order and
// without white space. Two matchers compare the bytes with these shapes before anything is read:
//
//	decoder.fastChange         a whole change with one such item   called by decoder.changes
//	historyWalker.fastMessage  a message of a history              called by historyWalker.messages
//
// A matcher touches neither the scanner nor the decoder until the last byte has matched; with any
// other byte it gives up, and the value is read by the slow path from its beginning. (With it goes
// fastMessageSize, which measures what fastMessage reads, for the check of a chunk in Decode.)
//
// The matchers must make of their bytes what the slow path makes of them.
// TestFastShapesChangeNothing and FuzzFastShapes hold that: they decode each body twice, as it is
// and with a space behind every brace, which no matcher takes, and compare everything that the
// events tell, over bodies that differ from a fast shape in one place. TestFastChangesAreTaken and
// TestFastMessagesAreTaken hold that such bodies go through the matchers at all. After a change of
// a matcher, plant a bug in it and see these tests fail.

// ErrNotJSON says that a body is no JSON that could be a delivery: broken, cut short, nested too
// deep, or not an object.
var ErrNotJSON = errors.New("webhook: the body is not a JSON object")

// Decode returns the events of a body, change by change in the order of the body. It takes the
// whole body of a POST, or a lone change ({"field": …, "value": …}) as the app dashboard shows it,
// or an array of either.
//
// The only error matches [ErrNotJSON]; acknowledge such a body, because no repeat makes it JSON.
// Everything else is isolated: an item that does not fit its type becomes an [*UndecodableEvent],
// what has no type yet becomes an [*UnknownEvent], and their neighbours are not harmed. Nothing is
// dropped: a body that is JSON yields at least one event, and each value in it is in a typed member
// or can be reached through [EventInfo.Raw]. Meta puts up to 1,000 updates into a delivery; what
// comes after 5,000 items is left raw, in one UndecodableEvent.
//
// The events alias body: do not write to it as long as they are in use.
//
// Decode does not verify. Call [Verify] first.
func Decode(body []byte) ([]Event, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.s.Reset(body)
	switch d.s.Kind() {
	case wire.KindObject:
		d.envelope()
	case wire.KindArray:
		it := d.s.BeginItem()
		d.s.Array()
		for d.s.NextElement() {
			if !d.full() {
				d.envelope()
			}
		}
		if raw, _, err := d.s.EndItem(it); err != nil && d.s.Err() == nil {
			d.emit(&UndecodableEvent{EventInfo{Raw: raw}, itemError(err)}, entry{})
		}
	default:
		return nil, ErrNotJSON
	}
	d.s.End()
	if err := d.s.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	if len(d.events) == 0 {
		d.emit(&UnknownEvent{EventInfo{Raw: body}}, entry{})
	}
	return d.events, nil
}

// undecodableBody returns the event of a signed body that is not JSON.
func undecodableBody(body []byte, err error) Event {
	ev := &UndecodableEvent{EventInfo{Raw: body}, err}
	ev.DedupKey = keyOf(ev, entry{})
	return ev
}

// A decoder is the state of one Decode. Decoders are pooled; nothing in one reaches an event except
// memory that is given away.
type decoder struct {
	s      wire.Scanner
	events []Event
	value  value
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) release() {
	d.s.Reset(nil)
	d.events = nil
	d.value.reset()
	decoders.Put(d)
}

// An entry holds the members of an entry that its events take over.
type entry struct {
	id    string
	time  time.Time
	field Field // Meta has printed the label of a change here
}

// emit appends an event and completes it.
func (d *decoder) emit(ev Event, e entry) {
	d.events = append(d.events, ev)
	d.complete(len(d.events)-1, e)
}

// complete adds the members of their entry to the events from index on. It gives them their keys,
// which must come last: a key covers all of an event.
func (d *decoder) complete(from int, e entry) {
	for i, ev := range d.events[from:] {
		info := ev.base()
		info.Place = from + i
		info.EntryID, info.EntryAt = e.id, e.time
		if info.WABAID == "" && !ofPortfolio(ev) {
			info.WABAID = graph.WABAID(e.id)
		}
		if info.At.IsZero() {
			info.At = e.time
		}
		info.DedupKey = keyOf(ev, e)
	}
}

// ofPortfolio reports whether the entry of an event is a partner's business portfolio and not an
// account. Account updates about partners have such entries and name the account themselves, where
// there is one; only PARTNER_REMOVED has also been seen with the account as its entry.
func ofPortfolio(ev Event) bool {
	switch ev := ev.(type) {
	case *AccountUpdate:
		return strings.HasPrefix(string(ev.Event), "PARTNER_") && ev.Event != AccountPartnerRemoved
	case *PartnerSolution:
		return true
	case *UnknownEvent, *UndecodableEvent:
		return ev.base().Field == FieldPartnerSolutions
	default:
		return false
	}
}

// envelope reads a whole body, or a lone change.
//
// A later "entry" replaces an earlier one, as every duplicate does: the events of the earlier are
// dropped. A body whose "object" is another product of Meta's, which delivers to the same URL, is
// one UnknownEvent: its changes can have the names of ours and mean something else.
func (d *decoder) envelope() {
	var (
		s        = &d.s
		it       = s.BeginItem()
		from     = len(d.events)
		object   string
		lone     change
		unplaced []UnknownMember
	)
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "object":
				object = s.TextLike("whatsapp_business_account")
			case "entry":
				d.events = d.events[:from]
				d.entries()
			case "field":
				lone.field = Field(s.Text())
			case "value":
				lone.value = s.Raw()
			default:
				s.Unknown()
			}
		}
	}
	raw, unknown, err := s.EndItem(it)
	switch {
	case s.Err() != nil:
		return
	case object != "" && !strings.HasPrefix(object, "whatsapp"):
		d.events = d.events[:from]
		d.emit(&UnknownEvent{EventInfo{Raw: raw}}, entry{})
		return
	case lone.present():
		at := len(d.events)
		lone.raw = raw
		d.change(lone)
		d.complete(at, entry{})
	case lone.field != "":
		unplaced = append(unplaced, UnknownMember{"body.field", quoted(string(lone.field))})
	}
	if object != "" && object != "whatsapp_business_account" {
		unplaced = append(unplaced, UnknownMember{"body.object", quoted(object)})
	}
	around := surroundings{"body", append(unplaced, under("body.", unknown)...), raw, err}
	d.surround(from, around, entry{})
}

// surroundings is the JSON around events, at one level: what of it has no place, and the first
// mismatch in it.
type surroundings struct {
	level   string // "body" or "entry"
	unknown []UnknownMember
	raw     []byte
	err     error
}

// surround gives the unknown members around the events from index on to the first of them, and
// emits an event for a mismatch around them. If there is no event, the JSON becomes one itself.
func (d *decoder) surround(from int, around surroundings, e entry) {
	if around.err != nil {
		err := fmt.Errorf("webhook: %s: %w", around.level, around.err)
		d.emit(&UndecodableEvent{EventInfo{Raw: around.raw}, err}, e)
	}
	if len(d.events) == from {
		d.emit(&UnknownEvent{EventInfo{Raw: around.raw}}, e)
		return
	}
	if len(around.unknown) > 0 {
		info := d.events[from].base()
		info.Unknown = append(info.Unknown, around.unknown...)
	}
}

// entries reads the array of entries.
func (d *decoder) entries() {
	if d.s.Array() {
		for d.s.NextElement() {
			if !d.s.Null() && !d.full() {
				d.entry()
			}
		}
	}
}

// full skips the next value if there are too many events already.
func (d *decoder) full() bool {
	if len(d.events) < maxItems {
		return false
	}
	d.s.Refuse(tooMany)
	d.s.Skip()
	return true
}

// entry reads one entry and completes its events.
//
// Meta's samples have "field" and "value" of a lone change in an entry, and the label of changes
// beside them. Unlabelled changes are therefore kept until the whole entry was read.
func (d *decoder) entry() {
	var (
		s          = &d.s
		it         = s.BeginItem()
		from       = len(d.events)
		e          entry
		lone       change
		unlabelled []change
	)
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "id":
				e.id = s.Text()
			case "time":
				e.time = s.Time()
			case "changes":
				d.events = d.events[:from]
				unlabelled = d.changes()
			case "field":
				e.field = Field(s.Text())
			case "object": // misplaced in one of Meta's samples, where it says nothing new
				if start := s.Mark(); string(s.Raw()) != `"whatsapp_business_account"` {
					s.UnknownSince(start)
				}
			case "value":
				lone.value = s.Raw()
			default:
				s.Unknown()
			}
		}
	}
	raw, unknown, err := s.EndItem(it)
	if s.Err() != nil {
		return
	}
	for _, c := range unlabelled {
		c.field = e.field
		d.change(c)
	}
	if lone.present() {
		lone.field, lone.raw = e.field, raw
		d.change(lone)
	}
	d.complete(from, e)
	around := surroundings{"entry", under("entry.", unknown), raw, err}
	placed := func(ev Event) bool { return ev.base().Field == e.field }
	if e.field != "" && !slices.ContainsFunc(d.events[from:], placed) {
		around.unknown = append(around.unknown, UnknownMember{"entry.field", quoted(string(e.field))})
	}
	d.surround(from, around, e)
}

// changes reads the array of changes and emits their events. It returns the unlabelled changes,
// which emitted none.
func (d *decoder) changes() (unlabelled []change) {
	s := &d.s
	if s.Array() {
		for s.NextElement() {
			if s.Null() || d.full() || d.fastChange() {
				continue
			}
			if c, ok := d.readChange(); !ok {
				unlabelled = append(unlabelled, c)
			}
		}
	}
	return unlabelled
}

// members converts the unknown members that the scanner reports.
func members(list []wire.Member) []UnknownMember { return under("", list) }

// under is members, with paths that begin with a prefix.
func under(prefix string, list []wire.Member) []UnknownMember {
	if len(list) == 0 {
		return nil
	}
	out := make([]UnknownMember, len(list))
	for i, m := range list {
		out[i] = UnknownMember{prefix + m.Path, m.Value}
	}
	return out
}

// quoted writes s as JSON, for a text that was decoded and then had no place.
func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}
