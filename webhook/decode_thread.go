package webhook

import (
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A historyWalker decodes the threads of one chunk.
type historyWalker struct {
	s       wire.Scanner
	begin   func(*HistoryThread)
	yield   func(*HistoryThread, *HistoryMessage) bool
	ordered bool // see HistoryChunk
	tree    bool // the slab holds all messages so far, and not those to come
	stopped bool
	slab    []HistoryMessage
	texts   textSlab
	spare   []HistoryThread // memory for the next ones
	empty   *HistoryMessage // stands for all messages without members
	parties parties
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
		w.stopped = !w.yield(t, &HistoryMessage{Raw: raw, From: new(graph.Identity), Content: new(UnknownContent), Err: err})
	}
}

// thread reads one conversation. Which side wrote a message can be told only when the thread's id
// and context are known, so where these may come after the messages, the messages wait.
func (w *historyWalker) thread() {
	var (
		s       = &w.s
		t       = w.newThread()
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
					t.Customer, _ = known.customer(t.ID)
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
	who, left := known.customer(t.ID)
	t.Customer = who
	raw, unknown, err := s.EndItem(it)
	if t.Unknown = members(unknown); left != "" {
		t.Unknown = append(t.Unknown, UnknownMember{"context.wa_id", quoted(left)})
	}
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

// customer returns whom a thread is with, and a user id that has no place because there is another
// one. Its number is wa_id, which is canonical, or else the thread's id.
func (c *threadContext) customer(id string) (who graph.Identity, left string) {
	who = c.identity
	who.WAID = c.waID
	left = splitIdentity(&who)
	if graph.IsUserID(id) {
		if who.UserID == "" {
			who.UserID = graph.UserID(id)
		}
	} else if who.WAID == "" {
		who.WAID = id
	}
	return who, left
}

func (w *historyWalker) messages(s *wire.Scanner, t *HistoryThread) {
	if !s.Array() {
		return
	}
	for s.NextElement() {
		d := s.Rest()
		var m *HistoryMessage
		if len(d) > 1 && d[0] == '{' && d[1] == '"' {
			m = w.next()
			size, head := w.usual(s, m, t, d)
			if size == 0 {
				w.message(s, m, t, head)
			}
			s.Advance(size)
		} else if s.Null() {
			continue
		} else if m = w.emptyMessage(s, t); m == nil {
			m = w.next()
			w.message(s, m, t, 0)
		}
		if s.Err() != nil {
			return
		}
		if w.stopped = !w.yield(t, m); w.stopped {
			return
		}
	}
}

// emptyMessage reads a message without members. They are all the same, so that a body full of them,
// which no phone ever sends, costs no memory.
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

// message reads an element of a thread's messages into m, of which the first bytes, head, were read
// before. It differs from [message.read] only in that nothing has to be put by until the event is
// known.
func (w *historyWalker) message(s *wire.Scanner, m *HistoryMessage, t *HistoryThread, head int) {
	it := s.BeginItem()
	var from, to graph.Identity
	if head > 0 {
		from = *m.From
		if m.To != nil {
			to = *m.To
		}
		s.Inside(head, 0)
	} else {
		*m = HistoryMessage{}
	}
	if head > 0 || s.Object() {
		parts := parts{texts: &w.texts}
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
				m.At = s.Time().Time
			case "type":
				m.Type = messageType(s.TextBytes())
			case "context":
				m.Context = readNew(s, readMessageContext)
			case "errors":
				m.Errors = readErrors(s)
			case "history_context":
				m.Status = readHistoryContext(s)
			default:
				parts.read(s)
			}
		}
		m.Content = parts.choose(s, m.Type)
		leaveSplit(s, "from", &from)
		leaveSplit(s, "to", &to)
	}
	m.From = w.parties.share(from)
	if m.To = nil; !to.IsZero() {
		m.To = w.parties.share(to)
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

// historyStatus returns b in Meta's capital letters, in which one integrator's tests differ. Common
// ones cost no memory.
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

// outbound reports whether the business wrote a message. The display number is no help: it can be
// formatted, and Brazilian ones can lack a digit. What the thread says about the customer decides,
// in this order.
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
