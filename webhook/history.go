package webhook

import (
	"fmt"
	"iter"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// Messages walks over the chunk's messages, thread by thread, and decodes each when it is its turn. A chunk of
// thousands of messages so needs little more memory than its bytes.
//
//	for thread, m := range chunk.Messages() {
//		if m.Err != nil {
//			… // keep m.Raw; the others are not harmed
//		}
//	}
//
// Each message is a new one and can be kept. The thread is the same for all its messages. It can be walked as often as
// needed, also from several goroutines.
//
// It reads [EventInfo.Raw] alone, so a chunk can be stored as that and walked later.
func (c *HistoryChunk) Messages() iter.Seq2[*HistoryThread, *HistoryMessage] {
	return func(yield func(*HistoryThread, *HistoryMessage) bool) {
		w := &historyWalker{yield: yield, ordered: c.ordered}
		w.s.Reset(c.Raw)
		w.chunk()
	}
}

// Threads returns the chunk's conversations with all their messages, and those without messages too. For a large chunk
// it needs several times the memory of the chunk; [HistoryChunk.Messages] does not.
func (c *HistoryChunk) Threads() []HistoryThread {
	var all []*HistoryThread
	w := &historyWalker{ordered: c.ordered}
	w.begin = func(t *HistoryThread) { all = append(all, t) }
	w.yield = func(t *HistoryThread, m *HistoryMessage) bool {
		t.Messages = append(t.Messages, *m)
		return true
	}
	w.s.Reset(c.Raw)
	w.chunk()
	threads := make([]HistoryThread, len(all))
	for i, t := range all {
		threads[i] = *t
	}
	return threads
}

// A historyWalker decodes the threads of one chunk.
type historyWalker struct {
	s       wire.Scanner
	begin   func(*HistoryThread)
	yield   func(*HistoryThread, *HistoryMessage) bool
	ordered bool
	stopped bool
	slab    []HistoryMessage
}

// slabSize is how many messages share an allocation.
const slabSize = 16

func (w *historyWalker) next() *HistoryMessage {
	if len(w.slab) == 0 {
		w.slab = make([]HistoryMessage, slabSize)
	}
	m := &w.slab[0]
	w.slab = w.slab[1:]
	return m
}

// chunk walks the threads where they stand if there is one list of them, as Decode has seen. In JSON of unknown origin
// a later list replaces an earlier one, so the whole has to be looked at first.
func (w *historyWalker) chunk() {
	s := &w.s
	var threads []byte
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch {
		case string(s.Name()) != "threads":
			s.Skip()
		case w.ordered:
			w.threads()
			if w.stopped {
				return
			}
		default:
			threads = s.Raw()
		}
	}
	if threads != nil {
		s.Reset(threads)
		w.threads()
	}
}

func (w *historyWalker) threads() {
	s := &w.s
	if kind := s.Kind(); kind != wire.KindArray {
		if raw := s.Raw(); kind != wire.KindNull {
			w.bad(new(HistoryThread), raw, fmt.Errorf("webhook: threads: want an array, got %v", kind))
		}
		return
	}
	s.Array()
	for s.NextElement() {
		if s.Null() {
			continue
		}
		if w.thread(); w.stopped {
			return
		}
	}
}

// bad yields a part of the chunk that could not be decoded.
func (w *historyWalker) bad(t *HistoryThread, raw []byte, err error) {
	if !w.stopped {
		w.stopped = !w.yield(t, &HistoryMessage{Raw: raw, Content: new(UnknownContent), Err: err})
	}
}

// thread reads one conversation. Which side wrote a message can be told only when the thread's id and context are
// known, so where these may come after the messages, the messages wait.
func (w *historyWalker) thread() {
	var (
		s       = &w.s
		t       = new(HistoryThread)
		it      = s.BeginItem()
		waiting []byte
		known   threadContext
	)
	if w.begin != nil {
		w.begin(t)
	}
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "id":
				t.ID = s.Text()
			case "context":
				known.read(s)
			case "messages":
				if w.ordered {
					t.Customer = known.customer(t.ID)
					w.messages(s, t)
				} else {
					waiting = s.Raw()
				}
			default:
				s.Unknown()
			}
			if w.stopped {
				return
			}
		}
	}
	t.Customer = known.customer(t.ID)
	raw, unknown, err := s.EndItem(it)
	t.Unknown = members(unknown)
	if waiting != nil {
		var inner wire.Scanner
		inner.Reset(waiting)
		outer := inner.BeginItem()
		w.messages(&inner, t)
		if _, _, e := inner.EndItem(outer); err == nil && e != nil {
			err = fmt.Errorf("messages: %w", e)
		}
	}
	if err != nil {
		w.bad(t, raw, fmt.Errorf("webhook: thread: %w", err))
	}
}

// A threadContext is what a thread tells about its customer beside the id.
type threadContext struct {
	waID     string
	identity graph.Identity
}

func (c *threadContext) read(s *wire.Scanner) {
	*c = threadContext{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "wa_id":
			c.waID = s.Text()
		case "user_id":
			c.identity.UserID = graph.UserID(s.Text())
		case "parent_user_id":
			c.identity.ParentUserID = graph.UserID(s.Text())
		case "username":
			c.identity.Username = username(s.Text())
		default:
			s.Unknown()
		}
	}
}

// customer returns whom a thread is with. Its number is wa_id, which is canonical, or else the thread's id.
func (c *threadContext) customer(id string) graph.Identity {
	who := c.identity
	who.WAID = c.waID
	splitIdentity(&who)
	if graph.IsUserID(id) {
		if who.UserID == "" {
			who.UserID = graph.UserID(id)
		}
	} else if who.WAID == "" {
		who.WAID = id
	}
	return who
}

func (w *historyWalker) messages(s *wire.Scanner, t *HistoryThread) {
	if !s.Array() {
		return
	}
	for s.NextElement() {
		if s.Null() {
			continue
		}
		var m message
		m.read(s, inThread)
		if s.Err() != nil {
			return
		}
		out := w.next()
		*out = HistoryMessage{
			ID: m.id, From: m.from, To: m.to, At: m.at, Type: m.typ, Content: m.content, Context: m.context,
			Errors: m.errors, Status: m.status, Raw: m.raw, Unknown: m.unplaced(), Outbound: outbound(&m, t),
		}
		if m.err != nil {
			out.Err = itemError(m.err)
		}
		if out.Content == nil {
			out.Content = new(UnknownContent)
		}
		if w.stopped = !w.yield(t, out); w.stopped {
			return
		}
	}
}

// outbound reports whether the business wrote a message. The display number is no help: it can be formatted, and
// Brazilian ones can lack a digit. What the thread says about the customer decides, in this order.
func outbound(m *message, t *HistoryThread) bool {
	switch {
	case !m.to.IsZero():
		return true
	case m.from.UserID != "" && m.from.UserID == t.Customer.UserID:
		return false
	case m.from.WAID != "" && (sameNumber(m.from.WAID, t.ID) || sameNumber(m.from.WAID, t.Customer.WAID)):
		return false
	}
	return true
}

// sameNumber compares two spellings of phone numbers.
func sameNumber(a, b string) bool {
	return a == b || b != "" && graph.EquivalenceKey(a) == graph.EquivalenceKey(b)
}
