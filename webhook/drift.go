package webhook

import (
	"cmp"
	"context"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A Drift counts what Meta sends and this package does not know: members and contents without a
// type, fields without an event, items that do not fit their type. Log or export [Drift.Snapshot]
// now and then; when it grows, update this package, or open an issue with what it says.
//
// It keeps names and numbers, never values. The zero Drift is ready, and safe for concurrent use.
// It is a [Handler] that never fails:
//
//	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(webhook.MultiHandler(&drift, &mux)))
type Drift struct {
	mu     sync.Mutex
	counts map[driftKey]*DriftCount
}

// A DriftCount is one thing that this package does not know.
type DriftCount struct {
	// Field is the webhook field that it came through.
	Field Field

	// Event is the type of the event that it came with, such as "IncomingMessage". With
	// "UnknownEvent" the whole change has no type, with "UndecodableEvent" an item does not fit its
	// type; both have no Path.
	Event string

	// Path leads to the member, as in [UnknownMember], but "[]" stands for any index and "*" for
	// names that are long numbers. For contents and replies of an unknown type it is their name.
	// The path "…" stands for all paths after the first 1,000.
	Path string

	// Kind is the JSON kind of the first one: "a string", "an object", …
	Kind string

	// Count is how often it came, First when it came first.
	Count int
	First time.Time
}

type driftKey struct {
	field       Field
	event, path string
}

// maxDrift is how many paths are distinguished. Names come from outside.
const maxDrift = 1000

// Handle counts what is unknown in ev. It decodes the messages of a [HistoryChunk] once more to
// look at them. It never returns an error.
func (d *Drift) Handle(_ context.Context, ev Event) error {
	info := ev.base()
	n := driftNote{d, Field(wire.Short(string(info.Field))), reflect.TypeOf(ev).Elem().Name()}
	n.members("", info.Unknown)
	switch ev := ev.(type) {
	case *UnknownEvent, *UndecodableEvent:
		n.add("", info.Raw)
	case *IncomingMessage:
		n.content("", ev.Content)
	case *BusinessAppEcho:
		n.content("", ev.Content)
	case *OtherAppEcho:
		n.content("", ev.Content)
	case *StandbyMessage:
		n.content("", ev.Message.Content)
	case *HistoryMedia:
		n.content("", ev.Content)
	case *HistoryChunk:
		n.chunk(ev)
	default:
	}
	return nil
}

// Snapshot returns the counts so far, sorted by field, event and path.
func (d *Drift) Snapshot() []DriftCount {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []DriftCount
	for _, c := range d.counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b DriftCount) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Path, b.Path))
	})
	return all
}

// A driftNote is what all counts of one event share.
type driftNote struct {
	drift *Drift
	field Field
	event string
}

func (n driftNote) members(at string, list []UnknownMember) {
	for _, m := range list {
		n.add(at+m.Path, m.Value)
	}
}

// content notes contents and replies of unknown types.
func (n driftNote) content(at string, content Content) {
	switch c := content.(type) {
	case *UnknownContent:
		n.add(at+cmp.Or(wire.Short(string(c.Name)), "type"), c.Raw)
	case *Interactive:
		if reply, ok := c.Reply.(*UnknownReply); ok {
			n.add(at+"interactive."+cmp.Or(wire.Short(c.Kind), "type"), reply.Raw)
		}
	case *Edit:
		n.content(at+"edit.message.", c.Content)
	default:
	}
}

func (n driftNote) chunk(c *HistoryChunk) {
	threads := make(map[*HistoryThread]bool) // what is unknown in a thread is known when it was walked
	for thread, m := range c.Messages() {
		threads[thread] = true
		if m.Err != nil {
			n.add("threads[].messages[]", m.Raw)
			continue
		}
		n.members("threads[].messages[].", m.Unknown)
		n.content("threads[].messages[].", m.Content)
	}
	for thread := range threads {
		n.members("threads[].", thread.Unknown)
	}
}

var (
	index  = regexp.MustCompile(`\[\d+\]`)
	number = regexp.MustCompile(`\d{5,}`) // ids and phone numbers
)

func (n driftNote) add(path string, value []byte) {
	path = number.ReplaceAllString(index.ReplaceAllString(path, "[]"), "*")
	key := driftKey{n.field, n.event, path}
	now := time.Now()

	d := n.drift
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.counts[key]
	if c == nil && len(d.counts) >= maxDrift {
		key = driftKey{path: "…"}
		c = d.counts[key]
	}
	if c == nil {
		if d.counts == nil {
			d.counts = make(map[driftKey]*DriftCount)
		}
		c = &DriftCount{Field: key.field, Event: key.event, Path: key.path, Kind: kindOf(value), First: now}
		d.counts[key] = c
	}
	c.Count++
}

// kindOf names the kind of a JSON value.
func kindOf(value []byte) string {
	var s wire.Scanner
	s.Reset(value)
	kind := s.Kind()
	if s.Skip(); s.Err() != nil {
		return "no JSON"
	}
	return kind.String()
}
