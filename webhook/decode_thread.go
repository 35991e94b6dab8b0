package webhook

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A historyWalker decodes the threads of one chunk, message by message.
type historyWalker struct {
	s          wire.Scanner
	begin      func(*HistoryThread) // called for each thread, also one without messages; may be nil
	yield      func(*HistoryThread, *HistoryMessage) bool
	ordered    bool // see HistoryChunk
	tree       bool // all messages are kept together: the slab holds those so far, not those to come
	stopped    bool // yield has returned false
	slab       []HistoryMessage
	texts      textSlab
	spare      []HistoryThread // memory for the next threads
	empty      *HistoryMessage // stands for all messages without members
	context    threadContext   // of the current thread
	identities identityCache
}

// slabSize is how many messages share an allocation, and threadSlab how many threads of a tree do.
// Threads of a walk share none: one that is kept would keep the texts of the others.
const (
	slabSize   = 16
	threadSlab = 8
)

// newThread returns an empty thread.
func (w *historyWalker) newThread() *HistoryThread {
	if !w.tree {
		return new(HistoryThread)
	}
	if len(w.spare) == 0 {
		w.spare = make([]HistoryThread, threadSlab)
	}
	t := &w.spare[0]
	w.spare = w.spare[1:]
	return t
}

// next returns a zero message: of a tree the next one, otherwise one that can be kept on its own.
// In a tree it moves the messages before when the slab is full: no pointer to them may be kept.
func (w *historyWalker) next() *HistoryMessage {
	if w.tree {
		w.slab = append(w.slab, HistoryMessage{})
		return &w.slab[len(w.slab)-1]
	}
	if len(w.slab) == 0 {
		w.slab = make([]HistoryMessage, slabSize)
	}
	m := &w.slab[0]
	w.slab = w.slab[1:]
	return m
}

// chunk walks the threads where they stand if there is one list of them, as Decode has seen. In
// JSON of unknown origin a later list replaces an earlier one, so the whole has to be looked at
// first.
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
		m := &HistoryMessage{Raw: raw, From: new(graph.Identity), Content: new(UnknownContent), Err: err}
		w.stopped = !w.yield(t, m)
	}
}

