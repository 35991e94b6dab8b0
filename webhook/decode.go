package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// ErrNotJSON says that a body is no JSON that could be a delivery: broken, cut short, nested too
// deep, or not an object.
var ErrNotJSON = errors.New("webhook: the body is not a JSON object")

// Decode returns what a body tells, change by change in the order of the body. It wants the whole
// body of a POST, or a lone change ({"field": …, "value": …}) as the app dashboard shows it, or an
// array of either.
//
// The only error matches [ErrNotJSON]; acknowledge such a body, because no repeat makes it JSON.
// Everything else is isolated: an item that does not fit its type becomes an [*UndecodableEvent],
// what has no type yet becomes an [*UnknownEvent], and their neighbours are not harmed. Nothing is
// dropped: a body that is JSON yields at least one event, and each value in it is in a typed member
// or can be reached through [EventInfo.Raw]. Meta puts up to 1,000 updates into a delivery; what
// comes after 50,000 items is left raw, in one UndecodableEvent.
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
		if !d.wholeBody() {
			d.envelope()
		}
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

// undecodableBody stands for a signed body that is not JSON.
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
	odd    bool // the first change was looked at, and is none that is read as a whole
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) release() {
	d.s.Reset(nil)
	d.events, d.odd = nil, false
	d.value.reset()
	decoders.Put(d)
}

// An entry is what the JSON around a change tells about it.
type entry struct {
	id    string
	time  graph.Timestamp
	field Field // where Meta misplaced it
}

// emit appends an event that is complete but for what its entry tells.
func (d *decoder) emit(ev Event, e entry) {
	d.events = append(d.events, ev)
	d.complete(len(d.events)-1, e)
}

// complete adds to the events from index on what their entry tells.
func (d *decoder) complete(from int, e entry) {
	for _, ev := range d.events[from:] {
		info := ev.base()
		info.EntryID, info.EntryAt = e.id, e.time.Time
		if info.WABAID == "" && !ofPortfolio(ev) {
			info.WABAID = graph.WABAID(e.id)
		}
		if info.At.IsZero() {
			info.At = e.time.Time
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
func (d *decoder) envelope() {
	var (
		s     = &d.s
		it    = s.BeginItem()
		from  = len(d.events)
		obj   string
		lone  change
		loose []UnknownMember
	)
	a := lookAhead(s)
	a.want(`{"object":"whatsapp_business_account","entry":`)
	first := a.inside("entry")
	if first {
		obj = "whatsapp_business_account"
		d.entries()
	}
	if first || s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "object":
				obj = s.TextLike("whatsapp_business_account")
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
	case obj != "" && !strings.HasPrefix(obj, "whatsapp"):
		// Another product of Meta delivers to the same URL. Its changes can have the names of ours
		// and mean something else.
		d.events = d.events[:from]
		d.emit(&UnknownEvent{EventInfo{Raw: raw}}, entry{})
		return
	case lone.present():
		at := len(d.events)
		lone.raw = raw
		d.change(lone)
		d.complete(at, entry{})
	case lone.field != "":
		loose = append(loose, UnknownMember{"body.field", quoted(string(lone.field))})
	}
	if obj != "" && obj != "whatsapp_business_account" {
		loose = append(loose, UnknownMember{"body.object", quoted(obj)})
	}
	d.surround(from, "body.", append(loose, members(unknown)...), raw, err, entry{})
}

// surround gives the members that stand around events to the first of them, and reports what else
// is wrong around them. If there is no event, the JSON becomes one itself.
func (d *decoder) surround(from int, prefix string, loose []UnknownMember, raw []byte, err error, e entry) {
	if err != nil {
		d.emit(&UndecodableEvent{EventInfo{Raw: raw}, fmt.Errorf("webhook: %s: %w", strings.TrimSuffix(prefix, "."), err)}, e)
	}
	if len(d.events) == from {
		d.emit(&UnknownEvent{EventInfo{Raw: raw}}, e)
		return
	}
	if len(loose) > 0 {
		info := d.events[from].base()
		for _, m := range loose {
			if !strings.HasPrefix(m.Path, prefix) {
				m.Path = prefix + m.Path
			}
			info.Unknown = append(info.Unknown, m)
		}
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

func (d *decoder) entry() {
	var (
		s    = &d.s
		it   = s.BeginItem()
		from = len(d.events)
		e    entry
		lone change
		late []change // changes without a label, until the entry's label is known
	)
	first := e.readAhead(lookAhead(s))
	if first {
		late = d.changes()
	}
	if first || s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "id":
				e.id = s.Text()
			case "time":
				e.time = s.Time()
			case "changes":
				d.events = d.events[:from]
				late = d.changes()
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
	for _, c := range late {
		c.field = e.field
		d.change(c)
	}
	if lone.present() {
		lone.field, lone.raw = e.field, raw
		d.change(lone)
	}
	d.complete(from, e)
	loose := members(unknown)
	if e.field != "" && !slices.ContainsFunc(d.events[from:], func(ev Event) bool { return ev.base().Field == e.field }) {
		loose = append(loose, UnknownMember{"entry.field", quoted(string(e.field))})
	}
	d.surround(from, "entry.", loose, raw, err, e)
}

// readAhead reads the first members, up to the changes.
func (e *entry) readAhead(a ahead) bool {
	a.want(`{"id":"`)
	id := a.kept()
	a.want(`",`)
	var at graph.Timestamp
	if a.word(`"time":`) {
		at = a.seconds()
		a.want(`,`)
	}
	a.want(`"changes":`)
	if !a.inside("changes") {
		return false
	}
	e.id, e.time = id, at
	return true
}

// changes reads the array of changes and emits their events. It returns the changes without a
// label.
func (d *decoder) changes() (late []change) {
	s := &d.s
	if s.Array() {
		for s.NextElement() {
			if s.Null() || d.full() {
				continue
			}
			if d.wholeChange() {
				continue
			}
			if c, ok := d.readChange(); !ok {
				late = append(late, c)
			}
		}
	}
	return late
}

// members converts what the scanner reports.
func members(list []wire.Member) []UnknownMember {
	if len(list) == 0 {
		return nil
	}
	out := make([]UnknownMember, len(list))
	for i, m := range list {
		out[i] = UnknownMember{m.Path, m.Value}
	}
	return out
}

// quoted writes s as JSON, for what was decoded before it turned out to have no place.
func quoted(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}
