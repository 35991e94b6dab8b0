package coexistence

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Compare orders messages as the phone shows them: by [Message].At in whole seconds, then by the
// place that Meta gave within the second, then by ID. It is negative if m stands above o.
//
// Meta's times have no fractions. Which of two messages of one second came first follows from their
// places in a history, else from the arrival of the deliveries that spoke of them and the places in
// those ([webhook.EventInfo].ReceivedAt and Place). Of several tellings the earliest counts, so
// that repeats and any order of arrival make the same order. Messages without a place come first in
// their second, in the order of the ids: such are those of [webhook.Decode], which knows no
// delivery.
//
// The order of two deliveries that overtook each other within one second cannot be known, nor that
// of an own send and a customer's message that crossed.
func (m Message) Compare(o Message) int { return m.Place().Compare(o.Place()) }

// A Cursor is a place in a list of messages or conversations, as a text that a host may put into a
// link. It stays good whatever is stored or deleted meanwhile. The zero Cursor is no place.
type Cursor string

// Cursor returns the place of the message in its conversation.
func (m Message) Cursor() Cursor { return m.Place().Cursor() }

// ErrCursor says that a text is no [Cursor] of this package.
var ErrCursor = errors.New("coexistence: this is not a cursor; use what Cursor returned, or none")

// A Place is a place in the phone's order, taken apart. Stores sort and search by its members, in
// their order; hosts need none.
type Place struct {
	Second   int64 // Unix time
	Position int64 // within the second; 0 if unknown
	ID       graph.MessageID
}

// Place returns the place that a cursor stands for, or [ErrCursor].
func (c Cursor) Place() (Place, error) {
	text, err := base64.RawURLEncoding.DecodeString(string(c))
	parts := strings.SplitN(string(text), " ", 3)
	if err != nil || len(parts) != 3 {
		return Place{}, ErrCursor
	}
	second, err1 := strconv.ParseInt(parts[0], 10, 64)
	position, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil {
		return Place{}, ErrCursor
	}
	return Place{second, position, graph.MessageID(parts[2])}, nil
}

// Place returns the place of the message in the phone's order.
func (m Message) Place() Place { return Place{m.At.Unix(), m.Provenance.position, m.ID} }

// Cursor returns the place as a text. It is encoded, so that it goes into a link as it is, and is
// not taken apart.
func (p Place) Cursor() Cursor {
	return Cursor(base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", p.Second, p.Position, p.ID)))
}

// Compare orders places. Ids are compared byte by byte.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.Second, o.Second), cmp.Compare(p.Position, o.Position), cmp.Compare(p.ID, o.ID))
}

// Before returns the place right above p.
func (p Place) Before() Place { return Place{Second: p.Second, Position: p.Position - 1} }

// placesPerArrival is how many places a delivery has that are distinguished.
const placesPerArrival = 1024

// arrivalPosition is the position of what was told by a delivery that arrived at a time, in its
// place-th event. It is some 1.8e18, far behind every position of a history, and fits until 2255.
// Without a time it is 0: it was not told.
func arrivalPosition(at time.Time, place int) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()*placesPerArrival + int64(min(max(place, 0), placesPerArrival-1))
}

// positionOf is the position that an event tells of the message that it is about.
func positionOf(info webhook.EventInfo) int64 { return arrivalPosition(info.ReceivedAt, info.Place) }

// historyPosition is the position of the i-th message of a chunk, counted from 0 over all of its
// threads. Phases run backwards: the oldest is the last. Whether chunks and messages do as well is
// told by newestFirst. It is below every arrival, and never 0.
func historyPosition(chunk *webhook.HistoryChunk, i int, newestFirst bool) int64 {
	const perChunk, perPhase = 1 << 24, 1 << 46
	p := int64(min(max(chunk.Order, 0), 1<<20))*perChunk + int64(min(i+1, perChunk-1))
	if newestFirst {
		p = -p
	}
	return int64(webhook.HistoryPhaseOldest-min(max(chunk.Phase, 0), webhook.HistoryPhaseOldest))*perPhase + p
}

// newestFirst reports whether a chunk lists messages from the newest to the oldest. Meta's samples
// ascend, and no page promises that they do. Steps between neighbours of one thread are counted
// until one direction leads clearly; a chunk in which neither does ascends. It is a function of the
// bytes only, so that a repeat gives the same result.
func newestFirst(chunk *webhook.HistoryChunk) bool {
	const lead = 16
	up, down := 0, 0
	var last time.Time
	var of *webhook.HistoryThread
	for thread, m := range chunk.Messages() {
		if thread == of && !m.At.IsZero() {
			switch m.At.Compare(last) {
			case 1:
				up++
			case -1:
				down++
			}
			if up-down >= lead || down-up >= lead {
				break
			}
		}
		of, last = thread, m.At
	}
	return down > up
}

// mergePosition keeps the smallest position that was ever told, whatever the source: who speaks
// about a message does so after it, so every telling is an upper bound of its place, and the
// smallest bound is the best. It is commutative and idempotent.
func (m *Message) mergePosition(position int64) {
	if have := m.Provenance.position; position != 0 && (have == 0 || position < have) {
		m.Provenance.position = position
	}
}