// thread reads one conversation. Which side wrote a message can be told only when the thread's id
// and context are known. Where these may come behind the messages, the messages are read
// afterwards, with a scanner of their own.
func (w *historyWalker) thread() {
	var (
		s        = &w.s
		t        = w.newThread()
		it       = s.BeginItem()
		messages []byte // to be read afterwards
	)
	w.context = threadContext{}
	if w.begin != nil {
		w.begin(t)
	}
	if s.Object() {
		for s.NextMember() {
			switch string(s.Name()) {
			case "id":
				t.ID = s.Text()
			case "context":
				threadContextDecoder.Decode(s, &w.context)
			case "messages":
				if w.ordered {
					t.Customer, _ = w.context.customer(t.ID)
					w.messages(s, t)
				} else {
					messages = s.Raw()
				}
			default:
				s.Unknown()
			}
			if w.stopped {
				return
			}
		}
	}
	customer, unplaced := w.context.customer(t.ID)
	t.Customer = customer
	raw, unknown, err := s.EndItem(it)
	if t.Unknown = members(unknown); unplaced != "" {
		t.Unknown = append(t.Unknown, UnknownMember{"context.wa_id", quoted(unplaced)})
	}
	if messages != nil {
		var inner wire.Scanner
		inner.Reset(messages)
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

// A threadContext is the context of a thread: its customer, beside the thread's id.
type threadContext struct {
	personBody
	Username string `json:"username"`
}

var threadContextDecoder = wire.For[threadContext]()

// customer returns the other side of a thread, and a user id that has no place because there is
// another one. Its number is wa_id, which is canonical, or else the thread's id.
func (c *threadContext) customer(id string) (customer graph.Identity, unplaced string) {
	customer = graph.Identity{
		WAID: c.WAID, UserID: c.UserID, ParentUserID: c.ParentUserID, Username: username(c.Username),
	}
	unplaced = splitIdentity(&customer)
	if graph.IsUserID(id) {
		if customer.UserID == "" {
			customer.UserID = graph.UserID(id)
		}
	} else if customer.WAID == "" {
		customer.WAID = id
	}
	return customer, unplaced
}

// messages reads a list of messages and yields each.
func (w *historyWalker) messages(s *wire.Scanner, t *HistoryThread) {
	if !s.Array() {
		return
	}
	for s.NextElement() {
		if s.Null() {
			continue
		}
		m := w.emptyMessage(s, t)
		if m == nil {
			m = w.next()
			if size := w.fastMessage(s, m, t, s.Rest()); size > 0 {
				s.Advance(size)
			} else {
				w.message(s, m, t)
			}
		}
		if s.Err() != nil {
			return
		}
		if w.stopped = !w.yield(t, m); w.stopped {
			return
		}
	}
}

// emptyMessage reads the next message if it has no members; nil if it has some. They all are one
// message, so that a body full of them, which no phone ever sends, takes no memory.
func (w *historyWalker) emptyMessage(s *wire.Scanner, t *HistoryThread) *HistoryMessage {
	mark := s.Mark()
	if !s.Empty() {
		return nil
	}
	if w.empty == nil {
		w.empty = &HistoryMessage{From: new(graph.Identity), Content: new(UnknownContent)}
		w.empty.Outbound = outbound(w.empty, t)
	}
	w.empty.Raw = s.Since(mark)
	return w.empty
}

// message reads an element of a thread's messages into m, which it empties first. It differs from
// [message.read] in that the event is known, so that no member has to be put by.
func (w *historyWalker) message(s *wire.Scanner, m *HistoryMessage, t *HistoryThread) {
	*m = HistoryMessage{}
	it := s.BeginItem()
	var from, to graph.Identity
	if s.Object() {
		contents := contents{texts: &w.texts}
		for s.NextMember() {
			switch string(s.Name()) {
			case "id":
				m.ID = graph.MessageID(s.Text())
			case "from":
				from.WAID = s.TextLike(t.ID)
			case "from_user_id":
				from.UserID = graph.UserID(s.TextLike(string(t.Customer.UserID)))
			case "from_parent_user_id":
				from.ParentUserID = graph.UserID(s.TextLike(string(t.Customer.ParentUserID)))
			case "to":
				to.WAID = s.TextLike(t.ID)
			case "to_user_id":
				to.UserID = graph.UserID(s.TextLike(string(t.Customer.UserID)))
			case "to_parent_user_id":
				to.ParentUserID = graph.UserID(s.TextLike(string(t.Customer.ParentUserID)))
			case "timestamp":
				m.At = s.Time()
			case "type":
				m.Type = messageType(s.TextBytes())
			case "context":
				m.Context = contextDecoder.New(s)
			case "errors":
				m.Errors = readErrors(s)
			case "history_context":
				m.Status = readHistoryContext(s)
			default:
				contents.read(s)
			}
		}
		m.Content = withoutContent(contents.choose(s, m.Type), m.Errors)
		splitAndReport(s, "from", &from)
		splitAndReport(s, "to", &to)
	}
	m.From = w.identities.share(from)
	if m.To = nil; !to.IsZero() {
		m.To = w.identities.share(to)
	}
	raw, unknown, err := s.EndItem(it)
	m.Raw, m.Unknown = raw, members(unknown)
	if err != nil {
		m.Err = itemError(err)
	}
	if m.Content == nil {
		m.Content = new(UnknownContent)
	}
	m.Outbound = outbound(m, t)
}

// readHistoryContext reads the delivery status of a past message.
func readHistoryContext(s *wire.Scanner) (status HistoryStatus) {
	if !s.Object() {
		return ""
	}
	for s.NextMember() {
		if string(s.Name()) == "status" {
			status = historyStatus(s.TextBytes())
		} else {
			s.Unknown()
		}
	}
	return status
}

// historyStatus returns b in Meta's capital letters; one integrator's tests have small ones. Common
// statuses take no memory.
func historyStatus(b []byte) HistoryStatus {
	switch string(b) {
	case "READ":
		return HistoryRead
	case "DELIVERED":
		return HistoryDelivered
	case "SENT":
		return HistorySent
	}
	return HistoryStatus(strings.ToUpper(string(b)))
}

// outbound reports whether the business wrote a message. The thread's customer decides: the display
// number of the business can be formatted, and Brazilian ones can lack a digit.
func outbound(m *HistoryMessage, t *HistoryThread) bool {
	switch {
	case m.To != nil:
		return true
	case m.From.UserID != "" && m.From.UserID == t.Customer.UserID:
		return false
	case m.From.WAID != "" && (sameNumber(m.From.WAID, t.ID) || sameNumber(m.From.WAID, t.Customer.WAID)):
		return false
	case t.Customer.IsZero() && m.From.WAID == "" && m.From.UserID != "":
		return false // the business has a number
	}
	return true
}

// sameNumber compares two spellings of phone numbers.
func sameNumber(a, b string) bool {
	return a == b || b != "" && graph.EquivalenceKey(a) == graph.EquivalenceKey(b)
}
